//! Errors on the way to the data.

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
    /// A folder does not hold all files of a data set.
    #[error("{}: expected {expected}, but got {got}", path.display())]
    Contents {
        /// The folder or archive.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A registry's client cannot be started, usually because it is not installed.
    #[error("`{program}` cannot be run: {cause}")]
    NoClient {
        /// The program.
        program: String,
        /// The system's error.
        cause: io::Error,
    },
    /// A registry's client failed.
    #[error("`{command}` ended with {status}: {message}")]
    Client {
        /// The command.
        command: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The end of its output.
        message: String,
    },
    /// A server did not give the file.
    #[error("{url}: {problem}")]
    Http {
        /// The address.
        url: String,
        /// What came instead of the file.
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
        /// The sources that were tried, in order.
        attempts: Vec<Attempt>,
        /// Commands that may help.
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
    /// The folder, package or address.
    pub source: String,
    /// Its fault.
    pub problem: String,
}

impl Attempt {
    pub(crate) fn new(source: impl Into<String>, problem: impl ToString) -> Self {
        Self { source: source.into(), problem: problem.to_string() }
    }
}

fn list(attempts: &[Attempt]) -> String {
    let line = |Attempt { source, problem }: &Attempt| {
        format!("\n  - {source}\n      {}", problem.trim_end().replace('\n', "\n      "))
    };
    attempts.iter().map(line).collect()
}

/// Remedies of the errors of a file system that people meet.
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
