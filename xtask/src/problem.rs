//! A violation of a rule as a line: where it is, what is there and what is expected, and what to do.

use std::fmt::Display;
use std::path::Path;

/// A problem of a file as a whole.
pub(crate) fn in_file(file: &Path, what: impl Display, remedy: &str) -> String {
    format!("{}: {what}: {remedy}", file.display())
}

/// A problem in a line of a file, counted from 1.
pub(crate) fn in_line(file: &Path, line: usize, what: impl Display, remedy: &str) -> String {
    format!("{}:{line}: {what}: {remedy}", file.display())
}
