//! The Iris flowers (Fisher 1936): 150 rows, 4 features, 3 classes.

use crate::{DatasetError, Splits};

/// A file of the committed split; where it comes from stands in the `README.md` beside the files.
macro_rules! file {
    ($name:literal) => {
        (concat!("iris_", $name, ".npy"), include_bytes!(concat!("../iris/iris_", $name, ".npy")))
    };
}

const FILES: [(&str, &[u8]); 6] = [
    file!("train_data"),
    file!("train_labels"),
    file!("val_data"),
    file!("val_labels"),
    file!("test_data"),
    file!("test_labels"),
];

/// The SHA-256 of the committed files, one after another in this order (`fixtures/iris.py` writes
/// them).
pub const IRIS_SHA256: &str = "91c63a4dc7c036ab795a18988d7e9e0d3ca339f2d00f5d615c9cf9aea5b7a48a";

impl Splits<f64> {
    /// Iris as it ships with the program: 100 examples for training, 25 for validation, 25 for the
    /// test.
    ///
    /// # Errors
    /// None, unless the files in the repository are damaged.
    pub fn iris() -> Result<Self, DatasetError> {
        Self::read("iris", |file| {
            let found = FILES.into_iter().find(|(name, _)| *name == file);
            let (name, bytes) = found.expect("all six files are part of the program");
            Ok((name.to_owned(), bytes.into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_folder_and_the_program_hold_the_same_data() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("iris");
        let read = Splits::from_directory(&directory, "iris").unwrap();
        assert_eq!(read, Splits::iris().unwrap());
        assert_eq!(read.sha256, IRIS_SHA256);
    }
}
