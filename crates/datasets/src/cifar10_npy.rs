//! Images in the form in which the Kaggle competition gives its test set: one `.npy` array of bytes.

use std::fs;
use std::path::Path;

use ndarray::{Array4, ArrayD, ArrayView4, IxDyn};

use crate::DatasetError;
use crate::npy::{element_type_error, parse_bytes};

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
    let refused = |array: &ArrayD<u8>| DatasetError::Bytes {
        file: file.to_owned(),
        offset: position(bytes, b"'shape'"),
        expected: "a shape (n, 3072), (n, 3, 32, 32) or (n, 32, 32, 3) with n >= 1".to_owned(),
        got: format!("{:?}", array.shape()),
    };
    let planar = match *array.shape() {
        [n, 32, 32, 3] if n > 0 => {
            let images = array.view().into_dimensionality().map_err(|_| refused(&array))?;
            return Ok(in_standard_order(images));
        }
        [n, 3072] if n > 0 => IxDyn(&[n, 3, 32, 32]),
        [n, 3, 32, 32] if n > 0 => IxDyn(&[n, 3, 32, 32]),
        _ => return Err(refused(&array)),
    };
    // Row-major by the indices, whatever the order in memory.
    let array = array.as_standard_layout();
    let images = array.to_shape(planar).map_err(|_| refused(&array.to_owned()))?;
    let images = images.view().into_dimensionality().map_err(|_| refused(&array.to_owned()))?;
    Ok(in_standard_order(images.permuted_axes([0, 2, 3, 1])))
}

fn in_standard_order(images: ArrayView4<'_, u8>) -> Array4<u8> {
    images.as_standard_layout().into_owned()
}

/// Where a key of the header stands; 0 if it is not there.
fn position(bytes: &[u8], key: &[u8]) -> u64 {
    bytes.windows(key.len()).position(|window| window == key).unwrap_or(0) as u64
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array2, ArrayD, ShapeBuilder};
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
    fn one_image_is_enough_and_none_is_too_few() {
        let one = parse_cifar10_npy("x.npy", &npy(&ArrayD::<u8>::zeros(vec![1, 3072]))).unwrap();
        assert_eq!(one.dim(), (1, 32, 32, 3));
        for shape in
            [vec![0, 3072], vec![3072], vec![5, 1024], vec![2, 32, 3, 32], vec![0, 3, 32, 32]]
        {
            let bytes = npy(&ArrayD::<u8>::zeros(shape.clone()));
            let error = parse_cifar10_npy("x.npy", &bytes).unwrap_err().to_string();
            let at = position(&bytes, b"'shape'");
            assert!(error.starts_with(&format!("x.npy, byte {at}: expected a shape (n, 3072)")));
            assert!(error.ends_with(&format!("but got {shape:?}")), "{error}");
        }
    }

    #[test]
    fn other_types_are_refused_by_name() {
        for (bytes, name) in [
            (npy(&ArrayD::<f32>::zeros(vec![1, 3072])), "'<f4'"),
            (npy(&ArrayD::<i64>::zeros(vec![1, 3072])), "'<i8'"),
            (npy(&ArrayD::<i8>::zeros(vec![1, 3072])), "'|i1'"),
        ] {
            let error = parse_cifar10_npy("x.npy", &bytes).unwrap_err().to_string();
            assert!(
                error.starts_with("x.npy, byte 11: expected elements of type uint8"),
                "{error}"
            );
            assert!(error.ends_with(&format!("but got {name}")), "{error}");
        }
    }

    #[test]
    fn a_file_of_another_length_is_refused_where_it_differs() {
        let bytes = npy(&ArrayD::<u8>::zeros(vec![2, 3072]));
        let message = |bytes: &[u8]| parse_cifar10_npy("x.npy", bytes).unwrap_err().to_string();
        let end = bytes.len();
        let expected = format!(
            "x.npy, byte {}: expected 5 more bytes, as its header says, but got the end of the file",
            end - 5
        );
        assert_eq!(message(&bytes[..end - 5]), expected);
        let expected = format!(
            "x.npy, byte {end}: expected the end of the file, as its header says, but got 2 more bytes"
        );
        assert_eq!(message(&[&bytes[..], b"xy"].concat()), expected);
        assert!(message(&bytes[..40]).starts_with("x.npy: expected a .npy file, but got"));
        assert!(message(b"Id,Category\n").starts_with("x.npy: expected a .npy file, but got"));
        let zip = message(b"PK\x03\x04 and so on");
        assert!(
            zip.starts_with("x.npy: expected a .npy file, but got a zip archive: unpack it"),
            "{zip}"
        );
        let missing = read_cifar10_npy(Path::new("no/such.npy")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read no/such.npy: "), "{missing}");
    }
}
