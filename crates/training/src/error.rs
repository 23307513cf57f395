//! Errors of a training.

use std::fmt::Display;
use std::path::PathBuf;

use datasets::DatasetError;
use experiment::{Divergence, ExperimentError};
use losses::LossError;
use network::NetworkError;
use optim::OptimError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// A configuration, a description of a model, data or a checkpoint is not as it must be, or not made
    /// for the rest; or nothing came out of a training.
    #[error("{0}")]
    Refused(String),
    /// A loss is not finite any more.
    #[error(
        "the training diverged in epoch {}, iteration {}: {} is {}; lower the learning rate, or \
         clip the gradients{}",
        divergence.epoch, divergence.iteration, divergence.quantity, divergence.value,
        directory.as_ref().map_or(String::new(), |directory| {
            format!("; the log is kept in {}", directory.display())
        })
    )]
    Diverged {
        /// The place, and the loss.
        divergence: Divergence,
        /// The folder of the record, if there is one.
        directory: Option<PathBuf>,
    },
    /// The network cannot be built, or refuses its input.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The loss refuses targets.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The optimiser or the schedule refuses a number.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The data are not usable.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The record cannot be written or continued.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
}

impl TrainingError {
    /// The error of a hyperparameter, or of a part of a description.
    pub fn config(what: impl Display, expected: impl Display, got: impl Display) -> Self {
        Self::Refused(format!("{what} must be {expected}, but is {got}"))
    }

    /// The error of a checkpoint.
    pub(crate) fn checkpoint(file: &str, expected: impl Display, got: impl Display) -> Self {
        Self::Refused(format!("{file}: expected {expected}, but got {got}"))
    }

    /// The error of a tensor of a checkpoint.
    pub(crate) fn tensor(
        file: &str,
        tensor: &str,
        expected: impl Display,
        got: impl Display,
    ) -> Self {
        Self::checkpoint(&format!("{file}: tensor {tensor}"), expected, got)
    }
}
