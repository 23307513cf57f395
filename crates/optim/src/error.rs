//! What can go wrong with an optimiser or a schedule.

/// An error of this crate; every message names what it is about, what it expected and what it got.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// A hyperparameter is out of range.
    #[error("{what} must be {expected}, but is {got}")]
    Hyperparameter {
        /// The hyperparameter.
        what: &'static str,
        /// What would be valid.
        expected: &'static str,
        /// What was given.
        got: f64,
    },
    /// A gradient or a velocity has another shape than its parameter.
    #[error("{what} of parameter {name} must have its shape {expected:?}, but has {got:?}")]
    Shape {
        /// The tensor: the gradient or the velocity.
        what: &'static str,
        /// The parameter.
        name: String,
        /// The shape of the parameter.
        expected: Vec<usize>,
        /// The shape of the tensor.
        got: Vec<usize>,
    },
}

/// `got` if it is within range, the error that says what range that is otherwise.
pub(crate) fn check(
    what: &'static str,
    expected: &'static str,
    got: f64,
    valid: bool,
) -> Result<f64, OptimError> {
    if valid { Ok(got) } else { Err(OptimError::Hyperparameter { what, expected, got }) }
}

/// A learning rate to start from: finite and above 0.
pub(crate) fn check_lr(lr: f64) -> Result<f64, OptimError> {
    check("the learning rate", "finite and above 0", lr, lr.is_finite() && lr > 0.0)
}
