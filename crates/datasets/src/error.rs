//! Errors of reading and preparing data.

use std::io;
use std::path::PathBuf;

use crate::Split;

/// An error of this crate; a message names what it is about, what would be valid and what was found.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    /// A file is not what its format asks for.
    #[error("{file}: expected {expected}, but got {got}")]
    File { file: String, expected: String, got: String },
    /// A file is not the published one.
    #[error("{} is damaged or another file: expected {expected}, but got {got}", path.display())]
    Checksum { path: PathBuf, expected: String, got: String },
    /// A row of labels does not name one class.
    #[error(
        "{file}: row {row} must be one-hot (one 1, the rest 0), but is {got}; rows count from 0"
    )]
    NotOneHot { file: String, row: usize, got: String },
    /// A class index is too large.
    #[error("row {row}: a class must be below {classes}, but is {got}")]
    Class { row: usize, classes: usize, got: usize },
    /// A number of a data set, or of what is predicted for it, is not finite.
    #[error("{what}, row {row}: expected finite numbers, but got {got}")]
    NotFinite { what: &'static str, row: usize, got: f64 },
    /// A feature is too large for the number type, as scaled.
    #[error(
        "the {split} features, row {row}: {got:e} is beyond the numbers of type {dtype}; standardise or \
         normalise the features, or compute in f64"
    )]
    OutOfRange { split: Split, row: usize, got: f64, dtype: &'static str },
    /// The arrays of a data set do not fit together, or two data sets do not.
    #[error("{what} must have shape {expected}, but has {got:?}")]
    Shape { what: &'static str, expected: String, got: Vec<usize> },
    /// A mini-batch cannot have this size.
    #[error("the batch size must be from 1 to the number of examples, {examples}, but is {got}")]
    BatchSize { examples: usize, got: usize },
}

impl DatasetError {
    /// The error of a file that is not what its format asks for.
    pub(crate) fn file(file: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::File { file: file.to_owned(), expected: expected.into(), got: got.into() }
    }
}
