//! Arrays from IDX files, the form in which MNIST and Fashion-MNIST are published.

use ndarray::{Array, ArrayD, Dimension, IxDyn};

use crate::DatasetError;

/// The array of bytes in an IDX file; `file` is for messages.
///
/// The header is big-endian: two zeros, the type (8: bytes), the number of axes, and the length of
/// each axis in four bytes. So images begin with `0x00000803` and labels with `0x00000801`.
///
/// # Errors
/// [`DatasetError::Refused`] if the type or the number of axes is another, or the file is shorter or longer
/// than its header says.
pub(crate) fn parse_idx<D: Dimension>(
    file: &str,
    bytes: &[u8],
) -> Result<Array<u8, D>, DatasetError> {
    array(bytes).ok_or_else(|| {
        let axes = D::NDIM.unwrap_or_default();
        let expected = format!("an IDX file of bytes in {axes} axes, as long as its header says");
        let start = &bytes[..bytes.len().min(4 + 4 * axes)];
        let got = format!("{} bytes that begin with {start:02x?}", bytes.len());
        DatasetError::file(file, expected, got)
    })
}

fn array<D: Dimension>(bytes: &[u8]) -> Option<Array<u8, D>> {
    let (&[0, 0, 8, axes], rest) = bytes.split_first_chunk()? else { return None };
    let (lengths, data) = rest.split_at_checked(4 * usize::from(axes))?;
    let lengths = lengths.as_chunks().0.iter().map(|&length| u32::from_be_bytes(length) as usize);
    let shape = IxDyn(&lengths.collect::<Vec<_>>());
    ArrayD::from_shape_vec(shape, data.to_vec()).ok()?.into_dimensionality().ok()
}

#[cfg(test)]
mod tests {
    use ndarray::{Ix1, Ix3, array};

    use super::*;

    /// Two images of 1 x 3 pixels.
    const IMAGES: [u8; 22] =
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60];

    #[test]
    fn images_and_labels_are_read() {
        let expected = array![[[10, 20, 30]], [[40, 50, 60]]];
        assert_eq!(parse_idx::<Ix3>("x", &IMAGES).unwrap(), expected);
        let labels = [0, 0, 8, 1, 0, 0, 0, 2, 9, 7];
        assert_eq!(parse_idx::<Ix1>("x", &labels).unwrap(), array![9, 7]);
    }

    #[test]
    fn another_file_is_refused() {
        let with = |at: usize, bytes: &[u8]| {
            let mut images = IMAGES.to_vec();
            images.splice(at..at + bytes.len(), bytes.iter().copied());
            images
        };
        let expected = "x: expected an IDX file of bytes in 1 axes, as long as its header says, but got 22 \
                        bytes that begin with [00, 00, 08, 03, 00, 00, 00, 02]";
        assert_eq!(parse_idx::<Ix1>("x", &IMAGES).unwrap_err().to_string(), expected);
        let longer = [&IMAGES[..], &[1]].concat();
        // The last header promises more than memory can hold.
        let others = [with(2, &[13]), longer, with(7, &[0]), with(4, &[0xff; 12])];
        let cut = [0, 2, 13, 21].map(|length| IMAGES[..length].to_vec());
        for bytes in others.into_iter().chain(cut) {
            assert!(parse_idx::<Ix3>("x", &bytes).is_err(), "{bytes:?}");
        }
    }
}
