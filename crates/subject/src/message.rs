//! Messages: one line of JSON, then the elements of the arrays that it lists.

use std::io::{self, BufRead, Read, Write};

use bytemuck::{Pod, cast_slice, cast_slice_mut};
use ndarray::{ArrayD, IxDyn};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

/// Numbers of one of the two types that the protocol knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// `f8`.
    Double(ArrayD<f64>),
    /// `f4`.
    Single(ArrayD<f32>),
}

impl From<ArrayD<f64>> for Array {
    fn from(array: ArrayD<f64>) -> Self {
        Self::Double(array)
    }
}

impl From<ArrayD<f32>> for Array {
    fn from(array: ArrayD<f32>) -> Self {
        Self::Single(array)
    }
}

impl Array {
    /// The numbers as `f64`, exactly.
    pub fn into_double(self) -> ArrayD<f64> {
        match self {
            Self::Double(array) => array,
            Self::Single(array) => array.mapv(f64::from),
        }
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Double(array) => array.shape(),
            Self::Single(array) => array.shape(),
        }
    }

    fn dtype(&self) -> &'static str {
        match self {
            Self::Double(_) => "f8",
            Self::Single(_) => "f4",
        }
    }
}

/// A request or a reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// What the line of JSON says, but for the list of arrays.
    pub fields: Map<String, Value>,
    /// Arrays by name, in order.
    pub arrays: Vec<(String, Array)>,
}

/// Why no message could be read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The stream ended where a message would begin.
    #[error("it ended")]
    Ended,
    /// The stream ended within a message.
    #[error("it ended within {0}")]
    Torn(String),
    /// There is something else than a message.
    #[error("{0}")]
    Malformed(String),
    /// The stream cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The longest line in bytes: no program that keeps to the protocol writes a longer one.
const LONGEST_LINE: u64 = 1 << 20;

/// The most elements of a message, 512 MiB of `f8`: a wrong shape should not take all memory.
const MOST_ELEMENTS: usize = 1 << 26;

impl Message {
    /// The message with these fields, a JSON object.
    ///
    /// # Panics
    /// If `fields` is no object.
    pub fn new(fields: Value) -> Self {
        let Value::Object(fields) = fields else { panic!("the fields of a message are an object") };
        Self { fields, arrays: vec![] }
    }

    /// The message with one more array.
    pub fn with(mut self, name: &str, array: impl Into<Array>) -> Self {
        self.arrays.push((name.to_owned(), array.into()));
        self
    }

