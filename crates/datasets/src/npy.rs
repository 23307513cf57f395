//! Arrays from `.npy` files.

use std::borrow::Cow;

use ndarray::{ArrayD, ArrayViewD};
use ndarray_npy::{ReadNpyExt, ReadableElement, ViewElement, ViewNpyError, ViewNpyExt};

use crate::DatasetError;

/// The floating-point numbers or integers in the bytes of a `.npy` file; `file` is for messages.
///
/// C and Fortran order give the same array. Integers are exact up to 2⁵³. Nothing is rounded to `f32`
/// here: the digits that it lacks may be those in which features differ.
///
/// # Errors
/// [`DatasetError::File`] if the bytes are no such file; [`DatasetError::Bytes`] if the elements are of
/// another type, or the file is longer or shorter than its header says.
pub(crate) fn parse_npy(file: &str, bytes: &[u8]) -> Result<ArrayD<f64>, DatasetError> {
    let bytes = &*modern_npy_header(bytes);
    type Attempt = fn(&[u8]) -> Result<ArrayD<f64>, ViewNpyError>;
    // Each element type that occurs in the data sets of the course, and its conversion; the most frequent
    // first.
    macro_rules! attempts {
        ($($number:ty),*) => {
            [$(|bytes| elements(bytes, |&x: &$number| x as f64)),*]
        };
    }
    let attempts: [Attempt; 8] = attempts!(f64, f32, u8, i64, i32, i8, u64, u32);
    for attempt in attempts {
        match attempt(bytes) {
            Ok(array) => return Ok(array),
            Err(ViewNpyError::WrongDescriptor(_)) => {}
            Err(error) => return Err(malformed(file, bytes, &error)),
        }
    }
    let expected = "elements of type f4, f8, u1, i1, u4, i4, u8 or i8 (NumPy's names)";
    Err(element_type_error(file, bytes, expected))
}

/// The bytes of a `.npy` file, or its first ones, with a header as NumPy writes it today: Python 2 put an
/// `L` behind a length, and other programs name a byte order for elements of one byte, which have none.
#[must_use]
pub fn modern_npy_header(bytes: &[u8]) -> Cow<'_, [u8]> {
    // The magic string, the version, and the length of the text that follows.
    let text = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => {
            10..10 + usize::from(u16::from_le_bytes([*a, *b]))
        }
        _ => return bytes.into(),
    };
    let text = text.start..text.end.min(bytes.len());
    let mut modern = Cow::from(bytes);
    for at in text.clone() {
        match bytes[at..text.end] {
            [digit, b'L', ..] if digit.is_ascii_digit() => modern.to_mut()[at + 1] = b' ',
            [b'<' | b'>' | b'=', b'u' | b'i' | b'b', b'1', b'\'' | b'"', ..] => {
                modern.to_mut()[at] = b'|';
            }
            _ => {}
        }
    }
    modern
}

/// The array in the bytes of a `.npy` file of bytes; `None` if its elements are of another type.
pub(crate) fn parse_bytes(file: &str, bytes: &[u8]) -> Result<Option<ArrayD<u8>>, DatasetError> {
    let bytes = &*modern_npy_header(bytes);
    match ArrayViewD::<u8>::view_npy(bytes) {
        Ok(view) => Ok(Some(view.to_owned())),
        Err(ViewNpyError::WrongDescriptor(_)) => Ok(None),
        Err(error) => Err(malformed(file, bytes, &error)),
    }
}

/// The error for elements of a type that was not asked for.
pub(crate) fn element_type_error(file: &str, bytes: &[u8], expected: &str) -> DatasetError {
    // The type cannot be both of these, so one of them is wrong and names it.
    let got = match (ArrayViewD::<f64>::view_npy(bytes), ArrayViewD::<u8>::view_npy(bytes)) {
        (Err(ViewNpyError::WrongDescriptor(got)), _)
        | (_, Err(ViewNpyError::WrongDescriptor(got))) => got.to_string(),
        _ => "another type".to_owned(),
    };
    let (file, offset) = (file.to_owned(), header_key(bytes, "'descr'"));
    DatasetError::Bytes { file, offset, expected: expected.to_owned(), got }
}

/// Where a key of the header stands; 0 if it is not there.
pub(crate) fn header_key(bytes: &[u8], key: &str) -> u64 {
    bytes.windows(key.len()).position(|window| window == key.as_bytes()).unwrap_or(0) as u64
}

/// The error for bytes that are no `.npy` file, or too few or too many.
fn malformed(file: &str, bytes: &[u8], error: &ViewNpyError) -> DatasetError {
    let at = |offset: usize, expected: String, got: String| DatasetError::Bytes {
        file: file.to_owned(),
        offset: offset as u64,
        expected,
        got,
    };
    match *error {
        ViewNpyError::MissingBytes(n) => {
            let expected = format!("{n} more bytes, as its header says");
            at(bytes.len(), expected, "the end of the file".to_owned())
        }
        ViewNpyError::ExtraBytes(n) => {
            let expected = "the end of the file, as its header says".to_owned();
            at(bytes.len().saturating_sub(n), expected, format!("{n} more bytes"))
        }
        ViewNpyError::NonNativeEndian => DatasetError::File {
            file: file.to_owned(),
            expected: "little-endian numbers".to_owned(),
            got: "big-endian ones".to_owned(),
        },
        _ => DatasetError::File {
            file: file.to_owned(),
            expected: "a .npy file".to_owned(),
            got: npy_header_problem(error),
        },
    }
}

/// The fault of a header in one line: the parser draws its text over several.
#[must_use]
pub fn npy_header_problem(error: &impl ToString) -> String {
    let text = error.to_string();
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines[..] {
        [first, .., last] => {
            let said = first.split(" --> ").next().unwrap_or(first).trim_end_matches(':');
            format!("{said}: {}", last.trim_start_matches("= "))
        }
        _ => text,
    }
}

