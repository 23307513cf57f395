//! The Iris flowers (Fisher 1936): 150 rows, 4 features, 3 classes.

use crate::{DatasetError, Splits};

/// The SHA-256 of the committed files, one after another in the order of [`Splits::sha256`] (`fixtures/iris.py` writes
/// them).
pub const IRIS_SHA256: &str = "91c63a4dc7c036ab795a18988d7e9e0d3ca339f2d00f5d615c9cf9aea5b7a48a";

impl Splits<f64> {
    /// Iris as it ships with the program: 100 examples for training, 25 for validation, 25 for the
    /// test.
    ///
    /// # Errors
    /// None, unless the files in the repository are damaged.
    pub fn iris() -> Result<Self, DatasetError> {
        // Where they come from stands in the `README.md` beside the files.
        Self::read("iris", |file| {
            let bytes: &[u8] = match file {
                "iris_train_data.npy" => include_bytes!("../iris/iris_train_data.npy"),
                "iris_train_labels.npy" => include_bytes!("../iris/iris_train_labels.npy"),
                "iris_val_data.npy" => include_bytes!("../iris/iris_val_data.npy"),
                "iris_val_labels.npy" => include_bytes!("../iris/iris_val_labels.npy"),
                "iris_test_data.npy" => include_bytes!("../iris/iris_test_data.npy"),
                "iris_test_labels.npy" => include_bytes!("../iris/iris_test_labels.npy"),
                _ => unreachable!("a split has six files"),
            };
            Ok((file.to_owned(), bytes.into()))
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
