//! The fully-connected layer.

use activations::Activation;
use ndarray::{Array2, ArrayD, ArrayView2, Axis, CowArray, Ix2};
use numerics::{Rng, Scalar, matmul};
use serde::{Deserialize, Serialize};

use crate::{Layer, LayerConfig, LayerError, LayerShapes, LayerState, Parameters, WeightInit};

/// Declares a [`FullyConnected`] layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullyConnectedConfig {
    /// The number of output units, at least 1.
    pub n_out: usize,
    /// The activation; linear by default.
    #[serde(default)]
    pub activation: Activation,
    /// The initialiser of `W`; Xavier uniform by default. `b` starts at zero.
    #[serde(default)]
    pub weight_init: WeightInit,
    /// Whether there is a bias `b`; true by default.
    #[serde(default = "with_bias", skip_serializing_if = "bool::clone")]
    pub bias: bool,
}

/// The choice of a configuration that does not mention a bias.
#[doc(hidden)]
pub fn with_bias() -> bool {
    true
}

impl FullyConnectedConfig {
    /// `n_out` units with a bias, linear, Xavier-uniform weights.
    pub fn new(n_out: usize) -> Self {
        let (activation, weight_init) = (Activation::default(), WeightInit::default());
        Self { n_out, activation, weight_init, bias: true }
    }

    // ANCHOR: build
    /// The layer for inputs of shape `[n_in]`.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if `n_out` or `n_in` is 0, the shape has not exactly one axis,
    /// or the initialiser is invalid; [`LayerError::Size`] if an array would be too large.
    pub fn build<T: Scalar>(
        &self,
        input_shape: &[usize],
        rng: &mut Rng,
    ) -> Result<FullyConnected<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let shape = [input_shape[0], self.n_out];
        let w = self.weight_init.sample(KIND, &shape, self.activation, rng)?;
        // All that the layer declares is 0 at first, and b stays so.
        let state = LayerState::new(shapes, self.activation).with("W", w);
        Ok(FullyConnected { state, cache: None })
    }
    // ANCHOR_END: build
}

impl<T: Scalar> LayerConfig<T> for FullyConnectedConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        let &[n_in @ 1..=usize::MAX] = input_shape else {
            let expected = "one axis of at least 1 unit (put a Flatten layer before it)";
            let (what, got) = ("the shape of an example", format!("{input_shape:?}"));
            return Err(LayerError::configuration(KIND, what, expected, got));
        };
        let n_out = self.n_out;
        if n_out == 0 {
            return Err(LayerError::configuration(KIND, "n_out", "at least 1", 0));
        }
        let shapes = LayerShapes::new(KIND, &[n_in], &[n_out])?.weight("W", &[n_in, n_out])?;
        if self.bias { shapes.offset("b", &[1, n_out]) } else { Ok(shapes) }
    }

    crate::build_boxed!(FullyConnectedConfig, |config, shape, rng| config.build(shape, rng));
}

/// `Y = σ(X W + b)`: every input unit feeds every output unit.
///
/// With `dL/dZ` from the activation: `dL/dX = dL/dZ Wᵀ`, `dL/dW = Xᵀ dL/dZ`, `dL/db = Σₘ dL/dZ`.
/// Declared without a bias, it has the parameter `W` alone.
///
/// # Shapes
/// `x: (m, n_in)`, `y: (m, n_out)`, `W: (n_in, n_out)`, `b: (1, n_out)`.
///
/// Question 4.2.
#[derive(Clone, Debug)]
pub struct FullyConnected<T> {
    state: LayerState<T>,
    cache: Option<Cache<T>>,
}

const KIND: &str = "FullyConnected";

/// Results of the forward pass that backward needs.
#[derive(Clone, Debug)]
struct Cache<T> {
    x: Array2<T>,
    z: Array2<T>,
}

impl<T: Scalar> FullyConnected<T> {
    /// `b`, zeros if there is none.
    fn bias(&self) -> CowArray<'_, T, Ix2> {
        self.parameters().row_or("b", self.n_out(), T::zero())
    }

    /// `dL/dZ`, from `dL/dY`.
    fn dl_dz(&self, dl_dy: ArrayD<T>) -> Result<Array2<T>, LayerError> {
        let z = &self.state.cached(&self.cache)?.z;
        self.state.check_gradient(z.shape(), &dl_dy)?;
        let dl_dy = dl_dy.into_dimensionality::<Ix2>().expect("check_gradient found two axes");
        Ok(self.activation().backward_owned(z, dl_dy)?)
    }

    /// Sets the gradients of the parameters, from `dL/dZ`.
    fn fill_gradients(&mut self, dl_dz: &Array2<T>) -> Result<(), LayerError> {
        let x = self.state.cached(&self.cache)?.x.view();
        let mut gradients = vec![("W", backward_weights(x, dl_dz.view()).into_dyn())];
        if self.parameters().get("b").is_some() {
            gradients.push(("b", backward_bias(dl_dz.view()).into_dyn()));
        }
        self.state.set_gradients(Parameters::new(gradients))
    }
}

