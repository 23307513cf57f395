//! Training, validation and test data.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::path::Path;

use ndarray::Ix2;
use numerics::Scalar;
use sha2::{Digest, Sha256};

use crate::npy::parse_npy;
use crate::{Dataset, DatasetError, Preprocess, Scaler, check_one_hot};

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
    /// The SHA-256 of the six files' bytes one after another, data before labels, in the order of
    /// [`Split`], in hexadecimal.
    pub sha256: String,
    /// The scaling of the features, if they were scaled.
    pub scaler: Option<Scaler>,
}

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Training.
    Train,
    /// Validation.
    Validation,
    /// Test.
    Test,
}

/// Its abbreviation in the course's file names.
impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "val",
            Self::Test => "test",
        })
    }
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
        let mut part = |split: Split, part: &str| -> Result<_, DatasetError> {
            let found = file(&format!("{name}_{split}_{part}.npy"))?;
            hash.update(&found.1);
            Ok(found)
        };
        let mut split = |split| parse(&part(split, "data")?, &part(split, "labels")?);
        let train = split(Split::Train)?;
        let (validation, test) = (split(Split::Validation)?, split(Split::Test)?);
        for other in [&validation, &test] {
            let of_labels = [[train.n_out()], [other.n_out()]];
            for (what, expected, got) in [
                ("an example of each split", train.example_shape(), other.example_shape()),
                ("a label of each split", &of_labels[0], &of_labels[1]),
            ] {
                if got != expected {
                    let expected = format!("{expected:?}, as in training");
                    return Err(DatasetError::Shape { what, expected, got: got.to_vec() });
                }
            }
        }
        let (name, sha256) = (name.to_owned(), system::hex(&hash.finalize()));
        Ok(Self { name, train, validation, test, sha256, scaler: None })
    }

    /// Scales the features of all three splits by what is fitted on the training split, and rounds them to
    /// `T`: in this order, since numbers as large as times in seconds differ in digits that `f32` lacks.
    ///
    /// # Errors
    /// [`DatasetError::OutOfRange`] if a number is beyond those of `T`.
    pub fn preprocess<T: Scalar>(self, preprocess: Preprocess) -> Result<Splits<T>, DatasetError> {
        let scaler = preprocess.fit(self.train.features());
        let scaled = |split: Split, data: &Dataset<f64>| {
            Dataset::new(scaler.apply(split, data.features())?, data.targets().mapv(T::of))
        };
        Ok(Splits {
            train: scaled(Split::Train, &self.train)?,
            validation: scaled(Split::Validation, &self.validation)?,
            test: scaled(Split::Test, &self.test)?,
            name: self.name,
            sha256: self.sha256,
            scaler: (preprocess != Preprocess::None).then_some(scaler),
        })
    }
}

/// Features and one-hot labels of the same number of rows.
fn parse(
    (data_file, data): &NamedBytes,
    (label_file, labels): &NamedBytes,
) -> Result<Dataset<f64>, DatasetError> {
    let (features, labels) = (parse_npy(data_file, data)?, parse_npy(label_file, labels)?);
    if features.ndim() < 2 || features.is_empty() {
        let expected = "an array of shape (n, ...) with n >= 1";
        return Err(DatasetError::file(
            data_file,
            expected,
            format!("shape {:?}", features.shape()),
        ));
    }
    let (rows, got) = (features.shape()[0], format!("shape {:?}", labels.shape()));
    let labels = labels
        .into_dimensionality::<Ix2>()
        .ok()
        .filter(|labels| labels.nrows() == rows && labels.ncols() > 0)
        .ok_or_else(|| {
            let rows_for_rows = "a row for each row of the data";
            let expected = format!("one-hot labels of shape ({rows}, classes), {rows_for_rows}");
            DatasetError::file(label_file, expected, got)
        })?;
    check_one_hot(label_file, labels.view())?;
    Dataset::new(features, labels).map_err(|error| match error {
        DatasetError::NotFinite { row, got, .. } => {
            DatasetError::file(data_file, "finite numbers", format!("{got} in row {row} (from 0)"))
        }
        other => other,
    })
}
