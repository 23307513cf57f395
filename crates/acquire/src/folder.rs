//! Whether a folder holds a data set.

use std::path::{Path, PathBuf};

use crate::{AcquireError, DataSet};

/// What a folder holds of a data set.
#[derive(Debug)]
pub enum Contents {
    /// None of its files.
    Nothing,
    /// All files, each with the right checksum.
    Complete,
    /// Some files, or some that are damaged.
    Defective {
        /// The names of the files that are not there.
        missing: Vec<&'static str>,
        /// The files that are not the published ones, and why.
        damaged: Vec<(PathBuf, AcquireError)>,
    },
}

/// Looks for the files of a data set in a folder and checks those that are there.
#[must_use]
pub fn examine(set: &DataSet, folder: &Path) -> Contents {
    let (mut missing, mut damaged) = (Vec::new(), Vec::new());
    for file in set.files {
        match file.find(folder) {
            None => missing.push(file.name),
            Some(path) => {
                if let Err(error) = file.verify(&path) {
                    damaged.push((path, error.into()));
                }
            }
        }
    }
    if missing.len() == set.files.len() {
        Contents::Nothing
    } else if missing.is_empty() && damaged.is_empty() {
        Contents::Complete
    } else {
        Contents::Defective { missing, damaged }
    }
}

/// The problem of a folder that holds nothing.
pub(crate) const NOT_THERE: &str = "not there";

impl Contents {
    /// What is wrong, in words; `None` if everything is there.
    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            Self::Complete => None,
            Self::Nothing => Some(NOT_THERE.to_owned()),
            Self::Defective { missing, damaged } => {
                let mut problems: Vec<_> =
                    damaged.iter().map(|(_, error)| error.to_string()).collect();
                if !missing.is_empty() {
                    problems.push(format!("missing: {}", missing.join(", ")));
                }
                Some(problems.join("\n"))
            }
        }
    }
}

/// The folders in which a data set may be below a place: its own, those of other names that it has,
/// and the place itself.
pub(crate) fn candidates(set: &DataSet, place: &Path) -> Vec<PathBuf> {
    let names = std::iter::once(set.name).chain(set.other_folders.iter().copied());
    names.map(|name| place.join(name)).chain([place.to_owned()]).collect()
}
