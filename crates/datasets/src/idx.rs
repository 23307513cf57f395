//! Arrays from IDX files, the form in which MNIST and Fashion-MNIST are published.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use ndarray::{ArrayD, IxDyn};

use crate::DatasetError;
use crate::known_file::GZIP;

/// The array of bytes in an IDX file, plain or gzipped; `file` is for messages.
///
/// The header is big-endian: two zeros, the type (8: bytes), the number of axes, and the length of
/// each axis in four bytes. So images begin with `0x00000803` and labels with `0x00000801`.
///
/// # Errors
/// [`DatasetError::Bytes`] if the type or the number of axes is another, an axis is empty, or the file
/// is shorter or longer than its header says. Offsets count from 0 in the decompressed file.
pub fn parse_idx(file: &str, bytes: &[u8], axes: u8) -> Result<ArrayD<u8>, DatasetError> {
    let mut reader = Reader { file, offset: 0, source: source(bytes) };
    let magic = reader.header("the magic number")?;
    let expected = u32::from_be_bytes([0, 0, 8, axes]);
    if magic != expected {
        let expected = format!("{expected:#010x}, which says bytes in {axes} axes");
        return Err(error(file, 0, expected, format!("{magic:#010x}")));
    }
    let mut shape = Vec::new();
    let mut promised = 1_u64;
    for axis in 0..axes {
        let length = reader.header("the length of an axis")?;
        let at = reader.offset - 4;
        // Deflate cannot expand anything more than 1,032 times.
        let largest = if is_gzipped(bytes) { 1032 * bytes.len() } else { bytes.len() } as u64;
        promised = promised.saturating_mul(length.into());
        if promised == 0 || promised > largest {
            let expected = format!(
                "the length of axis {axis}, at least 1 and no more than a file of {} bytes can hold",
                bytes.len()
            );
            return Err(error(file, at, expected, length.to_string()));
        }
        shape.push(length as usize);
    }
    let data = reader.data(promised)?;
    ArrayD::from_shape_vec(IxDyn(&shape), data).map_err(|source| {
        error(file, 4, "axes that this machine can hold".to_owned(), source.to_string())
    })
}

fn is_gzipped(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP)
}

fn source<'a>(bytes: &'a [u8]) -> Box<dyn Read + 'a> {
    if is_gzipped(bytes) { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) }
}

struct Reader<'a> {
    file: &'a str,
    /// How many decompressed bytes were read.
    offset: u64,
    source: Box<dyn Read + 'a>,
}

impl Reader<'_> {
    /// The next big-endian number of the header.
    fn header(&mut self, what: &str) -> Result<u32, DatasetError> {
        let bytes = self.up_to(4)?;
        let number = <[u8; 4]>::try_from(bytes.as_slice()).map_err(|_| {
            let expected = format!("four bytes, {what}");
            error(self.file, self.offset, expected, "the end of the file".to_owned())
        })?;
        Ok(u32::from_be_bytes(number))
    }

    /// The rest of the file, which must be this long.
    fn data(&mut self, promised: u64) -> Result<Vec<u8>, DatasetError> {
        let start = self.offset;
        let data = self.up_to(promised + 1)?;
        let length = data.len() as u64;
        if length < promised {
            let expected = format!("{} more bytes, as the header says", promised - length);
            return Err(error(self.file, self.offset, expected, "the end of the file".to_owned()));
        }
        if length > promised {
            let expected = format!("the end after {promised} bytes of data, as the header says");
            return Err(error(self.file, start + promised, expected, "more bytes".to_owned()));
        }
        Ok(data)
    }

    /// The next bytes, fewer at the end of the file. Memory grows with what is really there.
    fn up_to(&mut self, limit: u64) -> Result<Vec<u8>, DatasetError> {
        let mut bytes = Vec::new();
        let read = self.source.as_mut().take(limit).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        read.map_err(|source| {
            error(self.file, self.offset, "sound gzip data".to_owned(), source.to_string())
        })?;
        Ok(bytes)
    }
}

