//! What can go wrong with the harness itself.

use std::fmt::Display;
use std::path::Path;

use layers::LayerError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HarnessError {
    /// The request was wrong, rather than what was found on the way.
    #[error("{0}")]
    Usage(String),
    /// The verification cannot go on: test data that cannot be used, an implementation that refuses it.
    #[error("{0}")]
    Stopped(String),
    /// A layer refused what the harness asks of it.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

/// What this crate computes, or why it cannot.
pub(crate) type Result<T, E = HarnessError> = std::result::Result<T, E>;

impl HarnessError {
    /// A file that cannot be used: `what` was expected of it, what it is instead, and what to do.
    pub(crate) fn file(file: &Path, what: impl Display) -> Self {
        Self::Stopped(format!("{}: {what}", file.display()))
    }
}
