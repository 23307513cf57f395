//! Training, validation and test data.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use ndarray::Ix2;
use numerics::Scalar;
use sha2::{Digest, Sha256};

use crate::npy::parse_npy;
use crate::{Dataset, DatasetError, Preprocess, check_one_hot};

/// Three data sets of the same kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Splits<T> {
    /// The name of the whole.
    pub name: String,
    /// To learn from.
    pub train: Dataset<T>,
    /// To choose hyperparameters by.
    pub validation: Dataset<T>,
    /// To report the result on, once.
    pub test: Dataset<T>,
    /// The SHA-256 of the six files' bytes one after another, data before labels, in the order train, val,
    /// test, in hexadecimal.
    pub sha256: String,
}

/// The name of a file for messages, and its bytes.
pub(crate) type NamedBytes = (String, Cow<'static, [u8]>);

impl Splits<f64> {
    /// Reads `{name}_{train,val,test}_{data,labels}.npy` from a folder, as the course lays its data
    /// out; the labels are one-hot.
    ///
    /// # Errors
    /// [`DatasetError::Io`] if a file is missing, otherwise an error that names the file.
    pub fn from_directory(directory: &Path, name: &str) -> Result<Self, DatasetError> {
        Self::read(name, |file| {
            let path = directory.join(file);
            match fs::read(&path) {
                Ok(bytes) => Ok((path.display().to_string(), bytes.into())),
                Err(cause) => Err(DatasetError::Io { path, cause }),
            }
        })
    }

    /// The splits in these six files.
    pub(crate) fn read(
        name: &str,
        file: impl Fn(&str) -> Result<NamedBytes, DatasetError>,
    ) -> Result<Self, DatasetError> {
        let mut hash = Sha256::new();
        let mut part = |split: &str, part: &str| -> Result<_, DatasetError> {
            let found = file(&format!("{name}_{split}_{part}.npy"))?;
            hash.update(&found.1);
            Ok(found)
        };
        let mut split = |split| parse(&part(split, "data")?, &part(split, "labels")?);
        let (train, validation, test) = (split("train")?, split("val")?, split("test")?);
        for other in [&validation, &test] {
            let of_labels = [[train.n_out()], [other.n_out()]];
            for (what, expected, got) in [
                ("an example of each split", train.example_shape(), other.example_shape()),
                ("a label of each split", &of_labels[0], &of_labels[1]),
            ] {
                if got != expected {
                    let expected = format!("{expected:?}, as in training");
                    return Err(DatasetError::shape(what, expected, got));
                }
            }
        }
        let (name, sha256) = (name.to_owned(), system::hex(&hash.finalize()));
        Ok(Self { name, train, validation, test, sha256 })
    }

    /// Scales the features of all three splits by what is fitted on the training split, and rounds them to
    /// `T`: in this order, since numbers as large as times in seconds differ in digits that `f32` lacks.
    ///
    /// # Errors
    /// [`DatasetError::Refused`] if a number is beyond those of `T`.
    pub fn preprocess<T: Scalar>(self, preprocess: Preprocess) -> Result<Splits<T>, DatasetError> {
        let scaler = preprocess.fit(self.train.features());
        let scaled = |split: &str, data: &Dataset<f64>| {
            Dataset::new(scaler.apply(split, data.features())?, data.targets().mapv(T::of))
        };
        Ok(Splits {
            train: scaled("train", &self.train)?,
            validation: scaled("val", &self.validation)?,
            test: scaled("test", &self.test)?,
            name: self.name,
            sha256: self.sha256,
        })
    }
}

/// Features and one-hot labels of the same number of rows.
fn parse(
    (data_file, data): &NamedBytes,
    (label_file, labels): &NamedBytes,
) -> Result<Dataset<f64>, DatasetError> {
    let (features, labels) = (parse_npy(data_file, data)?, parse_npy(label_file, labels)?);
    let got = format!("shape {:?}", labels.shape());
    let labels = labels
        .into_dimensionality::<Ix2>()
        .map_err(|_| DatasetError::file(label_file, "one-hot labels of shape (n, classes)", got))?;
    check_one_hot(label_file, labels.view())?;
    Dataset::new(features, labels).map_err(|error| {
        DatasetError::Refused(format!("{data_file} and {label_file} (rows count from 0): {error}"))
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, array};
    use ndarray_npy::write_npy;
    use tempfile::TempDir;

    use super::*;

    /// A valid folder of which one file is replaced.
    fn folder_with(file: &str, array: &ArrayD<f64>) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let data = array![[1.0, 10.0], [3.0, 10.0]];
        let labels = array![[1.0, 0.0], [0.0, 1.0]];
        for split in ["train", "val", "test"] {
            write_npy(folder.path().join(format!("toy_{split}_data.npy")), &data).unwrap();
            write_npy(folder.path().join(format!("toy_{split}_labels.npy")), &labels).unwrap();
        }
        write_npy(folder.path().join(file), array).unwrap();
        folder
    }

    #[test]
    fn the_scaler_is_fitted_on_the_training_split_only() {
        let folder = folder_with("toy_val_data.npy", &array![[5.0, 12.0], [2.0, 10.0]].into_dyn());
        let splits = Splits::from_directory(folder.path(), "toy").unwrap();
        let scaled = splits.preprocess::<f64>(Preprocess::Standardise).unwrap();
        // Training: mean 2 and deviation 1; the second feature is constant there, 10.
        assert_eq!(*scaled.train.features(), array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
        assert_eq!(*scaled.validation.features(), array![[3.0, 2.0], [0.0, 0.0]].into_dyn());
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_file_and_row() {
        for (file, array, expected) in [
            (
                "toy_val_labels.npy",
                array![[0.0, 1.0], [0.5, 0.5]].into_dyn(),
                "toy_val_labels.npy: row 1 must be one-hot",
            ),
            (
                "toy_test_data.npy",
                array![[1.0, 2.0], [f64::INFINITY, 2.0]].into_dyn(),
                "features, row 1: expected finite numbers, but got inf",
            ),
            // Class indices.
            (
                "toy_val_labels.npy",
                array![0.0, 1.0].into_dyn(),
                "toy_val_labels.npy: expected one-hot labels of shape (n, classes), but got shape [2]",
            ),
            (
                "toy_test_data.npy",
                ArrayD::zeros(vec![2, 5]),
                "an example of each split must have shape [2], as in training, but has [5]",
            ),
            (
                "toy_val_labels.npy",
                array![[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]].into_dyn(),
                "a label of each split must have shape [2], as in training, but has [3]",
            ),
        ] {
            let folder = folder_with(file, &array);
            let error = Splits::from_directory(folder.path(), "toy").unwrap_err().to_string();
            let named = error.contains(file) || error.contains("of each split");
            assert!(named && error.contains(expected), "{error}");
            fs::remove_file(folder.path().join(file)).unwrap();
            let error = Splits::from_directory(folder.path(), "toy").unwrap_err().to_string();
            assert!(error.starts_with("cannot read ") && error.contains(file), "{error}");
        }
    }
}
