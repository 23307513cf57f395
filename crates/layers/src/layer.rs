//! The contract that every layer keeps.

use std::any::{Any, TypeId};
use std::fmt::Debug;

use activations::Activation;
use ndarray::ArrayD;
use numerics::{Rng, Scalar, recycle};

use crate::{LayerError, LayerShapes, Parameters, checked_size};

/// Shapes, parameters, gradients and buffers of a layer: all but its cache.
#[derive(Clone, Debug)]
pub struct LayerState<T> {
    shapes: LayerShapes,
    activation: Activation,
    parameters: Parameters<T>,
    gradients: Parameters<T>,
    buffers: Parameters<T>,
}

impl<T: Scalar> LayerState<T> {
    /// The state of a new layer: all that it declares is 0.
    pub fn new(shapes: LayerShapes, activation: Activation) -> Self {
        let zeros = |(name, shape): (_, &[usize])| (name, ArrayD::zeros(shape));
        let parameters = Parameters::new(shapes.parameters().map(zeros));
        let buffers = Parameters::new(shapes.buffers().map(zeros));
        Self { gradients: parameters.clone(), shapes, activation, parameters, buffers }
    }

    /// The same with this value of a parameter or a buffer.
    ///
    /// # Panics
    /// If the layer declares none of this name and shape.
    pub fn with(mut self, name: &str, value: ArrayD<T>) -> Self {
        let array = self.parameters.get_mut(name).or_else(|| self.buffers.get_mut(name));
        let array = array.expect("a layer declares what it has");
        assert_eq!(array.shape(), value.shape(), "{name} has the shape that the layer declares");
        *array = value;
        self
    }

    /// The buffers, for the layer to change their elements.
    pub fn buffers_mut(&mut self) -> &mut Parameters<T> {
        &mut self.buffers
    }

    /// Sets a buffer to the elements of `value`, see [`Layer::set_buffer`].
    ///
    /// # Errors
    /// [`LayerError::Unknown`] or [`LayerError::Shape`]; nothing is changed then.
    pub fn set_buffer(&mut self, name: &str, value: &ArrayD<T>) -> Result<(), LayerError> {
        self.buffers.set(self.shapes.kind, "buffer", name, value)
    }

    /// Replaces the gradients.
    ///
    /// # Errors
    /// [`LayerError::ParameterGradients`] if they have not the names and shapes of the parameters; nothing is
    /// changed then.
    pub fn set_gradients(&mut self, gradients: Parameters<T>) -> Result<(), LayerError> {
        if !gradients.are(self.shapes.parameters()) {
            let (expected, got) = (self.parameters.description(), gradients.description());
            return Err(LayerError::ParameterGradients { layer: self.shapes.kind, expected, got });
        }
        self.gradients = gradients;
        Ok(())
    }

    /// Checks that `x` is a mini-batch of at least one example of the input shape, and that there can be an
    /// output of so many.
    ///
    /// # Errors
    /// [`LayerError::Input`], [`LayerError::Size`].
    pub fn check_input(&self, x: &ArrayD<T>) -> Result<(), LayerError> {
        let LayerShapes { kind: layer, input, output, .. } = &self.shapes;
        match x.shape() {
            [m, example @ ..] if *m > 0 && example == input => {
                checked_size(layer, "the output", &[&[*m], output.as_slice()].concat()).map(drop)
            }
            got => {
                let (expected, got) = (input.clone(), got.to_vec());
                Err(LayerError::Input { layer, expected, got })
            }
        }
    }

    /// What forward left for backward.
    ///
    /// # Errors
    /// [`LayerError::BackwardBeforeForward`].
    pub fn cached<'a, C>(&self, cache: &'a Option<C>) -> Result<&'a C, LayerError> {
        cache.as_ref().ok_or(LayerError::BackwardBeforeForward { layer: self.shapes.kind })
    }

    /// Checks that `dl_dy` has the shape of the output that the cache belongs to.
    ///
    /// # Errors
    /// [`LayerError::Gradient`].
    pub fn check_gradient(&self, output: &[usize], dl_dy: &ArrayD<T>) -> Result<(), LayerError> {
        if dl_dy.shape() == output {
            return Ok(());
        }
        let (layer, expected) = (self.shapes.kind, output.to_vec());
        Err(LayerError::Gradient { layer, expected, got: dl_dy.shape().to_vec() })
    }
}

