//! Files of named tensors and text: safetensors, with a checksum over all of it.

use std::collections::BTreeMap;

use ndarray::ArrayD;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::TrainingError;

/// Tensors of single precision by name, and text by key.
///
/// The bytes depend on the content alone. Two keys are this file's own: `format_version`, and
/// `sha256`, a checksum of names, shapes, numbers and text, since safetensors would not notice a
/// changed number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TensorFile {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tensors: BTreeMap<String, ArrayD<f32>>,
}

const CHECKSUM: &str = "sha256";
const VERSION: &str = "format_version";
/// What this program writes and reads. It changes when a file cannot be read as before.
const CURRENT_VERSION: &str = "1";
/// The header's length is a multiple of it, so that numbers are aligned in memory.
const ALIGNMENT: usize = 8;

impl TensorFile {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut metadata = self.metadata.clone();
        metadata.insert(VERSION.to_owned(), CURRENT_VERSION.to_owned());
        metadata.insert(CHECKSUM.to_owned(), self.checksum());
        let mut header = serde_json::Map::from_iter([("__metadata__".to_owned(), json!(metadata))]);
        let mut end = 0;
        for (name, tensor) in &self.tensors {
            let start = end;
            end += 4 * tensor.len();
            let entry =
                json!({"dtype": "F32", "shape": tensor.shape(), "data_offsets": [start, end]});
            header.insert(name.clone(), entry);
        }
        let mut header = serde_json::Value::Object(header).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
        let mut bytes = Vec::with_capacity(8 + header.len() + end);
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        for tensor in self.tensors.values() {
            bytes.extend(tensor.iter().flat_map(|x| x.to_le_bytes()));
        }
        bytes
    }

    /// Reads the bytes of `file`, whose name is for the messages.
    pub(crate) fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, TrainingError> {
        let damaged = |expected: &str, got: String| TrainingError::Checkpoint {
            file: file.to_owned(),
            expected: expected.to_owned(),
            got,
        };
        let not_safetensors = |error: safetensors::SafeTensorError| {
            let what = "a complete safetensors file";
            damaged(what, format!("{} bytes that are none: {error}", bytes.len()))
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(not_safetensors)?;
        let contents = SafeTensors::deserialize(bytes).map_err(not_safetensors)?;
        let mut metadata: BTreeMap<String, String> =
            header.metadata().clone().unwrap_or_default().into_iter().collect();
        match metadata.remove(VERSION).as_deref() {
            Some(CURRENT_VERSION) => {}
            Some(other) => {
                let expected = format!("format_version {CURRENT_VERSION}");
                return Err(damaged(&expected, format!("format_version {other}")));
            }
            None => {
                let expected = "a checkpoint of this program, which has a format_version";
                return Err(damaged(expected, "a safetensors file without one".to_owned()));
            }
        }
        let expected = metadata.remove(CHECKSUM).unwrap_or_default();
        let mut tensors = BTreeMap::new();
        for (name, view) in contents.iter() {
            let wrong = |expected: &str, got: String| TrainingError::Tensor {
                file: file.to_owned(),
                tensor: name.to_owned(),
                expected: expected.to_owned(),
                got,
            };
            if view.dtype() != Dtype::F32 {
                return Err(wrong("numbers of type F32", format!("{:?}", view.dtype())));
            }
            let numbers = view.data().chunks_exact(4);
            let numbers = numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let tensor = ArrayD::from_shape_vec(view.shape(), numbers)
                .map_err(|error| wrong("a shape that its numbers fill", error.to_string()))?;
            if let Some(x) = tensor.iter().find(|x| !x.is_finite()) {
                return Err(wrong("finite numbers", x.to_string()));
            }
            tensors.insert(name.to_owned(), tensor);
        }
        let read = Self { metadata, tensors };
        if expected == read.checksum() {
            return Ok(read);
        }
        let got = format!("{}: the file is damaged", read.checksum());
        Err(damaged(&format!("the SHA-256 {expected:?} of its content"), got))
    }

    /// Every part goes in behind its length, so that no two contents look alike.
    fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for (key, text) in &self.metadata {
            part(key.as_bytes());
            part(text.as_bytes());
        }
        for (name, tensor) in &self.tensors {
            part(name.as_bytes());
            part(format!("{:?}", tensor.shape()).as_bytes());
            part(&tensor.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn example() -> TensorFile {
        TensorFile {
            metadata: BTreeMap::from([("key".to_owned(), "\"text\"".to_owned())]),
            tensors: BTreeMap::from([
                ("a".to_owned(), array![[1.0, -2.5], [f32::MIN_POSITIVE, 0.0]].into_dyn()),
                ("b".to_owned(), array![3.0].into_dyn()),
            ]),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = example().to_bytes();
        assert_eq!(TensorFile::from_bytes("x", &bytes).unwrap(), example());
        assert_eq!(bytes, TensorFile::from_bytes("x", &bytes).unwrap().to_bytes());
    }

    #[test]
    fn no_byte_can_be_lost_and_no_bit_changed() {
        let bytes = example().to_bytes();
        for length in 0..bytes.len() {
            assert!(TensorFile::from_bytes("x", &bytes[..length]).is_err(), "{length} bytes");
        }
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                assert!(TensorFile::from_bytes("x", &changed).is_err(), "byte {index}, bit {bit}");
            }
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(TensorFile::from_bytes("x", &longer).is_err());
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_by_name() {
        let mut file = example();
        file.tensors.insert("b".to_owned(), array![f32::NAN].into_dyn());
        let error = TensorFile::from_bytes("x", &file.to_bytes()).unwrap_err().to_string();
        assert_eq!(error, "x: tensor b: expected finite numbers, but got NaN");
    }
}
