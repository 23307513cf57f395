//! What can go wrong with a training.

use std::fmt;
use std::path::PathBuf;

use datasets::DatasetError;
use experiment::{Divergence, ExperimentError};
use ffnn::FfnnError;
use losses::LossError;
use optim::OptimError;

use crate::Difference;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The description of a model contradicts itself.
    #[error("model {model:?}: {what} must be {expected}, but is {got}")]
    Spec {
        /// The name of the model.
        model: String,
        /// The part of the description.
        what: &'static str,
        /// What would be valid.
        expected: String,
        /// What it says.
        got: String,
    },
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
        /// Those of the images.
        got: String,
    },
    /// A number of the training's configuration is out of range.
    #[error("{what} must be {expected}, but is {got}")]
    Config {
        /// The number.
        what: &'static str,
        /// What would be valid.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A checkpoint cannot be read, or is none.
    #[error("{file}: expected {expected}, but got {got}")]
    Checkpoint {
        /// The file.
        file: String,
        /// What would be valid.
        expected: String,
        /// What was found.
        got: String,
    },
    /// A tensor of a checkpoint is missing, or not what the model needs.
    #[error("{file}: tensor {tensor}: expected {expected}, but got {got}")]
    Tensor {
        /// The file.
        file: String,
        /// The name of the tensor.
        tensor: String,
        /// What the model needs.
        expected: String,
        /// What the file has.
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
        /// Why not.
        reason: String,
    },
    /// A loss is not finite any more.
    #[error(
        "the training diverged in epoch {}, iteration {}: {} is {}; lower the learning rate, or \
         clip the gradients; the log is kept in {}",
        divergence.epoch, divergence.iteration, divergence.quantity, divergence.value,
        directory.display()
    )]
    Diverged {
        /// Where and what.
        divergence: Divergence,
        /// The folder of the record.
        directory: PathBuf,
    },
    /// The program cannot learn of Ctrl-C.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signal(#[source] std::io::Error),
    /// The network cannot be built, or refuses its input.
    #[error(transparent)]
    Network(#[from] FfnnError),
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
