//! Which results of a layer, an activation or a loss are compared.

use ndarray::ArrayD;
use numerics::Scalar;

/// Which results are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// What `forward` returns.
    Forward,
    /// What `backward` returns: the gradient with respect to the input.
    Backward,
    /// The gradients of the parameters, which the course does not test.
    Gradients,
    /// What `predict` returns after one forward pass, where that is something else.
    Predict,
}

impl Pass {
    /// The passes that the course tests.
    pub(super) const ALL: [Self; 2] = [Self::Forward, Self::Backward];

    pub(crate) fn test_name(self) -> &'static str {
        match self {
            Self::Forward => "test_forward",
            Self::Backward => "test_backward",
            Self::Gradients => "test_parameter_gradients",
            Self::Predict => "test_predict",
        }
    }
}

/// The same numbers as `T`, in the same order in memory.
pub(crate) fn cast<T: Scalar>(array: &ArrayD<f64>) -> ArrayD<T> {
    array.mapv(T::of)
}
