//! Errors of writing and reading records.

use std::fmt::Display;
use std::io;
use std::path::Path;

use crate::Status;

/// Why a record cannot be written or read: the operating system refuses, the record is not what the schema
/// says, a value cannot be recorded or drawn, or a folder holds something that is not to be overwritten.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ExperimentError(String);

impl ExperimentError {
    /// The error of an operation with a file, for `map_err`.
    pub fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |cause| Self(format!("cannot {action} {}: {cause}", path.display()))
    }

    /// The error of a file's content.
    pub fn invalid(file: &Path, expected: impl Display, got: impl Display) -> Self {
        Self(format!("{}: expected {expected}, but got {got}", file.display()))
    }

    /// The error of a value.
    pub fn value(what: &str, expected: &str, got: impl Display) -> Self {
        Self(format!("{what} must be {expected}, but is {got}"))
    }

    /// The error of a folder that holds a complete record.
    pub fn exists(directory: &Path, status: Status) -> Self {
        let remedy = "choose another model name, or pass --overwrite to replace it";
        Self::taken(directory, format!("holds a {status} record: {remedy}"))
    }

    /// The error of a folder that holds something that is no part of a record.
    pub fn foreign(directory: &Path, found: &str) -> Self {
        let reason = format!(
            "is not overwritten, because it holds {found}, which is no part of such a record: choose \
             another model name, or move it away"
        );
        Self::taken(directory, reason)
    }

    pub(crate) fn taken(directory: &Path, reason: impl Display) -> Self {
        Self(format!("{} {reason}", directory.display()))
    }

    pub(crate) fn plot(what: impl Display, reason: impl Display) -> Self {
        Self(format!("cannot draw {what}: {reason}"))
    }
}

/// `value` if it is finite.
pub(crate) fn finite(what: &str, value: f64) -> Result<f64, ExperimentError> {
    let expected = "a finite number to be recorded";
    if value.is_finite() { Ok(value) } else { Err(ExperimentError::value(what, expected, value)) }
}
