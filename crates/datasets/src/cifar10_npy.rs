//! Images in the form in which the Kaggle competition gives its test set: one `.npy` array of bytes.

use std::fs;
use std::path::Path;

use ndarray::Array4;

use crate::DatasetError;
use crate::npy::{element_type_error, header_key, parse_bytes};

/// Reads the images of a `.npy` file.
///
/// # Errors
/// [`DatasetError::Io`] if there is no such file, otherwise as [`parse_cifar10_npy`].
pub fn read_cifar10_npy(path: &Path) -> Result<Array4<u8>, DatasetError> {
    let bytes =
        fs::read(path).map_err(|cause| DatasetError::Io { path: path.to_owned(), cause })?;
    parse_cifar10_npy(&path.display().to_string(), &bytes)
}

/// The images in the bytes of a `.npy` file; `file` is for messages.
///
/// # Shapes
/// `(n, 3072)` with all red, then all green, then all blue values of an image, as in the binary form;
/// `(n, 3, 32, 32)`; or `(n, 32, 32, 3)`; C or Fortran order. The result is `(n, 32, 32, 3)`.
///
/// # Errors
/// [`DatasetError::Bytes`] if the elements are not `uint8`, the shape is none of these, there is no
/// image, or the file is longer or shorter than its header says; [`DatasetError::File`] if it is no
/// `.npy` file.
pub fn parse_cifar10_npy(file: &str, bytes: &[u8]) -> Result<Array4<u8>, DatasetError> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(DatasetError::File {
            file: file.to_owned(),
            expected: "a .npy file".to_owned(),
            got: "a zip archive: unpack it, and name the file that was in it".to_owned(),
        });
    }
    let Some(array) = parse_bytes(file, bytes)? else {
        return Err(element_type_error(file, bytes, "elements of type uint8 ('|u1')"));
    };
    let (n, planar) = match *array.shape() {
        [n, 3072] | [n, 3, 32, 32] if n > 0 => (n, true),
        [n, 32, 32, 3] if n > 0 => (n, false),
        ref shape => {
            return Err(DatasetError::Bytes {
                file: file.to_owned(),
                offset: header_key(bytes, "'shape'"),
                expected: "a shape (n, 3072), (n, 3, 32, 32) or (n, 32, 32, 3) with n >= 1"
                    .to_owned(),
                got: format!("{shape:?}"),
            });
        }
    };
    // Row-major by the indices, whatever the order in memory.
    let images = array.to_shape(if planar { [n, 3, 32, 32] } else { [n, 32, 32, 3] });
    let images = images.expect("3072 numbers for each image");
    let images = images.permuted_axes(if planar { [0, 2, 3, 1] } else { [0, 1, 2, 3] });
    Ok(images.as_standard_layout().into_owned())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array2, ArrayD, IxDyn, ShapeBuilder};
    use ndarray_npy::{WritableElement, WriteNpyExt};

    use super::*;

    fn npy<E: WritableElement>(array: &ArrayD<E>) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    /// Two images in which each value tells its place, and the same as `(n, 3072)` rows.
    fn example() -> (Array4<u8>, Array2<u8>) {
        let value = |n, row, column, channel| (97 * n + 31 * row + 7 * column + 83 * channel) as u8;
        let images = Array::from_shape_fn((2, 32, 32, 3), |(n, r, c, k)| value(n, r, c, k));
        let rows =
            Array::from_shape_fn((2, 3072), |(n, i)| value(n, i % 1024 / 32, i % 32, i / 1024));
        (images, rows)
    }

    fn fortran(array: &ArrayD<u8>) -> ArrayD<u8> {
        let mut copy = ArrayD::zeros(IxDyn(array.shape()).f());
        copy.assign(array);
        copy
    }

    #[test]
    fn every_shape_and_order_gives_the_same_images() {
        let (images, rows) = example();
        let planes = images.clone().permuted_axes([0, 3, 1, 2]).as_standard_layout().into_owned();
        for array in [images.clone().into_dyn(), rows.into_dyn(), planes.into_dyn()] {
            for (order, flag) in [(array.clone(), "False"), (fortran(&array), "True")] {
                let bytes = npy(&order);
                let header = format!("'fortran_order': {flag}");
                assert!(bytes.windows(header.len()).any(|w| w == header.as_bytes()), "{header}");
                let read = parse_cifar10_npy("x.npy", &bytes).unwrap();
                assert_eq!(read, images, "{:?} {flag}", array.shape());
                assert!(read.is_standard_layout());
            }
        }
    }

    #[test]
    fn other_shapes_and_types_are_refused_where_the_header_has_them() {
        assert!(parse_cifar10_npy("x.npy", &npy(&ArrayD::<u8>::zeros(vec![1, 3072]))).is_ok());
        let message = |bytes: &[u8]| parse_cifar10_npy("x.npy", bytes).unwrap_err().to_string();
        for shape in
            [vec![0, 3072], vec![3072], vec![5, 1024], vec![2, 32, 3, 32], vec![0, 3, 32, 32]]
        {
            let bytes = npy(&ArrayD::<u8>::zeros(shape.clone()));
            let (error, at) = (message(&bytes), header_key(&bytes, "'shape'"));
            assert!(error.starts_with(&format!("x.npy, byte {at}: expected a shape (n, 3072)")));
            assert!(error.ends_with(&format!("but got {shape:?}")), "{error}");
        }
        for (bytes, name) in [
            (npy(&ArrayD::<f32>::zeros(vec![1, 3072])), "'<f4'"),
            (npy(&ArrayD::<i64>::zeros(vec![1, 3072])), "'<i8'"),
            (npy(&ArrayD::<i8>::zeros(vec![1, 3072])), "'|i1'"),
        ] {
            let error = message(&bytes);
            let expected = "x.npy, byte 11: expected elements of type uint8";
            assert!(error.starts_with(expected), "{error}");
            assert!(error.ends_with(&format!("but got {name}")), "{error}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let message = |bytes: &[u8]| parse_cifar10_npy("x.npy", bytes).unwrap_err().to_string();
        let cut = &npy(&ArrayD::<u8>::zeros(vec![2, 3072]))[..6000];
        assert!(
            message(cut).starts_with("x.npy, byte 6000: expected 272 more bytes, as its header")
        );
        assert!(message(b"Id,Category\n").starts_with("x.npy: expected a .npy file, but got"));
        let zip = message(b"PK\x03\x04 and so on");
        let expected = "x.npy: expected a .npy file, but got a zip archive: unpack it";
        assert!(zip.starts_with(expected), "{zip}");
        let missing = read_cifar10_npy(Path::new("no/such.npy")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read no/such.npy: "), "{missing}");
    }
}
