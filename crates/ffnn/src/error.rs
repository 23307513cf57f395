//! What can go wrong with a network.

use activations::Activation;
use datasets::DatasetError;
use experiment::{Divergence, ExperimentError};
use layers::LayerError;
use losses::{Loss, LossError};
use optim::OptimError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FfnnError {
    /// A network needs something to compute with.
    #[error("a network must have at least one layer, but has none")]
    NoLayers,
    /// A layer cannot be built, or refuses its input.
    #[error("layer {index} (from 0): {cause}")]
    Layer {
        /// Its place in the network.
        index: usize,
        /// What it says.
        cause: LayerError,
    },
    /// A loss compares rows.
    #[error(
        "the last layer must give each example one axis of outputs, but gives shape {got:?}: put \
         a Flatten layer behind it"
    )]
    OutputShape {
        /// The shape of its output.
        got: Vec<usize>,
    },
    /// The loss does not go with the last activation.
    #[error("the loss {loss} needs {expected} as the last activation, but got {got}")]
    LastActivation {
        /// The loss.
        loss: Loss,
        /// What it takes.
        expected: &'static str,
        /// What there is.
        got: Activation,
    },
    /// A data set is not made for the network.
    #[error("{what} must have shape {expected:?}, as the network has, but has {got:?}")]
    Data {
        /// What does not fit.
        what: &'static str,
        /// The shape of the network's side.
        expected: Vec<usize>,
        /// The shape of the data's side.
        got: Vec<usize>,
    },
    /// A hyperparameter is out of range.
    #[error("{what} must be {expected}, but is {got}")]
    Hyperparameter {
        /// The hyperparameter.
        what: &'static str,
        /// What would be valid.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A loss is not finite any more.
    #[error(
        "the training diverged in epoch {}, iteration {}: {} is {}; lower the learning rate, or \
         clip the gradients",
        .0.epoch, .0.iteration, .0.quantity, .0.value
    )]
    Diverged(Divergence),
    /// Every candidate of a sweep diverged.
    #[error("no set can be chosen: in each of the {sets} sets of the grid a run diverged")]
    NothingToChoose {
        /// How many candidates there were.
        sets: usize,
    },
    /// The loss refused targets or outputs.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The optimiser or the schedule refused a number.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The data are not usable.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The record cannot be written.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
}