/// A layer: a parameterised function of a mini-batch, and the derivative of that function.
///
/// A new layer implements the five required methods; the rest reads its [`LayerState`].
///
/// # Shapes
/// The first axis of every input, output and gradient is the batch axis, of length `m >= 1`. The
/// rest is [`input_shape`](Layer::input_shape) or [`output_shape`](Layer::output_shape).
pub trait Layer<T: Scalar>: Debug + Send + Sync {
    /// Shapes, activation, parameters and gradients.
    fn state(&self) -> &LayerState<T>;

    /// As [`state`](Layer::state), to be changed.
    fn state_mut(&mut self) -> &mut LayerState<T>;

    /// The output for the mini-batch `x`; writes the cache.
    ///
    /// # Errors
    /// [`LayerError::Input`] if `x` is empty or its examples are not of `input_shape`.
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError>;

    /// `dL/dX` from `dL/dY`; reads the cache and overwrites the gradients.
    ///
    /// # Errors
    /// [`LayerError::BackwardBeforeForward`] without a cache, [`LayerError::Gradient`] if `dl_dy`
    /// has not the shape of the last output.
    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError>;

    /// As [`backward`](Layer::backward) without `dL/dX`: for the first layer of a network, whose inputs
    /// are examples. A layer where that saves work has its own.
    ///
    /// # Errors
    /// As [`backward`](Layer::backward).
    fn backward_parameters(&mut self, dl_dy: ArrayD<T>) -> Result<(), LayerError> {
        self.backward(dl_dy).map(recycle)
    }

    /// The output for the mini-batch `x`, without a cache.
    ///
    /// # Errors
    /// As [`forward`](Layer::forward).
    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError>;

    /// The kind of layer, as error messages and tables name it: `"FullyConnected"`.
    fn kind(&self) -> &'static str {
        self.state().shapes.kind
    }

    /// The shape of one input example, without the batch axis.
    fn input_shape(&self) -> &[usize] {
        &self.state().shapes.input
    }

    /// The shape of one output example, without the batch axis.
    fn output_shape(&self) -> &[usize] {
        &self.state().shapes.output
    }

    /// The number of input units; for images, of input channels.
    fn n_in(&self) -> usize {
        *self.input_shape().last().expect("an example has at least one axis")
    }

    /// The number of output units; for images, of output channels.
    fn n_out(&self) -> usize {
        *self.output_shape().last().expect("an example has at least one axis")
    }

    /// The activation that the layer applies last.
    fn activation(&self) -> Activation {
        self.state().activation
    }

    /// The learned arrays, by name and in order.
    fn parameters(&self) -> &Parameters<T> {
        &self.state().parameters
    }

    /// `dL/dP` for every parameter `P`: the same names and shapes; zero before the first backward.
    fn gradients(&self) -> &Parameters<T> {
        &self.state().gradients
    }

    /// The parameters on which weight decay acts: those that the layer [declares](LayerShapes::weight) as
    /// weights.
    fn decaying_parameters(&self) -> Vec<&'static str> {
        self.state().shapes.decaying.clone()
    }

    /// The parameters to change and their gradients to read, for an optimiser.
    fn parameters_and_gradients(&mut self) -> (&mut Parameters<T>, &Parameters<T>) {
        let state = self.state_mut();
        (&mut state.parameters, &state.gradients)
    }

    /// State that is kept from one step to the next and is no parameter, such as running
    /// statistics: a checkpoint has to keep it. Most layers have none.
    fn buffers(&self) -> &Parameters<T> {
        &self.state().buffers
    }

    /// Sets a buffer to the elements of `value`.
    ///
    /// # Errors
    /// As [`LayerState::set_buffer`], and [`LayerError::BufferValue`] from a layer that says which
    /// numbers its buffers hold.
    fn set_buffer(&mut self, name: &str, value: &ArrayD<T>) -> Result<(), LayerError> {
        self.state_mut().set_buffer(name, value)
    }

    /// Sets a parameter to the elements of `value`.
    ///
    /// # Errors
    /// [`LayerError::Unknown`] or [`LayerError::Shape`]; nothing is changed then.
    fn set_parameter(&mut self, name: &str, value: &ArrayD<T>) -> Result<(), LayerError> {
        let state = self.state_mut();
        state.parameters.set(state.shapes.kind, "parameter", name, value)
    }
}