impl<T: Scalar> Layer<T> for FullyConnected<T> {
    crate::state_of!(T);

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let x = x.into_dimensionality::<Ix2>().expect("check_input found two axes");
        let w = self.parameters().matrix("W");
        let z = fully_connected_forward(x.view(), w, self.bias().view());
        let y = self.activation().forward(&z);
        self.cache = Some(Cache { x, z });
        Ok(y.into_dyn())
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let dl_dz = self.dl_dz(dl_dy)?;
        self.fill_gradients(&dl_dz)?;
        Ok(backward_data(self.parameters().matrix("W"), dl_dz.view()).into_dyn())
    }
    // ANCHOR_END: backward

    fn backward_parameters(&mut self, dl_dy: ArrayD<T>) -> Result<(), LayerError> {
        let dl_dz = self.dl_dz(dl_dy)?;
        self.fill_gradients(&dl_dz)
    }

    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        let x = x.view().into_dimensionality::<Ix2>().expect("check_input found two axes");
        let (w, b) = (self.parameters().matrix("W"), self.bias());
        Ok(self.activation().forward(&fully_connected_forward(x, w, b.view())).into_dyn())
    }
}

// ANCHOR: forward_kernel
/// `Z = X W + b`, with `b` added to every row.
///
/// # Shapes
/// `x: (m, n_in)`, `w: (n_in, n_out)`, `b: (1, n_out)`, result `(m, n_out)`.
pub fn fully_connected_forward<T: Scalar>(
    x: ArrayView2<'_, T>,
    w: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
) -> Array2<T> {
    matmul(x, w) + b
}
// ANCHOR_END: forward_kernel

// ANCHOR: backward_kernel
/// Gradients by [`fully_connected_backward`].
#[derive(Clone, Debug, PartialEq)]
pub struct FullyConnectedGradients<T> {
    /// `dL/dX`, of shape `(m, n_in)`.
    pub dl_dx: Array2<T>,
    /// `dL/dW`, of shape `(n_in, n_out)`.
    pub dl_dw: Array2<T>,
    /// `dL/db`, of shape `(1, n_out)`.
    pub dl_db: Array2<T>,
}

/// The gradients of `Z = X W + b`, from `dL/dZ` of shape `(m, n_out)`.
pub fn fully_connected_backward<T: Scalar>(
    x: ArrayView2<'_, T>,
    w: ArrayView2<'_, T>,
    dl_dz: ArrayView2<'_, T>,
) -> FullyConnectedGradients<T> {
    FullyConnectedGradients {
        dl_dx: backward_data(w, dl_dz),
        dl_dw: backward_weights(x, dl_dz),
        dl_db: backward_bias(dl_dz),
    }
}

/// `dL/dX`: every output's gradient goes back along its weights.
fn backward_data<T: Scalar>(w: ArrayView2<'_, T>, dl_dz: ArrayView2<'_, T>) -> Array2<T> {
    matmul(dl_dz, w.t())
}

/// `dL/dW`: the sum over the examples of input times gradient.
fn backward_weights<T: Scalar>(x: ArrayView2<'_, T>, dl_dz: ArrayView2<'_, T>) -> Array2<T> {
    matmul(x.t(), dl_dz)
}

/// `dL/db`: the sum over the examples.
fn backward_bias<T: Scalar>(dl_dz: ArrayView2<'_, T>) -> Array2<T> {
    dl_dz.sum_axis(Axis(0)).insert_axis(Axis(0))
}
// ANCHOR_END: backward_kernel

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_configurations_are_refused() {
        let build = |n_out, shape: &[usize]| {
            let built = FullyConnectedConfig::new(n_out).build::<f32>(shape, &mut Rng::new(0));
            built.unwrap_err().to_string()
        };
        assert_eq!(build(0, &[2]), "FullyConnected: n_out must be at least 1, but is 0");
        assert_eq!(
            build(1 << 20, &[1 << 20]),
            "FullyConnected: W of shape [1048576, 1048576] has more than 1073741824 elements; choose a \
             smaller layer, image or mini-batch"
        );
        for shape in [&[][..], &[0], &[4, 4, 3]] {
            assert!(build(1, shape).contains("put a Flatten layer before it"), "{shape:?}");
        }
    }
}
