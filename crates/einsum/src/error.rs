//! What can go wrong with an exercise.

/// An error of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EinsumError {
    /// The subscripts do not parse, or do not fit the operands.
    #[error("einsum {subscripts:?} cannot be applied to operands of shapes {shapes:?}: {reason}")]
    Refused {
        /// The einsum string.
        subscripts: String,
        /// The shape of each operand.
        shapes: Vec<Vec<usize>>,
        /// What the einsum implementation says.
        reason: &'static str,
    },
    /// An operand has no element, or the operands do not fit each other.
    #[error("{operation}: expected {expected}, but got shapes {got:?}")]
    Shape {
        /// The operation.
        operation: &'static str,
        /// What it needs.
        expected: &'static str,
        /// The shape of each operand.
        got: Vec<Vec<usize>>,
    },
}