fn error(file: &str, offset: u64, expected: String, got: String) -> DatasetError {
    DatasetError::Bytes { file: file.to_owned(), offset, expected, got }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use ndarray::array;

    use super::*;

    /// Two images of 1 x 3 pixels.
    const IMAGES: [u8; 22] =
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60];

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// The message for these bytes, which must be the same when they are gzipped.
    fn message(bytes: &[u8], axes: u8) -> String {
        let plain = parse_idx("x", bytes, axes).unwrap_err().to_string();
        let gzipped = parse_idx("x", &gzipped(bytes), axes).unwrap_err().to_string();
        assert_eq!(plain, gzipped);
        plain
    }

    #[test]
    fn plain_and_gzipped_files_are_read() {
        let expected = array![[[10, 20, 30]], [[40, 50, 60]]].into_dyn();
        assert_eq!(parse_idx("x", &IMAGES, 3).unwrap(), expected);
        assert_eq!(parse_idx("x", &gzipped(&IMAGES), 3).unwrap(), expected);
        let labels = [0, 0, 8, 1, 0, 0, 0, 2, 9, 7];
        assert_eq!(parse_idx("x", &labels, 1).unwrap(), array![9, 7].into_dyn());
    }

    #[test]
    fn images_in_place_of_labels_are_refused() {
        let expected =
            "x, byte 0: expected 0x00000801, which says bytes in 1 axes, but got 0x00000803";
        assert_eq!(message(&IMAGES, 1), expected);
        let floats = [&[0, 0, 13, 3], &IMAGES[4..]].concat();
        assert!(message(&floats, 3).ends_with("but got 0x00000d03"));
        assert!(message(b"<!DOCTYPE html>", 3).ends_with("but got 0x3c21444f"));
    }

    #[test]
    fn a_file_cut_anywhere_is_refused_where_it_ends() {
        for length in 0..IMAGES.len() {
            for bytes in [IMAGES[..length].to_vec(), gzipped(&IMAGES[..length])] {
                let DatasetError::Bytes { offset, got, .. } =
                    parse_idx("x", &bytes, 3).unwrap_err()
                else {
                    panic!("another error")
                };
                if got == "the end of the file" {
                    assert!(offset <= length as u64);
                }
            }
        }
        let error = message(&IMAGES[..20], 3);
        assert_eq!(
            error,
            "x, byte 20: expected 2 more bytes, as the header says, but got the end of the file"
        );
        let gzip = gzipped(&IMAGES);
        let error = parse_idx("x", &gzip[..gzip.len() - 9], 3).unwrap_err().to_string();
        assert!(error.contains("expected sound gzip data"), "{error}");
    }

    #[test]
    fn bytes_after_the_data_are_refused() {
        let error = message(&[&IMAGES[..], &[1, 2]].concat(), 3);
        let expected = "x, byte 22: expected the end after 6 bytes of data, as the header says, but \
                        got more bytes";
        assert_eq!(error, expected);
        let trailing = [gzipped(&IMAGES), b"trailing".to_vec()].concat();
        assert!(parse_idx("x", &trailing, 3).is_err());
    }

    #[test]
    fn a_header_that_promises_more_than_the_file_can_hold_allocates_nothing() {
        let mut huge = IMAGES;
        huge[4..16].fill(0xff);
        for bytes in [huge.to_vec(), gzipped(&huge)] {
            let error = parse_idx("x", &bytes, 3).unwrap_err().to_string();
            assert!(error.starts_with("x, byte 4: expected the length of axis 0"), "{error}");
            assert!(error.ends_with("but got 4294967295"), "{error}");
        }
        let mut empty = IMAGES;
        empty[7] = 0;
        assert!(parse_idx("x", &empty, 3).unwrap_err().to_string().ends_with("but got 0"));
    }
}
