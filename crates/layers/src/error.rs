//! What can go wrong when a layer is built or used.

use activations::ActivationError;
use numerics::MOST_ELEMENTS;

/// An error of a layer; every message names the layer, what it expected and what it got.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// A layer cannot be built with this configuration or for this input shape.
    #[error("{layer}: {what} must be {expected}, but is {got}")]
    Configuration {
        /// The layer.
        layer: &'static str,
        /// The part of the configuration, or the input shape.
        what: &'static str,
        /// What would be valid.
        expected: String,
        /// What was given.
        got: String,
    },
    /// An array would be too large.
    #[error(
        "{layer}: {what} of shape {shape:?} has more than {MOST_ELEMENTS} elements; choose a smaller layer, \
         image or mini-batch"
    )]
    Size {
        /// The layer.
        layer: &'static str,
        /// The array: a parameter by its name, or in words.
        what: &'static str,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// An input has another shape than the layer was built for.
    #[error(
        "{layer}: expected an input of shape (m, {}) with m >= 1, but got {got:?}",
        comma_separated(expected)
    )]
    Input {
        /// The layer.
        layer: &'static str,
        /// The shape of one example.
        expected: Vec<usize>,
        /// The shape of the input, batch axis included.
        got: Vec<usize>,
    },
    /// An upstream gradient has another shape than the output of the last forward pass.
    #[error(
        "{layer}: dL/dY must have the shape of Y, which is {expected:?}, but has shape {got:?}"
    )]
    Gradient {
        /// The layer.
        layer: &'static str,
        /// The shape of the output.
        expected: Vec<usize>,
        /// The shape of the gradient.
        got: Vec<usize>,
    },
    /// Backward gave other gradients than one of the shape of each parameter, in their order.
    #[error("{layer}: the gradients must be those of the parameters {expected}, but are {got}")]
    ParameterGradients {
        /// The layer.
        layer: &'static str,
        /// Names and shapes of the parameters.
        expected: String,
        /// Names and shapes of the gradients.
        got: String,
    },
    /// Backward needs what forward has put into the cache.
    #[error("{layer}: backward was called before forward; call forward on a mini-batch first")]
    BackwardBeforeForward {
        /// The layer.
        layer: &'static str,
    },
    /// No parameter has this name.
    #[error("{layer}: unknown parameter {got:?}: expected one of {known:?}")]
    UnknownParameter {
        /// The layer.
        layer: &'static str,
        /// The parameters that it has.
        known: Vec<&'static str>,
        /// The name that was asked for.
        got: String,
    },
    /// A parameter was set to an array of another shape.
    #[error("{layer}: parameter {name} has shape {expected:?} and cannot be set to one of {got:?}")]
    ParameterShape {
        /// The layer.
        layer: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its shape.
        expected: Vec<usize>,
        /// The shape of the array that was given.
        got: Vec<usize>,
    },
    /// No buffer has this name.
    #[error("{layer}: unknown buffer {got:?}: expected one of {known:?}")]
    UnknownBuffer {
        /// The layer.
        layer: &'static str,
        /// The buffers that it has.
        known: Vec<&'static str>,
        /// The name that was asked for.
        got: String,
    },
    /// A buffer was set to an array of another shape.
    #[error("{layer}: buffer {name} has shape {expected:?} and cannot be set to one of {got:?}")]
    BufferShape {
        /// The layer.
        layer: &'static str,
        /// The buffer.
        name: &'static str,
        /// Its shape.
        expected: Vec<usize>,
        /// The shape of the array that was given.
        got: Vec<usize>,
    },
    /// A buffer was set to something that it never holds.
    #[error("{layer}: buffer {name} must hold {expected}, and cannot be set to {got}")]
    BufferValue {
        /// The layer.
        layer: &'static str,
        /// The buffer.
        name: &'static str,
        /// What its elements are.
        expected: &'static str,
        /// The element that was given.
        got: String,
    },
    /// No weight initialiser has this name.
    #[error("unknown weight initialiser {got:?}: expected one of {known}")]
    UnknownWeightInit {
        /// The initialisers that exist.
        known: String,
        /// The name that was asked for.
        got: String,
    },
    /// The activation refused its input.
    #[error(transparent)]
    Activation(#[from] ActivationError),
}

fn comma_separated(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
