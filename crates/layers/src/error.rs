//! Errors of building and using a layer.

use activations::ActivationError;
use numerics::MOST_ELEMENTS;

/// An error of a layer; every message names the layer, what it expected and what it got.
#[expect(missing_docs, reason = "each field is in the message, in its own words")]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// A layer cannot be built with this configuration or for this input shape.
    #[error("{layer}: {what} must be {expected}, but is {got}")]
    Configuration { layer: &'static str, what: &'static str, expected: String, got: String },
    /// An array would be too large.
    #[error(
        "{layer}: {what} of shape {shape:?} has more than {MOST_ELEMENTS} elements; choose a smaller layer, \
         image or mini-batch"
    )]
    Size { layer: &'static str, what: &'static str, shape: Vec<usize> },
    /// An input has another shape than the layer was built for.
    #[error(
        "{layer}: expected an input of shape (m, {}) with m >= 1, but got {got:?}",
        comma_separated(expected)
    )]
    Input { layer: &'static str, expected: Vec<usize>, got: Vec<usize> },
    /// An upstream gradient has another shape than the output of the last forward pass.
    #[error(
        "{layer}: dL/dY must have the shape of Y, which is {expected:?}, but has shape {got:?}"
    )]
    Gradient { layer: &'static str, expected: Vec<usize>, got: Vec<usize> },
    /// Backward gave other gradients than one of the shape of each parameter, in their order.
    #[error("{layer}: the gradients must be those of the parameters {expected}, but are {got}")]
    ParameterGradients { layer: &'static str, expected: String, got: String },
    /// Backward needs what forward has put into the cache.
    #[error("{layer}: backward was called before forward; call forward on a mini-batch first")]
    BackwardBeforeForward { layer: &'static str },
    /// No parameter or no buffer has this name.
    #[error("{layer}: unknown {what} {got:?}: expected one of {known:?}")]
    Unknown { layer: &'static str, what: &'static str, known: Vec<&'static str>, got: String },
    /// A parameter or a buffer was set to an array of another shape.
    #[error("{layer}: {what} {name} has shape {expected:?} and cannot be set to one of {got:?}")]
    Shape {
        layer: &'static str,
        what: &'static str,
        name: &'static str,
        expected: Vec<usize>,
        got: Vec<usize>,
    },
    /// A buffer was set to something that it never holds.
    #[error("{layer}: buffer {name} must hold {expected}, and cannot be set to {got}")]
    BufferValue { layer: &'static str, name: &'static str, expected: &'static str, got: String },
    /// No weight initialiser has this name.
    #[error("unknown weight initialiser {got:?}: expected one of {known}")]
    UnknownWeightInit { known: String, got: String },
    /// The activation refused its input.
    #[error(transparent)]
    Activation(#[from] ActivationError),
}

impl LayerError {
    /// The [`Configuration`](Self::Configuration) error that `what` is not as expected.
    pub fn configuration(
        layer: &'static str,
        what: &'static str,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> Self {
        Self::Configuration { layer, what, expected: expected.into(), got: got.to_string() }
    }
}

fn comma_separated(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
