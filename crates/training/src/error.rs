//! Errors of a training.

use std::fmt;
use std::path::PathBuf;

use datasets::DatasetError;
use experiment::{Divergence, ExperimentError};
use losses::LossError;
use network::NetworkError;
use optim::OptimError;

use crate::Difference;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// Images are not what the model was made for.
    #[error(
        "model {model:?} takes images of shape (n, {}, {}, {}) with n >= 1, but got {got:?}",
        expected[0], expected[1], expected[2]
    )]
    Images {
        /// The name of the model.
        model: String,
        /// The shape of one image.
        expected: [usize; 3],
        /// The shape of the images.
        got: Vec<usize>,
    },
    /// Labelled images have other classes than the model.
    #[error("model {model:?} knows the classes {expected}, but the images have {got}")]
    Classes {
        /// The name of the model.
        model: String,
        /// The classes of the model.
        expected: String,
        /// The classes of the images.
        got: String,
    },
    /// A data set is not made for the network.
    #[error("{what} must have shape {expected:?}, as the network has, but has {got:?}")]
    Data {
        /// The part that does not fit.
        what: &'static str,
        /// The shape of the network's side.
        expected: Vec<usize>,
        /// The shape of the data's side.
        got: Vec<usize>,
    },
    /// A hyperparameter is out of range, or the description of a model contradicts itself.
    #[error("{what} must be {expected}, but is {got}")]
    Config {
        /// The hyperparameter, or the model and the part of its description.
        what: String,
        /// The valid values.
        expected: String,
        /// The value that was given.
        got: String,
    },
    /// A checkpoint cannot be read, or is none; a tensor of it is missing, or not as the model needs it.
    #[error("{what}: expected {expected}, but got {got}")]
    Checkpoint {
        /// The file, and the tensor if it is one.
        what: String,
        /// The valid content.
        expected: String,
        /// The content that was found.
        got: String,
    },
    /// A checkpoint is of another model or another training.
    #[error(
        "{file} cannot be continued, because {what} is another one:{}\nGive the same settings as \
         before, or begin anew under another name or with --overwrite",
        Listed(differences)
    )]
    Differs {
        /// The file.
        file: String,
        /// The model or the configuration.
        what: &'static str,
        /// Every field that differs.
        differences: Vec<Difference>,
    },
    /// A run cannot be continued to this number of epochs.
    #[error("{file} cannot be continued to epoch {asked}: {reason}")]
    Epochs {
        /// The file.
        file: String,
        /// The number of epochs that was asked for.
        asked: u64,
        /// The reason.
        reason: String,
    },
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
    /// The program cannot learn of Ctrl-C.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signal(#[source] std::io::Error),
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

struct Listed<'a>(&'a [Difference]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

impl TrainingError {
    /// The error of a hyperparameter.
    pub fn config(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> Self {
        Self::Config { what: what.into(), expected: expected.into(), got: got.to_string() }
    }

    /// The error of a checkpoint.
    pub(crate) fn checkpoint(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> Self {
        Self::Checkpoint { what: what.into(), expected: expected.into(), got: got.to_string() }
    }

    /// The error of a tensor of a checkpoint.
    pub(crate) fn tensor(
        file: &str,
        tensor: &str,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> Self {
        Self::checkpoint(format!("{file}: tensor {tensor}"), expected, got)
    }
}
