//! Training, validation and test data.

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
    /// [`Split::ALL`], in hexadecimal.
    pub sha256: String,
    /// How the features were scaled, if they were.
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

impl Split {
    /// All three, in order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// How the course's file names abbreviate it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The bytes of the data and of the labels of one split, each with its file name.
pub(crate) type SplitFiles<'a> = [(String, &'a [u8]); 2];

impl Splits<f64> {
    /// Reads `{name}_{train,val,test}_{data,labels}.npy` from a folder, as the course lays its data
    /// out; the labels are one-hot.
    ///
    /// # Errors
    /// [`DatasetError::Io`] if a file is missing, otherwise an error that names the file.
    pub fn from_directory(directory: &Path, name: &str) -> Result<Self, DatasetError> {
        let read = |split: Split, part: &str| {
            let path = directory.join(file_name(name, split, part));
            let bytes =
                fs::read(&path).map_err(|cause| DatasetError::Io { path: path.clone(), cause })?;
            Ok::<_, DatasetError>((path.display().to_string(), bytes))
        };
        let both = |split| Ok::<_, DatasetError>([read(split, "data")?, read(split, "labels")?]);
        let files = [both(Split::Train)?, both(Split::Validation)?, both(Split::Test)?];
        let files = files
            .each_ref()
            .map(|pair| pair.each_ref().map(|(file, bytes)| (file.clone(), bytes.as_slice())));
        Self::from_files(name, &files)
    }

    pub(crate) fn from_files(
        name: &str,
        files: &[SplitFiles<'_>; 3],
    ) -> Result<Self, DatasetError> {
        let mut hash = Sha256::new();
        for (_, bytes) in files.iter().flatten() {
            hash.update(bytes);
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let [train, validation, test] = files;
        let (train, validation, test) = (parse(train)?, parse(validation)?, parse(test)?);
        for other in [&validation, &test] {
            check_same_kind(&train, other)?;
        }
        Ok(Self { name: name.to_owned(), train, validation, test, sha256, scaler: None })
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

pub(crate) fn file_name(name: &str, split: Split, part: &str) -> String {
    format!("{name}_{split}_{part}.npy")
}

fn parse([data, labels]: &SplitFiles<'_>) -> Result<Dataset<f64>, DatasetError> {
    let (data_file, data) = data;
    let (label_file, labels) = labels;
    let features = parse_npy(data_file, data)?;
    let labels = parse_npy(label_file, labels)?;
    let invalid = |file: &str, expected: String, got: &[usize]| DatasetError::File {
        file: file.to_owned(),
        expected,
        got: format!("shape {got:?}"),
    };
    if features.ndim() < 2 || features.is_empty() {
        let expected = "an array of shape (n, ...) with n >= 1".to_owned();
        return Err(invalid(data_file, expected, features.shape()));
    }
    let rows = features.shape()[0];
    let shape = labels.shape().to_vec();
    let labels = labels
        .into_dimensionality::<Ix2>()
        .ok()
        .filter(|labels| labels.nrows() == rows && labels.ncols() > 0)
        .ok_or_else(|| {
            let expected = format!(
                "one-hot labels of shape ({rows}, classes), a row for each row of the data"
            );
            invalid(label_file, expected, &shape)
        })?;
    check_one_hot(label_file, labels.view())?;
    Dataset::new(features, labels).map_err(|error| match error {
        DatasetError::NotFinite { row, got, .. } => DatasetError::File {
            file: data_file.clone(),
            expected: "finite numbers".to_owned(),
            got: format!("{got} in row {row} (from 0)"),
        },
        other => other,
    })
}

fn check_same_kind(train: &Dataset<f64>, other: &Dataset<f64>) -> Result<(), DatasetError> {
    if other.example_shape() != train.example_shape() {
        return Err(DatasetError::Shape {
            what: "an example of each split",
            expected: format!("{:?}, as in training", train.example_shape()),
            got: other.example_shape().to_vec(),
        });
    }
    if other.n_out() != train.n_out() {
        return Err(DatasetError::Shape {
            what: "a label of each split",
            expected: format!("[{}], as in training", train.n_out()),
            got: vec![other.n_out()],
        });
    }
    Ok(())
}
