//! Errors of the Iris experiment.

use training::TrainingError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FfnnError {
    /// Every candidate of a sweep diverged.
    #[error("no set can be chosen: in each of the {sets} sets of the grid a run diverged")]
    NothingToChoose {
        /// The number of candidates.
        sets: usize,
    },
    /// A run cannot be configured, or failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
}
