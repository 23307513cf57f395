//! What can go wrong with the harness itself.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use layers::LayerError;

/// An error of this crate: test data that cannot be used, a request that cannot be met.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// The request was wrong, rather than what was found on the way.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be used.
    #[error("{}: {what}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What was expected of it, what it is instead, and what to do.
        what: String,
    },
    /// The verification cannot go on.
    #[error("{0}")]
    Stopped(String),
    /// A layer refused what the harness asks of it.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl HarnessError {
    pub(crate) fn file(file: &Path, what: impl Display) -> Self {
        Self::File { file: file.to_owned(), what: what.to_string() }
    }
}
