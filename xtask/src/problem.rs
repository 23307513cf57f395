//! What a check found, where, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// A violation of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file, relative to the root of the workspace.
    pub(crate) file: PathBuf,
    /// The line, counted from 1; `None` where it is the file as a whole.
    pub(crate) line: Option<usize>,
    /// What is there and what is expected.
    pub(crate) what: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Problem {
    /// A problem in a line of a file.
    pub(crate) fn in_line(
        file: &Path,
        line: usize,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { line: Some(line), ..Self::in_file(file, what, remedy) }
    }

    /// A problem of a file as a whole.
    pub(crate) fn in_file(file: &Path, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: {}", self.what, self.remedy)
    }
}
