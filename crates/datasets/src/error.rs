//! Errors of reading and preparing data.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// An error of this crate; a message names what it is about, what would be valid and what was found.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    /// A file is not the published one.
    #[error("{} is damaged or another file: expected {expected}, but got {got}", path.display())]
    Checksum { path: PathBuf, expected: String, got: String },
    /// A file is not what its format asks for, arrays do not fit together, or a label names no class.
    #[error("{0}")]
    Refused(String),
    /// A number of a data set, or of what is predicted for it, is not finite.
    #[error("{what}, row {row}: expected finite numbers, but got {got}")]
    NotFinite { what: &'static str, row: usize, got: f64 },
    /// A mini-batch cannot have this size.
    #[error("the batch size must be from 1 to the number of examples, {examples}, but is {got}")]
    BatchSize { examples: usize, got: usize },
}

impl DatasetError {
    /// The error of a file that is not what its format asks for.
    pub(crate) fn file(file: &str, expected: impl Display, got: impl Display) -> Self {
        Self::Refused(format!("{file}: expected {expected}, but got {got}"))
    }

    /// The error of an array that does not fit.
    pub(crate) fn shape(what: &str, expected: impl Display, got: &[usize]) -> Self {
        Self::Refused(format!("{what} must have shape {expected}, but has {got:?}"))
    }

    /// The error of a class index that is too large.
    pub(crate) fn class(row: usize, classes: usize, got: usize) -> Self {
        Self::Refused(format!("row {row}: a class must be below {classes}, but is {got}"))
    }
}