/// The array, if its elements are of type `E`.
///
/// The view comes first because it compares the header with the number of bytes before anything is
/// allocated: a damaged header cannot ask for more memory than the file has.
fn elements<E: ViewElement + ReadableElement>(
    bytes: &[u8],
    as_f64: fn(&E) -> f64,
) -> Result<ArrayD<f64>, ViewNpyError> {
    match ArrayViewD::<E>::view_npy(bytes) {
        Ok(view) => Ok(view.map(as_f64)),
        Err(ViewNpyError::MisalignedData) => match ArrayD::<E>::read_npy(bytes) {
            Ok(array) => Ok(array.map(as_f64)),
            Err(error) => Err(ViewNpyError::InvalidData(Box::new(error))),
        },
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use ndarray_npy::{WritableElement, WriteNpyExt};

    use super::*;

    fn npy<E: WritableElement>(array: &Array2<E>) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    fn message(bytes: &[u8]) -> String {
        parse_npy("x.npy", bytes).unwrap_err().to_string()
    }

    #[test]
    fn every_number_type_is_read() {
        let expected = array![[1.0, 2.0], [3.0, 100.0]].into_dyn();
        let files = [
            npy(&array![[1.0_f64, 2.0], [3.0, 100.0]]),
            npy(&array![[1.0_f32, 2.0], [3.0, 100.0]]),
            npy(&array![[1_u8, 2], [3, 100]]),
            npy(&array![[1_i8, 2], [3, 100]]),
            npy(&array![[1_u32, 2], [3, 100]]),
            npy(&array![[1_i32, 2], [3, 100]]),
            npy(&array![[1_u64, 2], [3, 100]]),
            npy(&array![[1_i64, 2], [3, 100]]),
        ];
        for bytes in files {
            assert_eq!(parse_npy("x.npy", &bytes).unwrap(), expected);
        }
    }

    #[test]
    fn bytes_at_any_address_in_any_order_are_read() {
        let array = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let fortran = npy(&array.t().as_standard_layout().into_owned().reversed_axes());
        assert!(
            fortran.windows(21).any(|w| w == b"'fortran_order': True"),
            "the test writes it so"
        );
        for bytes in [npy(&array), fortran] {
            for offset in 0..8 {
                let shifted = [vec![0; offset], bytes.clone()].concat();
                let read = parse_npy("x.npy", &shifted[offset..]).unwrap();
                assert_eq!(read, array.clone().into_dyn());
            }
        }
    }

    #[test]
    fn what_is_no_such_file_is_refused_by_name() {
        let bytes = npy(&array![[1.0, 2.0]]);
        let cut = message(&bytes[..bytes.len() - 1]);
        assert!(cut.starts_with("x.npy, byte 143: expected 1 more bytes, as its header"), "{cut}");
        let longer = message(&[&bytes[..], b"x"].concat());
        assert!(longer.contains("byte 144: expected the end of the file, as its"), "{longer}");
        assert!(message(b"hello").starts_with("x.npy: expected a .npy file, but got"));
        assert!(message(b"").starts_with("x.npy: expected a .npy file, but got"));
        let booleans = message(&npy(&array![[true, false]]));
        assert!(
            booleans.starts_with("x.npy, byte 11: expected elements of type f4, f8"),
            "{booleans}"
        );
        assert!(booleans.ends_with("'|b1'"), "{booleans}");
    }

    /// The file with another text in its header, which NumPy pads with spaces.
    fn with_header(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
        let at = bytes.windows(old.len()).position(|w| w == old.as_bytes()).unwrap();
        let mut bytes = bytes.to_vec();
        let longer = new.len() - old.len();
        let end = bytes.windows(longer + 1).position(|w| w.ends_with(b"\n")).unwrap();
        bytes.drain(end..end + longer);
        bytes.splice(at..at + old.len(), new.bytes());
        bytes
    }

    #[test]
    fn headers_of_python_2_and_byte_orders_of_single_bytes_are_read() {
        let array = array![[1_u8, 2, 3]];
        let (bytes, expected) = (npy(&array), array.mapv(f64::from).into_dyn());
        let files = [
            with_header(&bytes, "(1, 3)", "(1L, 3L)"),
            with_header(&bytes, "'|u1'", "'<u1'"),
            with_header(&bytes, "'|u1'", "'>u1'"),
        ];
        for file in files {
            assert_eq!(file.len(), bytes.len());
            assert_eq!(parse_npy("x.npy", &file).unwrap(), expected);
            assert_eq!(parse_bytes("x.npy", &file).unwrap().unwrap(), array.clone().into_dyn());
            // The data may hold what a header must not.
            let text = [&bytes[..bytes.len() - 3], b"3L "].concat();
            assert_eq!(*modern_npy_header(&text), text);
        }
        let big = with_header(&npy(&array![[1.0, 2.0]]), "'<f8'", "'>f8'");
        assert!(message(&big).ends_with("expected little-endian numbers, but got big-endian ones"));
    }

    #[test]
    fn a_header_that_promises_too_much_or_cannot_be_read_is_refused() {
        let bytes = npy(&array![[1.0, 2.0]]);
        // Memory for so many numbers would abort the program.
        let error = message(&with_header(&bytes, "(1, 2)", "(9999999999999)"));
        assert!(error.starts_with("x.npy"), "{error}");
        let error = message(&with_header(&bytes, "(1, 2)", "(1; 2)"));
        assert!(error.starts_with("x.npy: expected a .npy file, but got"), "{error}");
        assert!(error.contains("expected") && !error.contains('\n'), "{error}");
    }
}
