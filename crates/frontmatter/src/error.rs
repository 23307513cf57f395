//! What can be wrong with `report.toml`.

use std::io;
use std::path::PathBuf;

/// `report.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FrontMatterError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is no TOML, has a field that is not known or lacks one.
    #[error("{} is not as expected: {cause}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        cause: Box<toml::de::Error>,
    },
    /// The score is no fraction.
    #[error(
        "{}: kaggle_score must be a fraction between 0 and 1, such as \"0.75\", but is {got:?}",
        path.display()
    )]
    Score {
        /// The file.
        path: PathBuf,
        /// What stands there.
        got: String,
    },
    /// The author worked alone and with others.
    #[error(
        "{}: worked_alone is true, but there are collaborators: remove one of the two",
        path.display()
    )]
    AloneWithOthers {
        /// The file.
        path: PathBuf,
    },
}
