//! What can go wrong with data.

use std::io;
use std::path::PathBuf;

use crate::{Preprocess, Split};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A file is not an array that can be used.
    #[error("{file}: expected {expected}, but got {got}")]
    File {
        /// The file.
        file: String,
        /// What would be valid.
        expected: String,
        /// What was found.
        got: String,
    },
    /// Bytes of a file are not what its format asks for.
    #[error("{file}, byte {offset}: expected {expected}, but got {got}")]
    Bytes {
        /// The file.
        file: String,
        /// Where, from 0.
        offset: u64,
        /// What would be valid there.
        expected: String,
        /// What was found there.
        got: String,
    },
    /// A file is not the published one.
    #[error("{} is damaged or another file: expected {expected}, but got {got}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The size and checksum of the published file.
        expected: String,
        /// Those of this one.
        got: String,
    },
    /// A row of labels does not name one class.
    #[error(
        "{file}: row {row} must be one-hot (one 1, the rest 0), but is {got}; rows count from 0"
    )]
    NotOneHot {
        /// The file.
        file: String,
        /// The row.
        row: usize,
        /// Its numbers.
        got: String,
    },
    /// A class index is too large.
    #[error("row {row}: a class must be below {classes}, but is {got}")]
    Class {
        /// The row.
        row: usize,
        /// The number of classes.
        classes: usize,
        /// The index.
        got: usize,
    },
    /// A number of a data set, or of what is predicted for it, is not finite.
    #[error("{what}, row {row}: expected finite numbers, but got {got}")]
    NotFinite {
        /// Features, targets or predictions.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// The number.
        got: f64,
    },
    /// A feature is too large for the number type, as scaled.
    #[error(
        "the {split} features, row {row}: {got:e} is beyond the numbers of type {dtype}; standardise or \
         normalise the features, or compute in f64"
    )]
    OutOfRange {
        /// The split.
        split: Split,
        /// The row, from 0.
        row: usize,
        /// The number before it was scaled.
        got: f64,
        /// The number type.
        dtype: &'static str,
    },
    /// The arrays of a data set do not fit together, or two data sets do not.
    #[error("{what} must have shape {expected}, but has {got:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// What would fit.
        expected: String,
        /// The shape it has.
        got: Vec<usize>,
    },
    /// A mini-batch cannot have this size.
    #[error("the batch size must be from 1 to the number of examples, {examples}, but is {got}")]
    BatchSize {
        /// The number of examples.
        examples: usize,
        /// The size that was asked for.
        got: usize,
    },
    /// No preprocessing has this name.
    #[error("unknown preprocessing {got:?}: expected one of {}", Preprocess::names())]
    UnknownPreprocess {
        /// The name that was asked for.
        got: String,
    },
}
