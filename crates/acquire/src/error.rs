//! Errors on the way to the data.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use datasets::DatasetError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// A file or folder cannot be used.
    #[error("cannot {operation} {}: {cause}{}", path.display(), advice(cause))]
    File {
        /// The operation, an infinitive.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// A file is not what it should be.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A registry's client ran, and failed.
    #[error("{0}")]
    Client(String),
    /// A source cannot be asked, or gives something else than the data; or no source has them.
    #[error("{0}")]
    Source(String),
}

impl AcquireError {
    /// Whether the disk is full or must not be written, whatever the source.
    pub(crate) fn is_about_writing(&self) -> bool {
        matches!(self, Self::File { cause, .. } if !advice(cause).is_empty())
    }
}

fn advice(error: &io::Error) -> String {
    system::remedy(error, "--data-dir")
}

/// For `map_err`: the error of an operation on a path.
pub(crate) fn file_error(
    operation: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> AcquireError {
    let path = path.into();
    move |cause| AcquireError::File { operation, path, cause }
}

/// The error of a file or folder that holds something else.
pub(crate) fn unexpected(path: &Path, expected: impl Display, got: impl Display) -> AcquireError {
    AcquireError::Source(format!("{}: expected {expected}, but got {got}", path.display()))
}
