//! Errors of writing and reading records.

use std::io;
use std::path::{Path, PathBuf};

use crate::{SCHEMA, Status};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A folder cannot have this name.
    #[error(
        "a model name must be 1 to 100 ASCII letters, digits, '-', '_' or '.', the first a letter \
         or digit, but is {got:?}"
    )]
    ModelName {
        /// The name that was asked for.
        got: String,
    },
    /// There is a record already, and it is worth keeping.
    #[error(
        "{} holds a {status} record: choose another model name, or pass --overwrite to replace it",
        directory.display()
    )]
    Exists {
        /// The folder of the record.
        directory: PathBuf,
        /// Its state.
        status: Status,
    },
    /// There is a run that can be continued, and it is worth keeping.
    #[error(
        "{} holds a run that is not finished ({status}): continue it with --resume, choose another \
         model name, or pass --overwrite to begin anew",
        directory.display()
    )]
    Unfinished {
        /// The folder of the record.
        directory: PathBuf,
        /// Its state.
        status: Status,
    },
    /// Another process is writing this very record.
    #[error(
        "{} is being written by another process: wait for it, or choose another model name",
        directory.display()
    )]
    Busy {
        /// The folder of the record.
        directory: PathBuf,
    },
    /// The folder is there, but is not a record, or holds something else besides.
    #[error(
        "{} is not overwritten, because it holds {found}, which is no part of such a record: \
         choose another model name, or move it away",
        directory.display()
    )]
    Foreign {
        /// The folder.
        directory: PathBuf,
        /// The content that is no part of a record.
        found: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// A record was written by another version of the program.
    #[error(
        "{}: expected schema {SCHEMA}, but got {got}: write the record anew with this version",
        file.display()
    )]
    Schema {
        /// The file.
        file: PathBuf,
        /// The schema it states.
        got: String,
    },
    /// A file of a record is not what the schema says.
    #[error("{}: expected {expected}, but got {got}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The demand of the schema.
        expected: String,
        /// The content that was found.
        got: String,
    },
    /// A record holds finite numbers only.
    #[error("{what} must be a finite number to be recorded, but is {got}")]
    NotFinite {
        /// The quantity.
        what: &'static str,
        /// Its value.
        got: f64,
    },
    /// A configuration or a result cannot be recorded as it is.
    #[error("{what} must be {expected}, but is {got}")]
    Value {
        /// The field.
        what: &'static str,
        /// The valid values.
        expected: &'static str,
        /// The value that was given.
        got: String,
    },
    /// A plot could not be drawn.
    #[error("cannot draw {what}: {reason}")]
    Plot {
        /// The title of the plot.
        what: String,
        /// The reason.
        reason: String,
    },
}

impl ExperimentError {
    pub(crate) fn io<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |cause| Self::Io { action, path: path.to_owned(), cause }
    }

    pub(crate) fn invalid(
        file: &Path,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::Invalid { file: file.to_owned(), expected: expected.into(), got: got.into() }
    }
}

/// `value` if it is finite.
pub(crate) fn finite(what: &'static str, value: f64) -> Result<f64, ExperimentError> {
    if value.is_finite() { Ok(value) } else { Err(ExperimentError::NotFinite { what, got: value }) }
}
