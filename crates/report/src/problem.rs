//! The problems of a book, and their places.

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

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// The expectation, the finding, and the remedy.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Every failure of a run: they are collected, so that one run shows them all.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a failure.
    pub fn add(&mut self, place: &Place, message: impl Into<String>) {
        self.0.push(Problem { place: place.clone(), message: message.into() });
    }

    /// Adds the failure and drops the value, or keeps the value.
    pub fn keep<T>(&mut self, place: &Place, result: Result<T, impl fmt::Display>) -> Option<T> {
        result.map_err(|error| self.add(place, error.to_string())).ok()
    }

    /// Moves all failures of `other` here.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Whether nothing failed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The failures, each once, by file and line.
    pub fn sorted(mut self) -> Vec<Problem> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_listed_once_and_in_order() {
        let mut problems = Problems::default();
        problems.add(&Place::new("b.md", 2), "second");
        problems.add(&Place::new("a.md", 12), "later");
        problems.add(&Place::new("a.md", 3), "earlier");
        problems.add(&Place::new("a.md", 3), "earlier");
        problems.add(&Place::file("a.md"), "whole file");
        let lines: Vec<String> = problems.sorted().iter().map(ToString::to_string).collect();
        let expected = ["a.md: whole file", "a.md:3: earlier", "a.md:12: later", "b.md:2: second"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn keep_turns_an_error_into_a_problem() {
        let mut problems = Problems::default();
        assert_eq!(problems.keep(&Place::new("a.md", 1), Ok::<_, String>(3)), Some(3));
        assert_eq!(problems.keep(&Place::new("a.md", 1), Err::<u8, _>("no")), None);
        assert_eq!(problems.sorted()[0].to_string(), "a.md:1: no");
    }
}
