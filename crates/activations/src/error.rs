//! Errors of activations.

use crate::Activation;

/// An error of this crate.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActivationError {
    /// The upstream gradient has another shape than the input.
    #[error(
        "{activation}: dL/dY must have the shape of Z, which is {expected:?}, but has shape {got:?}"
    )]
    Shape { activation: Activation, expected: Vec<usize>, got: Vec<usize> },
    /// No activation has this name.
    #[error("unknown activation {got:?}: expected one of {}", Activation::names())]
    UnknownName { got: String },
}
