//! Errors of a network.

use activations::Activation;
use datasets::DatasetError;
use layers::LayerError;
use losses::{Loss, LossError};
use optim::OptimError;

/// An error of this crate.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A network needs something to compute with.
    #[error("a network must have at least one layer, but has none")]
    NoLayers,
    /// A layer cannot be built, or refuses its input.
    #[error("layer {index} (from 0): {cause}")]
    Layer { index: usize, cause: LayerError },
    /// A loss compares rows.
    #[error(
        "the last layer must give each example one axis of outputs, but gives shape {got:?}: put \
         a Flatten layer behind it"
    )]
    OutputShape { got: Vec<usize> },
    /// The loss does not go with the last activation.
    #[error("the loss {loss} needs {expected} as the last activation, but got {got}")]
    LastActivation { loss: Loss, expected: &'static str, got: Activation },
    /// The loss refused targets or outputs.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The optimiser refused a number.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// An output is not finite.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}
