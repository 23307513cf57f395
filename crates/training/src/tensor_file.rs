//! Files of named tensors and text: safetensors, with a checksum over all of it.

use std::collections::BTreeMap;

use half::f16;
use ndarray::ArrayD;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::TrainingError;

/// Tensors of single precision by name, and text by key. In the file some tensors are `F16`, which are
/// widened exactly, and all others `F32`.
///
/// The bytes depend on the content alone. Two keys are this file's own: `format_version`, and
/// `sha256`, a checksum of names, shapes, numbers and text, since safetensors would not notice a
/// changed number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TensorFile {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tensors: BTreeMap<String, ArrayD<f32>>,
    /// Whether the parameters, `model.*`, are written as `F16`: each is a number of half precision then.
    pub(crate) half: bool,
}

const CHECKSUM: &str = "sha256";
const VERSION: &str = "format_version";
/// The version that this program writes and reads. It changes when a file cannot be read as before.
const CURRENT_VERSION: &str = "1";
/// The header's length is a multiple of it, so that numbers are aligned in memory.
const ALIGNMENT: usize = 8;

impl TensorFile {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut metadata = self.metadata.clone();
        metadata.insert(VERSION.to_owned(), CURRENT_VERSION.to_owned());
        metadata.insert(CHECKSUM.to_owned(), self.checksum());
        let mut header = serde_json::Map::from_iter([("__metadata__".to_owned(), json!(metadata))]);
        let mut data: Vec<u8> = Vec::new();
        // The wider numbers first, which are aligned then.
        for half in [false, true] {
            let is_half = |name: &str| self.half && name.starts_with("model.");
            for (name, tensor) in self.tensors.iter().filter(|(name, _)| is_half(name) == half) {
                let start = data.len();
                match half {
                    false => data.extend(tensor.iter().flat_map(|x| x.to_le_bytes())),
                    true => {
                        data.extend(tensor.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()))
                    }
                }
                let (dtype, offsets) = (if half { "F16" } else { "F32" }, [start, data.len()]);
                let entry =
                    json!({"dtype": dtype, "shape": tensor.shape(), "data_offsets": offsets});
                header.insert(name.clone(), entry);
            }
        }
        let mut header = serde_json::Value::Object(header).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
        [&(header.len() as u64).to_le_bytes(), &header[..], &data].concat()
    }

    /// Reads the bytes of `file`, whose name is for the messages.
    pub(crate) fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, TrainingError> {
        let damaged = |expected: &str, got: String| TrainingError::checkpoint(file, expected, got);
        let not_safetensors = |error| {
            let got = format!("{} bytes that are none: {error}", bytes.len());
            damaged("a complete safetensors file", got)
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
        let mut read = Self { metadata, ..Self::default() };
        for (name, view) in contents.iter() {
            let numbers: Vec<f32> = match view.dtype() {
                Dtype::F32 => numbers(view.data(), f32::from_le_bytes),
                Dtype::F16 => numbers(view.data(), |bytes| f16::from_le_bytes(bytes).to_f32()),
                other => {
                    let expected = "numbers of type F32 or F16";
                    return Err(TrainingError::tensor(file, name, expected, format!("{other:?}")));
                }
            };
            let tensor = ArrayD::from_shape_vec(view.shape(), numbers).map_err(|error| {
                TrainingError::tensor(file, name, "a shape that its numbers fill", error)
            })?;
            if let Some(x) = tensor.iter().find(|x| !x.is_finite()) {
                return Err(TrainingError::tensor(file, name, "finite numbers", x));
            }
            read.half |= view.dtype() == Dtype::F16;
            read.tensors.insert(name.to_owned(), tensor);
        }
        if expected == read.checksum() {
            return Ok(read);
        }
        let got = format!("{}: the file is damaged", read.checksum());
        Err(damaged(&format!("the SHA-256 {expected:?} of its content"), got))
    }

    /// Takes out the tensor of this name, which must have this shape.
    pub(crate) fn take(
        &mut self,
        file: &str,
        tensor: &str,
        shape: &[usize],
    ) -> Result<ArrayD<f32>, TrainingError> {
        let got = match self.tensors.remove(tensor) {
            Some(array) if array.shape() == shape => return Ok(array),
            Some(array) => format!("shape {:?}", array.shape()),
            None => "no such tensor".to_owned(),
        };
        Err(TrainingError::tensor(file, tensor, format!("shape {shape:?}"), got))
    }

    /// Every part goes in behind its length, so that no two contents look alike; numbers as they are once
    /// read.
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
        system::hex(&hash.finalize())
    }
}

/// The numbers of `N` bytes each.
fn numbers<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    data.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn example() -> TensorFile {
        TensorFile {
            metadata: BTreeMap::from([("key".to_owned(), "\"text\"".to_owned())]),
            tensors: BTreeMap::from([
                ("n".to_owned(), array![[1.0, -2.5], [f32::MIN_POSITIVE, 0.0]].into_dyn()),
                ("o".to_owned(), array![3.0].into_dyn()),
            ]),
            half: false,
        }
    }

    /// Numbers of half precision before those of single precision, by name; subnormal and largest.
    fn example_in_half() -> TensorFile {
        let (tiny, large) = (f16::from_bits(1).to_f32(), f16::MAX.to_f32());
        let mut file = example();
        file.tensors.insert("model.1.W".to_owned(), array![-0.75, tiny, large].into_dyn());
        file.half = true;
        file
    }

    #[test]
    fn what_is_written_is_read_and_no_byte_can_be_lost_and_no_bit_changed() {
        for file in [example(), example_in_half()] {
            let bytes = file.to_bytes();
            let read = TensorFile::from_bytes("x", &bytes).unwrap();
            assert_eq!(read, file);
            assert_eq!(read.to_bytes(), bytes);
            let refused = |bytes: &[u8]| TensorFile::from_bytes("x", bytes).is_err();
            for length in 0..bytes.len() {
                assert!(refused(&bytes[..length]), "{length} bytes");
            }
            for bit in 0..8 * bytes.len() {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(refused(&changed), "bit {bit}");
            }
            assert!(refused(&[&bytes[..], b"x"].concat()));
        }
        // Three numbers of two bytes behind five of four.
        let bytes = example_in_half().to_bytes();
        assert_eq!(bytes[bytes.len() - 6..][..2], f16::from_f32(-0.75).to_le_bytes());
    }

    #[test]
    fn numbers_of_another_type_are_refused() {
        let mut bytes = example().to_bytes();
        let of_a = bytes.windows(3).position(|window| window == b"F32").unwrap();
        bytes[of_a] = b'I';
        let error = TensorFile::from_bytes("x", &bytes).unwrap_err().to_string();
        assert_eq!(error, "x: tensor n: expected numbers of type F32 or F16, but got I32");
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_by_name() {
        let mut file = example();
        file.tensors.insert("o".to_owned(), array![f32::NAN].into_dyn());
        let error = TensorFile::from_bytes("x", &file.to_bytes()).unwrap_err().to_string();
        assert_eq!(error, "x: tensor o: expected finite numbers, but got NaN");
    }
}
