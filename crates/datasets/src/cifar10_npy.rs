//! Images in the form in which the Kaggle competition gives its test set: one `.npy` array of bytes.

use std::fs;
use std::path::Path;

use ndarray::Array4;

use crate::DatasetError;
use crate::npy::parse_npy_bytes;

/// Reads the images of a `.npy` file.
///
/// # Shapes
/// `(n, 3072)` with all red, then all green, then all blue values of an image, as in the binary form;
/// `(n, 3, 32, 32)`; or `(n, 32, 32, 3)`; C or Fortran order. The result is `(n, 32, 32, 3)`.
///
/// # Errors
/// [`DatasetError::Io`] if there is no such file; [`DatasetError::Refused`] if it is no `.npy` file, or longer
/// or shorter than its header says, the elements are not `uint8`, the shape is none of these, or there is no
/// image.
pub fn read_cifar10_npy(path: &Path) -> Result<Array4<u8>, DatasetError> {
    let bytes =
        fs::read(path).map_err(|cause| DatasetError::Io { path: path.to_owned(), cause })?;
    parse(&path.display().to_string(), &bytes)
}

fn parse(file: &str, bytes: &[u8]) -> Result<Array4<u8>, DatasetError> {
    if bytes.starts_with(b"PK\x03\x04") {
        let got = "a zip archive: unpack it, and name the file that was in it";
        return Err(DatasetError::file(file, "a .npy file", got));
    }
    let array = parse_npy_bytes(file, bytes)?;
    let (n, planar) = match *array.shape() {
        [n, 3072] | [n, 3, 32, 32] if n > 0 => (n, true),
        [n, 32, 32, 3] if n > 0 => (n, false),
        ref shape => {
            let expected = "a shape (n, 3072), (n, 3, 32, 32) or (n, 32, 32, 3) with n >= 1";
            return Err(DatasetError::file(file, expected, format!("{shape:?}")));
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
    use ndarray::{Array, ArrayD, IxDyn, ShapeBuilder};
    use ndarray_npy::{WritableElement, WriteNpyExt};

    use super::*;

    fn npy<E: WritableElement>(array: &ArrayD<E>) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn every_shape_and_order_gives_the_same_images() {
        let value = |n, row, column, channel| (97 * n + 31 * row + 7 * column + 83 * channel) as u8;
        let images = Array::from_shape_fn((2, 32, 32, 3), |(n, r, c, k)| value(n, r, c, k));
        let rows =
            Array::from_shape_fn((2, 3072), |(n, i)| value(n, i % 1024 / 32, i % 32, i / 1024));
        let planes = images.clone().permuted_axes([0, 3, 1, 2]).as_standard_layout().into_owned();
        for array in [images.clone().into_dyn(), rows.into_dyn(), planes.into_dyn()] {
            let mut fortran = ArrayD::zeros(IxDyn(array.shape()).f());
            fortran.assign(&array);
            for (order, flag) in [(&array, "False"), (&fortran, "True")] {
                let bytes = npy(order);
                let header = format!("'fortran_order': {flag}");
                assert!(bytes.windows(header.len()).any(|w| w == header.as_bytes()), "{header}");
                let read = parse("x.npy", &bytes).unwrap();
                assert_eq!(read, images, "{:?} {flag}", array.shape());
                assert!(read.is_standard_layout());
            }
        }
    }

    #[test]
    fn other_files_are_refused() {
        let zeros = |shape: &[usize]| npy(&ArrayD::<u8>::zeros(shape));
        assert!(parse("x.npy", &zeros(&[1, 3072])).is_ok());
        let shape = "a shape (n, 3072), (n, 3, 32, 32) or (n, 32, 32, 3) with n >= 1";
        let bytes = "elements of type uint8 ('|u1')";
        for (file, expected, got) in [
            (zeros(&[0, 3072]), shape, "[0, 3072]"),
            (zeros(&[3072]), shape, "[3072]"),
            (zeros(&[5, 1024]), shape, "[5, 1024]"),
            (zeros(&[2, 32, 3, 32]), shape, "[2, 32, 3, 32]"),
            (npy(&ArrayD::<f32>::zeros(vec![1, 3072])), bytes, "'<f4'"),
            (npy(&ArrayD::<i8>::zeros(vec![1, 3072])), bytes, "'|i1'"),
            (
                zeros(&[2, 3072])[..6000].to_vec(),
                "272 more bytes, as its header says",
                "the end of the file",
            ),
            (
                b"PK\x03\x04 and so on".to_vec(),
                "a .npy file",
                "a zip archive: unpack it, and name the file that was in it",
            ),
        ] {
            let error = parse("x.npy", &file).unwrap_err().to_string();
            assert_eq!(error, format!("x.npy: expected {expected}, but got {got}"));
        }
    }
}