    /// A field that is text; empty if it is missing or no text.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field that is a list of texts; none if it is missing.
    pub fn texts(&self, field: &str) -> Vec<String> {
        let list = self.fields.get(field).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Takes an array out of the message.
    pub fn take(&mut self, name: &str) -> Option<Array> {
        let index = self.arrays.iter().position(|(own, _)| own == name)?;
        Some(self.arrays.swap_remove(index).1)
    }

    /// Writes the message; arrays in row-major order are not copied.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let listed = self.arrays.iter().map(|(name, array)| Listed {
            name,
            dtype: array.dtype(),
            shape: array.shape(),
        });
        let arrays: Vec<Listed<'_>> = listed.collect();
        let mut serializer = serde_json::Serializer::new(&mut *to);
        let mut line = serializer.serialize_map(None)?;
        for (name, value) in &self.fields {
            line.serialize_entry(name, value)?;
        }
        if !arrays.is_empty() {
            line.serialize_entry("arrays", &arrays)?;
        }
        line.end()?;
        to.write_all(b"\n")?;
        for (_, array) in &self.arrays {
            match array {
                Array::Double(array) => write_elements(array, f64::to_le, to)?,
                Array::Single(array) => write_elements(array, f32::to_le, to)?,
            }
        }
        to.flush()
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError`]; what comes after it in the stream cannot be understood any more.
    pub fn read(from: &mut impl BufRead) -> Result<Self, MessageError> {
        let mut line = Vec::new();
        from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        match line.last() {
            None => return Err(MessageError::Ended),
            Some(b'\n') => {}
            Some(_) if line.len() as u64 == LONGEST_LINE => {
                return Err(MessageError::Malformed(format!(
                    "a line longer than {LONGEST_LINE} bytes"
                )));
            }
            Some(_) => return Err(MessageError::Torn(format!("the line {}", excerpt(&line)))),
        }
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(&line) else {
            return Err(MessageError::Malformed(format!(
                "{}, which is not a JSON object",
                excerpt(&line)
            )));
        };
        let (mut arrays, mut left) = (Vec::new(), MOST_ELEMENTS);
        for listed in fields.remove("arrays").iter().flat_map(|list| list.as_array()).flatten() {
            arrays.push(read_array(listed, &mut left, from)?);
        }
        Ok(Self { fields, arrays })
    }
}

/// An array in the line of a message.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    dtype: &'static str,
    shape: &'a [usize],
}

/// The beginning of a line, quoted.
fn excerpt(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let begin: String = text.trim_end().chars().take(80).collect();
    let more = if begin.len() < text.trim_end().len() { " ..." } else { "" };
    format!("{begin:?}{more}")
}

/// An array of at most as many elements as are left, which become fewer.
fn read_array(
    listed: &Value,
    left: &mut usize,
    from: &mut impl Read,
) -> Result<(String, Array), MessageError> {
    let malformed = || {
        let expected = r#"{"name": "X", "dtype": "f8", "shape": [2, 3]}"#;
        MessageError::Malformed(format!("an array listed as {listed}, not as {expected}"))
    };
    let name = listed["name"].as_str().ok_or_else(malformed)?.to_owned();
    let axes = listed["shape"].as_array().ok_or_else(malformed)?.iter();
    let axes = axes.map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok()));
    let shape: Vec<usize> = axes.collect::<Option<_>>().ok_or_else(malformed)?;
    let elements = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
    let elements = elements.filter(|n| n <= left).ok_or_else(|| {
        MessageError::Malformed(format!("an array {name} of shape {shape:?}, which is too large"))
    })?;
    *left -= elements;
    let array = match listed["dtype"].as_str() {
        Some("f8") => Array::Double(read_elements(&name, &shape, elements, f64::to_le, from)?),
        Some("f4") => Array::Single(read_elements(&name, &shape, elements, f32::to_le, from)?),
        _ => return Err(malformed()),
    };
    Ok((name, array))
}

/// A number of this machine's byte order as one of the protocol's, and back.
trait LittleEndian: Pod {
    fn to_le(self) -> Self;
}

impl LittleEndian for f64 {
    fn to_le(self) -> Self {
        Self::from_bits(self.to_bits().to_le())
    }
}

impl LittleEndian for f32 {
    fn to_le(self) -> Self {
        Self::from_bits(self.to_bits().to_le())
    }
}

fn read_elements<T: LittleEndian + Default>(
    name: &str,
    shape: &[usize],
    elements: usize,
    to_le: fn(T) -> T,
    from: &mut impl Read,
) -> Result<ArrayD<T>, MessageError> {
    let mut values = vec![T::default(); elements];
    from.read_exact(cast_slice_mut(&mut values)).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => MessageError::Torn(format!("the elements of {name}")),
        _ => error.into(),
    })?;
    if cfg!(target_endian = "big") {
        values.iter_mut().for_each(|value| *value = to_le(*value));
    }
    Ok(ArrayD::from_shape_vec(IxDyn(shape), values).expect("there is a value for each element"))
}

fn write_elements<T: LittleEndian>(
    array: &ArrayD<T>,
    to_le: fn(T) -> T,
    to: &mut impl Write,
) -> io::Result<()> {
    match array.as_slice() {
        Some(values) if cfg!(target_endian = "little") => to.write_all(cast_slice(values)),
        _ => array.iter().try_for_each(|&value| to.write_all(cast_slice(&[to_le(value)]))),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ShapeBuilder, array};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_written() {
        let mut fortran = ArrayD::<f64>::zeros(IxDyn(&[2, 3]).f());
        fortran.assign(&array![[1.0, 2.0, 3.0], [4.0, f64::NAN, -0.0]].into_dyn());
        let message = Message::new(json!({ "id": 7, "op": "x" }))
            .with("Z", fortran)
            .with("L", ndarray::arr0(2.5_f32).into_dyn())
            .with("none", ArrayD::<f64>::zeros(vec![0, 3]));
        let mut bytes = Vec::new();
        message.write(&mut bytes).unwrap();
        let mut stream = &*[&*bytes, &*bytes].concat();
        for _ in 0..2 {
            let mut read = Message::read(&mut stream).unwrap();
            // To the bit, NaN and the sign of zero too.
            let mut again = Vec::new();
            read.write(&mut again).unwrap();
            assert_eq!(again, bytes);
            let z = read.take("Z").unwrap().into_double();
            assert_eq!((z[[0, 1]], z[[1, 0]]), (2.0, 4.0));
            assert_eq!(read.take("L").unwrap().shape(), [0; 0]);
            assert_eq!(read.text("op"), "x");
        }
        assert!(matches!(Message::read(&mut stream), Err(MessageError::Ended)));
        for length in 1..bytes.len() {
            let error = Message::read(&mut &bytes[..length]).unwrap_err();
            assert!(matches!(error, MessageError::Torn(_)), "{length}: {error}");
        }
    }

    #[test]
    fn what_is_no_message_is_quoted() {
        let array = |rest: &str| format!("{{\"arrays\":[{{\"name\":\"X\",{rest}}}]}}\n");
        for (text, expected) in [
            ("epoch 1\n".to_owned(), "\"epoch 1\", which is not a JSON object"),
            ("[1]\n".to_owned(), "\"[1]\", which"),
            (array("\"dtype\":\"i8\",\"shape\":[1]"), "an array listed as"),
            (array("\"dtype\":\"f8\",\"shape\":[-1]"), "not as {\"name\": \"X\""),
            (array("\"dtype\":\"f8\",\"shape\":[99999999999,99999999999]"), "too large"),
            (array("\"dtype\":\"f8\",\"shape\":[99999,99999]"), "too large"),
            ("x".repeat(2 << 20), "longer than 1048576 bytes"),
        ] {
            let error = Message::read(&mut text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
