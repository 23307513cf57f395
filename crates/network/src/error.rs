//! Errors of a network.

use layers::LayerError;
use losses::LossError;
use optim::OptimError;

/// An error of this crate.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The layers make no network, or none for the loss.
    #[error("{0}")]
    Refused(String),
    /// A layer cannot be built, or refuses its input.
    #[error("layer {index} (from 0): {cause}")]
    Layer { index: usize, cause: LayerError },
    /// The loss refused targets or outputs.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The optimiser refused a number.
    #[error(transparent)]
    Optim(#[from] OptimError),
}
