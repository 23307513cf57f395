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
/// [`DatasetError::Refused`] if the bytes are no such file, the elements are of another type, or the file is
/// longer or shorter than its header says.
pub(crate) fn parse_npy(file: &str, bytes: &[u8]) -> Result<ArrayD<f64>, DatasetError> {
    type Attempt = fn(&[u8]) -> Result<ArrayD<f64>, ViewNpyError>;
    // Each element type that occurs in the data sets of the course, and its conversion; the most frequent
    // first.
    macro_rules! attempts {
        ($($number:ty),*) => {
            [$(|bytes| npy_elements(bytes, |&x: &$number| x as f64)),*]
        };
    }
    let attempts: [Attempt; 8] = attempts!(f64, f32, u8, i64, i32, i8, u64, u32);
    let mut result = attempts[0](bytes);
    for attempt in &attempts[1..] {
        if matches!(result, Err(ViewNpyError::WrongDescriptor(_))) {
            result = attempt(bytes);
        }
    }
    let types = "elements of type f4, f8, u1, i1, u4, i4, u8 or i8 (NumPy's names)";
    result.map_err(|error| invalid(file, types, &error))
}

/// The array in the bytes of a `.npy` file of bytes.
///
/// # Errors
/// As [`parse_npy`].
pub(crate) fn parse_npy_bytes(file: &str, bytes: &[u8]) -> Result<ArrayD<u8>, DatasetError> {
    npy_elements(bytes, |&x: &u8| x)
        .map_err(|error| invalid(file, "elements of type uint8 ('|u1')", &error))
}

/// The bytes of a `.npy` file, or its first ones, with a header as NumPy writes it today: Python 2 put an
/// `L` behind a length, and other programs name a byte order for elements of one byte, which have none.
fn modern_npy_header(bytes: &[u8]) -> Cow<'_, [u8]> {
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

/// The error for bytes that are no `.npy` file of elements of these types, or too few or too many.
fn invalid(file: &str, types: &str, error: &ViewNpyError) -> DatasetError {
    match error {
        ViewNpyError::WrongDescriptor(got) => DatasetError::file(file, types, got.to_string()),
        ViewNpyError::MissingBytes(n) => {
            let expected = format!("{n} more bytes, as its header says");
            DatasetError::file(file, expected, "the end of the file")
        }
        ViewNpyError::ExtraBytes(n) => {
            let expected = "the end of the file, as its header says";
            DatasetError::file(file, expected, format!("{n} more bytes"))
        }
        ViewNpyError::NonNativeEndian => {
            DatasetError::file(file, "little-endian numbers", "big-endian ones")
        }
        _ => DatasetError::file(file, "a .npy file", npy_header_problem(error)),
    }
}

/// The fault of a header in one line: the parser draws its text over several.
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

/// The array in the bytes of a `.npy` file, converted, if its elements are of type `E`.
///
/// The view comes first because it compares the header with the number of bytes before anything is
/// allocated: a damaged header cannot ask for more memory than the file has.
///
/// # Errors
/// As [`ViewNpyExt::view_npy`], but for data at any address.
pub fn npy_elements<E: ViewElement + ReadableElement, T>(
    bytes: &[u8],
    convert: fn(&E) -> T,
) -> Result<ArrayD<T>, ViewNpyError> {
    let bytes = &*modern_npy_header(bytes);
    match ArrayViewD::<E>::view_npy(bytes) {
        Ok(view) => Ok(view.map(convert)),
        Err(ViewNpyError::MisalignedData) => match ArrayD::<E>::read_npy(bytes) {
            Ok(array) => Ok(array.map(convert)),
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
        macro_rules! files {
            ($($number:ty),*) => {
                [$(npy(&array![[1 as $number, 2 as $number], [3 as $number, 100 as $number]])),*]
            };
        }
        for bytes in files!(f64, f32, u8, i8, u32, i32, u64, i64) {
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
        for (file, expected) in [
            (
                &bytes[..bytes.len() - 1],
                "1 more bytes, as its header says, but got the end of the file",
            ),
            (
                &[&bytes[..], b"x"].concat(),
                "the end of the file, as its header says, but got 1 more bytes",
            ),
            (b"hello", "a .npy file, but got"),
            (b"", "a .npy file, but got"),
            (
                &npy(&array![[true, false]]),
                "elements of type f4, f8, u1, i1, u4, i4, u8 or i8 (NumPy's names), but got '|b1'",
            ),
        ] {
            let error = message(file);
            assert!(error.starts_with(&format!("x.npy: expected {expected}")), "{error}");
        }
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
    fn headers_of_python_2_and_byte_orders_of_single_bytes_are_read_and_others_refused() {
        let array = array![[1_u8, 2, 3]];
        let (bytes, expected) = (npy(&array), array.mapv(f64::from).into_dyn());
        for (old, new) in [("(1, 3)", "(1L, 3L)"), ("'|u1'", "'<u1'"), ("'|u1'", "'>u1'")] {
            let file = with_header(&bytes, old, new);
            assert_eq!(file.len(), bytes.len());
            assert_eq!(parse_npy("x.npy", &file).unwrap(), expected);
            assert_eq!(parse_npy_bytes("x.npy", &file).unwrap(), array.clone().into_dyn());
            // The data may hold what a header must not.
            let text = [&bytes[..bytes.len() - 3], b"3L "].concat();
            assert_eq!(*modern_npy_header(&text), text);
        }
        let big = with_header(&npy(&array![[1.0, 2.0]]), "'<f8'", "'>f8'");
        assert!(message(&big).ends_with("expected little-endian numbers, but got big-endian ones"));
        let bytes = npy(&array![[1.0, 2.0]]);
        // Memory for so many numbers would abort the program.
        let error = message(&with_header(&bytes, "(1, 2)", "(9999999999999)"));
        assert!(error.starts_with("x.npy"), "{error}");
        let error = message(&with_header(&bytes, "(1, 2)", "(1; 2)"));
        assert!(error.starts_with("x.npy: expected a .npy file, but got"), "{error}");
        assert!(error.contains("expected") && !error.contains('\n'), "{error}");
    }
}
