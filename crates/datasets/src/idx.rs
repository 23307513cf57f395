//! Arrays from IDX files, the form in which MNIST and Fashion-MNIST are published.

use ndarray::{ArrayD, IxDyn};

use crate::DatasetError;

/// The array of bytes in an IDX file; `file` is for messages.
///
/// The header is big-endian: two zeros, the type (8: bytes), the number of axes, and the length of
/// each axis in four bytes. So images begin with `0x00000803` and labels with `0x00000801`.
///
/// # Errors
/// [`DatasetError::Bytes`] if the type or the number of axes is another, an axis is empty, or the file
/// is shorter or longer than its header says.
pub fn parse_idx(file: &str, bytes: &[u8], axes: u8) -> Result<ArrayD<u8>, DatasetError> {
    let error = |offset: usize, expected: String, got: String| {
        let (file, offset) = (file.to_owned(), offset as u64);
        DatasetError::Bytes { file, offset, expected, got }
    };
    let ends = |expected| error(bytes.len(), expected, "the end of the file".to_owned());
    let header = |at: usize, what: &str| match bytes.get(at..).and_then(<[u8]>::first_chunk) {
        Some(&number) => Ok(u32::from_be_bytes(number)),
        None => Err(ends(format!("four bytes, {what}"))),
    };
    let (magic, expected) = (header(0, "the magic number")?, u32::from_be_bytes([0, 0, 8, axes]));
    if magic != expected {
        let expected = format!("{expected:#010x}, which says bytes in {axes} axes");
        return Err(error(0, expected, format!("{magic:#010x}")));
    }
    let (mut shape, mut promised) = (Vec::new(), 1_usize);
    for axis in 0..usize::from(axes) {
        let at = 4 + 4 * axis;
        let length = header(at, "the length of an axis")?;
        shape.push(length as usize);
        promised = promised.saturating_mul(length as usize);
        if promised == 0 || promised > bytes.len() {
            let expected = format!(
                "the length of axis {axis}, at least 1 and no more than a file of {} bytes can hold",
                bytes.len()
            );
            return Err(error(at, expected, length.to_string()));
        }
    }
    let start = 4 + 4 * shape.len();
    let data = &bytes[start..];
    if data.len() < promised {
        return Err(ends(format!("{} more bytes, as the header says", promised - data.len())));
    }
    if data.len() > promised {
        let expected = format!("the end after {promised} bytes of data, as the header says");
        return Err(error(start + promised, expected, "more bytes".to_owned()));
    }
    Ok(ArrayD::from_shape_vec(IxDyn(&shape), data.to_vec()).expect("a byte for each element"))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// Two images of 1 x 3 pixels.
    const IMAGES: [u8; 22] =
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60];

    #[test]
    fn images_and_labels_are_read() {
        let expected = array![[[10, 20, 30]], [[40, 50, 60]]].into_dyn();
        assert_eq!(parse_idx("x", &IMAGES, 3).unwrap(), expected);
        let labels = [0, 0, 8, 1, 0, 0, 0, 2, 9, 7];
        assert_eq!(parse_idx("x", &labels, 1).unwrap(), array![9, 7].into_dyn());
    }

    #[test]
    fn another_file_is_refused_where_it_differs() {
        let with = |at: usize, bytes: &[u8]| {
            let mut images = IMAGES.to_vec();
            images.splice(at..at + bytes.len(), bytes.iter().copied());
            images
        };
        let longer = [&IMAGES[..], &[1, 2]].concat();
        for (bytes, axes, begins, ends) in [
            (
                &IMAGES[..],
                1,
                "x, byte 0: expected 0x00000801, which says bytes in 1 axes",
                "0x00000803",
            ),
            (&with(2, &[13]), 3, "x, byte 0: expected 0x00000803", "0x00000d03"),
            (b"<!DOCTYPE html>", 3, "x, byte 0: expected 0x00000803", "0x3c21444f"),
            (&IMAGES[..2], 3, "x, byte 2: expected four bytes, the magic", "the end of the file"),
            (&IMAGES[..13], 3, "x, byte 13: expected four bytes, the leng", "the end of the file"),
            (
                &IMAGES[..20],
                3,
                "x, byte 20: expected 2 more bytes, as the header says",
                "the end of the file",
            ),
            (
                &longer,
                3,
                "x, byte 22: expected the end after 6 bytes of data, as the header says",
                "more bytes",
            ),
            // A header that promises more than the file can hold allocates nothing.
            (&with(4, &[0xff; 12]), 3, "x, byte 4: expected the length of axis 0", "4294967295"),
            (&with(7, &[0]), 3, "x, byte 4: expected the length of axis 0", "0"),
        ] {
            let error = parse_idx("x", bytes, axes).unwrap_err().to_string();
            assert!(error.starts_with(begins), "{error}");
            assert!(error.ends_with(&format!(", but got {ends}")), "{error}");
        }
    }
}
