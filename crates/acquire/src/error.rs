//! What can go wrong on the way to the data.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use datasets::DatasetError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// A file or folder cannot be used.
    #[error("cannot {operation} {}: {cause}{}", path.display(), advice(cause))]
    File {
        /// What was tried.
        operation: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// A file is not what it should be.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A folder does not hold all files of a data set.
    #[error("{}: expected {expected}, but got {got}", path.display())]
    Contents {
        /// The folder or archive.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is.
        got: String,
    },
    /// A registry's client cannot be started.
    #[error("`{program}` cannot be run: {cause}")]
    NoClient {
        /// The program.
        program: String,
        /// Why not; usually that it is not installed.
        cause: io::Error,
    },
    /// A registry's client failed.
    #[error("`{command}` ended with {status}: {message}")]
    Client {
        /// The command.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it wrote.
        message: String,
    },
    /// A server did not give the file.
    #[error("{url}: {problem}")]
    Http {
        /// What was asked for.
        url: String,
        /// What came instead.
        problem: String,
    },
    /// There is no folder for the data.
    #[error("no folder for the data: {0}; name one with --data-dir")]
    NoCacheFolder(String),
    /// No source has the data set.
    #[error("cannot get {set}:{}\n\n{remedy}", list(attempts))]
    Nowhere {
        /// The data set.
        set: &'static str,
        /// What was tried, in order.
        attempts: Vec<Attempt>,
        /// What to do.
        remedy: String,
    },
}

impl AcquireError {
    /// Whether the disk is full or must not be written, whatever the source.
    pub(crate) fn is_about_writing(&self) -> bool {
        matches!(self, Self::File { cause, .. } if !advice(cause).is_empty())
    }
}

/// A source that was tried in vain, or passed over.
#[derive(Debug)]
pub struct Attempt {
    /// The place.
    pub source: String,
    /// What was wrong there.
    pub problem: String,
}

impl Attempt {
    pub(crate) fn new(source: impl Into<String>, problem: impl ToString) -> Self {
        Self { source: source.into(), problem: problem.to_string() }
    }
}

fn list(attempts: &[Attempt]) -> String {
    let mut text = String::new();
    for Attempt { source, problem } in attempts {
        let problem = problem.trim_end().replace('\n', "\n      ");
        write!(text, "\n  - {source}\n      {problem}").expect("writing to a string cannot fail");
    }
    text
}

/// What to do about the errors of a file system that people meet.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space, or name a folder elsewhere with --data-dir"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; name a folder that can be written with --data-dir"
        }
        _ => "",
    }
}

/// For `map_err`: the error of an operation on a path.
pub(crate) fn file_error(
    operation: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> AcquireError {
    let path = path.into();
    move |cause| AcquireError::File { operation, path, cause }
}
