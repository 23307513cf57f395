//! Errors of losses.

use crate::Loss;

/// An error of this crate.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LossError {
    /// Target and output have different shapes.
    #[error(
        "{loss}: target and output must have the same shape, but the target has {target:?} and the \
         output {output:?}"
    )]
    Shape { loss: Loss, target: Vec<usize>, output: Vec<usize> },
    /// There is nothing to take the mean of.
    #[error("{loss}: expected at least one example and one output, but got shape {got:?}")]
    Empty { loss: Loss, got: Vec<usize> },
    /// A row of the target is not a probability distribution.
    #[error(
        "{loss}: row {row} of the target must be finite, non-negative and sum to 1, but is {got}"
    )]
    NotADistribution { loss: Loss, row: usize, got: String },
    /// The share of a target that label smoothing spreads over the classes is out of range.
    #[error("label smoothing: expected a share in [0, 1), but got {got}")]
    Smoothing { got: f64 },
    /// A row of a target that is to be smoothed is not a probability distribution.
    #[error(
        "label smoothing: row {row} of the target must be finite, non-negative and sum to 1, but is \
         {got}"
    )]
    SmoothedTarget { row: usize, got: String },
    /// No loss has this name.
    #[error("unknown loss {got:?}: expected one of {}", Loss::names())]
    UnknownName { got: String },
}
