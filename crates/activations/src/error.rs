//! What can go wrong with an activation.

use crate::Activation;

/// An error of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActivationError {
    /// The upstream gradient has another shape than the input.
    #[error(
        "{activation}: dL/dY must have the shape of Z, which is {expected:?}, but has shape {got:?}"
    )]
    Shape {
        /// The activation.
        activation: Activation,
        /// The shape of Z.
        expected: Vec<usize>,
        /// The shape of dL/dY.
        got: Vec<usize>,
    },
    /// No activation has this name.
    #[error("unknown activation {got:?}: expected one of {}", Activation::names())]
    UnknownName {
        /// The name that was asked for.
        got: String,
    },
}