/// The declaration of a layer, from which one is built as soon as its input shape is known.
pub trait LayerConfig<T: Scalar>: Debug + Send + Sync {
    /// The shapes of the layer for inputs whose examples have this shape. Nothing is drawn or allocated.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if the configuration is invalid or does not fit the shape,
    /// [`LayerError::Size`] if an array would be too large.
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError>;

    /// The layer for inputs whose examples have this shape, with freshly drawn parameters.
    ///
    /// # Errors
    /// As [`shapes`](Self::shapes).
    fn build_boxed(&self, input_shape: &[usize], rng: &mut Rng) -> BuiltLayer<T>;
}

/// A layer that was built, of any kind.
pub type BuiltLayer<T> = Result<Box<dyn Layer<T>>, LayerError>;

/// [`Layer::state`] and [`Layer::state_mut`] of a layer that has its state in the field `state`.
#[macro_export]
macro_rules! state_of {
    ($number:ty) => {
        fn state(&self) -> &$crate::LayerState<$number> {
            &self.state
        }

        fn state_mut(&mut self) -> &mut $crate::LayerState<$number> {
            &mut self.state
        }
    };
}

/// [`LayerConfig::build_boxed`] by the function that builds the layer of a configuration.
///
/// Generic code is compiled in each crate that uses it. The two functions in here are not generic, so the
/// arithmetic of a layer is compiled in the crate of that layer and nowhere else.
#[macro_export]
macro_rules! build_boxed {
    ($config:ty, |$this:ident, $shape:ident, $rng:ident| $build:expr) => {
        fn build_boxed(&self, shape: &[usize], rng: &mut ::numerics::Rng) -> $crate::BuiltLayer<T> {
            type Generator = ::numerics::Rng;
            fn single(
                $this: &$config,
                $shape: &[usize],
                $rng: &mut Generator,
            ) -> $crate::BuiltLayer<f32> {
                Ok(Box::new($build?))
            }
            fn double(
                $this: &$config,
                $shape: &[usize],
                $rng: &mut Generator,
            ) -> $crate::BuiltLayer<f64> {
                Ok(Box::new($build?))
            }
            $crate::of_precision(self, shape, rng, single, double)
        }
    };
}

#[doc(hidden)]
pub fn of_precision<T: Scalar, C>(
    config: &C,
    input_shape: &[usize],
    rng: &mut Rng,
    single: fn(&C, &[usize], &mut Rng) -> BuiltLayer<f32>,
    double: fn(&C, &[usize], &mut Rng) -> BuiltLayer<f64>,
) -> BuiltLayer<T> {
    let layer: Box<dyn Any> = if TypeId::of::<T>() == TypeId::of::<f32>() {
        Box::new(single(config, input_shape, rng)?)
    } else {
        Box::new(double(config, input_shape, rng)?)
    };
    Ok(*layer.downcast().expect("a scalar is one of the two"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_of_other_names_shapes_or_order_are_refused() {
        let row = |n| ArrayD::<f64>::ones(vec![1, n]);
        let good = || Parameters::new([("slope", row(2)), ("height", row(2))]);
        let shapes = LayerShapes::new("Line", &[2], &[2]).unwrap();
        let shapes = shapes.weight("slope", &[1, 2]).unwrap().offset("height", &[1, 2]).unwrap();
        let mut state = LayerState::new(shapes, Activation::Linear);
        state.set_gradients(good()).unwrap();
        for wrong in [
            Parameters::new([("slope", row(2)), ("hieght", row(2))]),
            Parameters::new([("slope", row(2)), ("height", row(3))]),
            Parameters::new([("height", row(2)), ("slope", row(2))]),
            Parameters::new([("slope", row(2))]),
        ] {
            let error = state.set_gradients(wrong).unwrap_err().to_string();
            assert!(error.contains("slope [1, 2], height [1, 2], but are"), "{error}");
        }
        assert_eq!(state.gradients, good());
    }

    #[test]
    fn a_mini_batch_whose_output_would_be_too_large_is_refused() {
        let shapes = LayerShapes::new("Wide", &[1], &[1 << 29]).unwrap();
        let state = LayerState::<f64>::new(shapes, Activation::Linear);
        state.check_input(&ArrayD::zeros(vec![2, 1])).unwrap();
        let error = state.check_input(&ArrayD::zeros(vec![3, 1])).unwrap_err();
        let shape = vec![3, 1 << 29];
        assert_eq!(error, LayerError::Size { layer: "Wide", what: "the output", shape });
    }
}
