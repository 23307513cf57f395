//! Errors of optimisers and schedules.

use ndarray::ArrayD;

/// An error of this crate; every message names what it is about, what it expected and what it got.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// A hyperparameter is out of range.
    #[error("{what} must be {expected}, but is {got}")]
    Hyperparameter { what: &'static str, expected: &'static str, got: f64 },
    /// A gradient or a velocity has another shape than its parameter.
    #[error("{what} of parameter {name} must have its shape {expected:?}, but has {got:?}")]
    Shape { what: &'static str, name: String, expected: Vec<usize>, got: Vec<usize> },
    /// A parameter that is no matrix is to be orthogonalised.
    #[error(
        "Muon needs a matrix: parameter {name} must have the shape (.., n_out) with at least two \
         rows of n_out, but has {got:?}; give it to SGD"
    )]
    NoMatrix { name: String, got: Vec<usize> },
    /// A parameter group contradicts itself or another one.
    #[error("parameter group {index}: expected {expected}, but got {got}")]
    Group { index: usize, expected: String, got: String },
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

/// The learning rate of a step: a schedule may have come down to 0.
pub(crate) fn check_learning_rate(lr: f64) -> Result<f64, OptimError> {
    check("the learning rate", "finite and at least 0", lr, lr.is_finite() && lr >= 0.0)
}

/// Checks that a tensor has the shape of its parameter.
pub(crate) fn check_shape<T>(
    what: &'static str,
    name: &str,
    parameter: &ArrayD<T>,
    tensor: &ArrayD<T>,
) -> Result<(), OptimError> {
    if tensor.shape() == parameter.shape() {
        return Ok(());
    }
    let (expected, got) = (parameter.shape().to_vec(), tensor.shape().to_vec());
    Err(OptimError::Shape { what, name: name.to_owned(), expected, got })
}

/// A learning rate to start from: finite and above 0.
pub(crate) fn check_lr(lr: f64) -> Result<f64, OptimError> {
    check("the learning rate", "finite and above 0", lr, lr.is_finite() && lr > 0.0)
}
