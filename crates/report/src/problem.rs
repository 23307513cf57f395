//! The problems of a book, and their places.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, relative to the workspace.
    pub file: PathBuf,
    /// The line, from 1; 0 stands for the file as a whole.
    pub line: usize,
}

impl Place {
    /// Line `line` of `file`.
    pub fn new(file: impl Into<PathBuf>, line: usize) -> Self {
        Self { file: file.into(), line }
    }

    /// The file as a whole.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self::new(file, 0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file.display()),
            line => write!(f, "{}:{line}", self.file.display()),
        }
    }
}

/// Every failure of a run, each once, by file and line: they are collected, so that one run shows them
/// all. A message has the expectation, the finding, and the remedy.
#[derive(Clone, Debug, Default)]
pub struct Problems(BTreeSet<(Place, String)>);

impl Problems {
    /// Adds a failure.
    pub fn add(&mut self, place: &Place, message: impl Into<String>) {
        self.0.insert((place.clone(), message.into()));
    }

    /// Adds the failure and drops the value, or keeps the value.
    pub fn keep<T>(&mut self, place: &Place, result: Result<T, impl fmt::Display>) -> Option<T> {
        result.map_err(|error| self.add(place, error.to_string())).ok()
    }

    /// The failures, each with its place.
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().map(|(place, message)| format!("{place}: {message}")).collect()
    }

    /// An error with all failures, if there are any.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))?;
        let count = self.0.len();
        write!(f, "{count} {}", if count == 1 { "problem" } else { "problems" })
    }
}

impl std::error::Error for Problems {}
