//! The convolutional layer.

use activations::Activation;
use layers::{
    Layer, LayerConfig, LayerError, LayerShapes, LayerState, Parameters, WeightInit, checked_size,
};
use ndarray::{Array4, ArrayD, CowArray, Ix2, Ix4};
use numerics::{Rng, Scalar, recycle};
use serde::{Deserialize, Serialize};

use crate::window::image_shape;
use crate::{
    Pad, Window, conv2d_backward_bias, conv2d_backward_data, conv2d_backward_weights,
    conv2d_forward,
};

/// Declares a [`Conv2D`] layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2DConfig {
    /// The number of filters, at least 1.
    pub n_out: usize,
    /// Rows and columns of a filter.
    pub kernel_shape: (usize, usize),
    /// The distance between neighbouring windows, at least 1.
    pub stride: usize,
    /// Zero padding; "same" by default.
    pub pad: Pad,
    /// The activation; linear by default.
    pub activation: Activation,
    /// The initialiser of `W`; Xavier uniform by default. `b` starts at zero.
    pub weight_init: WeightInit,
    /// Whether there is a bias `b`; true by default.
    #[serde(default = "layers::with_bias", skip_serializing_if = "bool::clone")]
    pub bias: bool,
}

impl Conv2DConfig {
    /// `n_out` filters of this shape with a bias, stride 1, padding "same", linear, Xavier-uniform
    /// weights.
    pub fn new(n_out: usize, kernel_shape: (usize, usize)) -> Self {
        Self {
            n_out,
            kernel_shape,
            stride: 1,
            pad: Pad::Same,
            activation: Activation::default(),
            weight_init: WeightInit::default(),
            bias: true,
        }
    }

    // ANCHOR: init
    /// The layer for images of shape `[rows, cols, n_in]`.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if the shape has not three axes of at least 1, `n_out` is 0, the
    /// window does not fit (see [`Window::new`]), or the initialiser is invalid; [`LayerError::Size`] if
    /// an array would be too large.
    pub fn build<T: Scalar>(
        &self,
        input_shape: &[usize],
        rng: &mut Rng,
    ) -> Result<Conv2D<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let (window, n_in) = self.window(input_shape)?;
        let shape = [self.kernel_shape.0, self.kernel_shape.1, n_in, self.n_out];
        let w = self.weight_init.sample(KIND, &shape, self.activation, rng)?;
        // All that the layer declares is 0 at first, and b stays so.
        let state = LayerState::new(shapes, self.activation).with("W", w);
        Ok(Conv2D { state, window, cache: None })
    }
    // ANCHOR_END: init

    /// The window over images of this shape, and the number of their channels.
    fn window(&self, input_shape: &[usize]) -> Result<(Window, usize), LayerError> {
        let [rows, cols, n_in] = image_shape(KIND, input_shape)?;
        let window = Window::new(KIND, (rows, cols), self.kernel_shape, self.stride, self.pad)?;
        Ok((window, n_in))
    }
}

impl<T: Scalar> LayerConfig<T> for Conv2DConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        let n_out = self.n_out;
        if n_out == 0 {
            return Err(LayerError::configuration(KIND, "n_out", "at least 1", 0));
        }
        let (window, n_in) = self.window(input_shape)?;
        let ((k1, k2), (r1, r2)) = (self.kernel_shape, window.output);
        let shapes = LayerShapes::new(KIND, input_shape, &[r1, r2, n_out])?;
        let shapes = shapes.weight("W", &[k1, k2, n_in, n_out])?;
        checked_size(KIND, "the patches of one row of an output", &[r2, k1, k2, n_in])?;
        if self.bias { shapes.offset("b", &[1, n_out]) } else { Ok(shapes) }
    }

    layers::build_boxed!(Conv2DConfig, |config, shape, rng| config.build(shape, rng));
}

/// `Y = σ(X ⋆ W + b)`: every filter slides over every image (strictly, this is cross-correlation).
///
/// Each weight's gradient is the sum of `dL/dZ` times the input it met; each input's gradient is the
/// sum of `dL/dZ` times the weights it met; `dL/db` sums `dL/dZ` over images and cells. Declared without
/// a bias, the layer has the parameter `W` alone.
///
/// # Shapes
/// `x: (m, rows, cols, n_in)`, `y: (m, output_rows, output_cols, n_out)`,
/// `W: (kernel_rows, kernel_cols, n_in, n_out)`, `b: (1, n_out)`.
///
/// Question 6.2.
#[derive(Clone, Debug)]
pub struct Conv2D<T> {
    state: LayerState<T>,
    window: Window,
    cache: Option<Cache<T>>,
}

impl<T: Scalar> Conv2D<T> {
    /// `b`, zeros if there is none.
    fn bias(&self) -> CowArray<'_, T, Ix2> {
        self.parameters().row_or("b", self.n_out(), T::zero())
    }

    /// `dL/dZ`, from `dL/dY`.
    fn dl_dz(&self, dl_dy: ArrayD<T>) -> Result<Array4<T>, LayerError> {
        let Cache { x, z } = self.state.cached(&self.cache)?;
        self.state.check_gradient(&[&[x.dim().0], self.output_shape()].concat(), &dl_dy)?;
        let dl_dy = dl_dy.into_dimensionality::<Ix4>().expect("check_gradient found four axes");
        Ok(match z {
            None => dl_dy,
            Some(z) => self.activation().backward_owned(z, dl_dy)?,
        })
    }

    /// Sets the gradients of the parameters, from `dL/dZ`.
    fn fill_gradients(&mut self, dl_dz: &Array4<T>) -> Result<(), LayerError> {
        let x = self.state.cached(&self.cache)?.x.view();
        let dl_dw = conv2d_backward_weights(x, dl_dz.view(), self.window);
        let mut gradients = vec![("W", dl_dw.into_dyn())];
        if self.parameters().get("b").is_some() {
            gradients.push(("b", conv2d_backward_bias(dl_dz.view()).into_dyn()));
        }
        self.state.set_gradients(Parameters::new(gradients))
    }
}

const KIND: &str = "Conv2D";

/// Results of the forward pass that backward needs.
#[derive(Clone, Debug)]
struct Cache<T> {
    x: Array4<T>,
    /// The input of the activation; not kept if that is linear.
    z: Option<Array4<T>>,
}

impl<T: Scalar> Layer<T> for Conv2D<T> {
    layers::state_of!(T);

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let x = x.into_dimensionality::<Ix4>().expect("check_input found four axes");
        let w = self.parameters().kernel("W");
        let z = conv2d_forward(x.view(), w, self.bias().view(), self.window);
        let (y, z) = match self.activation() {
            Activation::Linear => (z, None),
            activation => (activation.forward(&z), Some(z)),
        };
        if let Some(old) = self.cache.replace(Cache { x, z }) {
            recycle(old.x);
            if let Some(z) = old.z {
                recycle(z);
            }
        }
        Ok(y.into_dyn())
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let dl_dz = self.dl_dz(dl_dy)?;
        self.fill_gradients(&dl_dz)?;
        let w = self.parameters().kernel("W");
        let dl_dx = conv2d_backward_data(w, dl_dz.view(), self.window);
        recycle(dl_dz);
        Ok(dl_dx.into_dyn())
    }

    fn backward_parameters(&mut self, dl_dy: ArrayD<T>) -> Result<(), LayerError> {
        let dl_dz = self.dl_dz(dl_dy)?;
        self.fill_gradients(&dl_dz)?;
        recycle(dl_dz);
        Ok(())
    }
    // ANCHOR_END: backward

    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        let x = x.view().into_dimensionality::<Ix4>().expect("check_input found four axes");
        let (w, b) = (self.parameters().kernel("W"), self.bias());
        let z = conv2d_forward(x, w, b.view(), self.window);
        Ok(match self.activation() {
            Activation::Linear => z.into_dyn(),
            activation => {
                let y = activation.forward(&z);
                recycle(z);
                y.into_dyn()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_too_large_is_refused() {
        let refused = |config: Conv2DConfig| {
            config.build::<f64>(&[8, 8, 3], &mut Rng::new(0)).unwrap_err().to_string()
        };
        let wide = Conv2DConfig::new(1 << 40, (3, 3));
        assert!(refused(wide).contains("an output example of shape [8, 8, 1099511627776]"));
        // A row of the output has 16 cells, whose patches of 8,192 by 8,192 cells are too much.
        let (stride, pad) = (1 << 10, Pad::Cells(12_000, 12_000));
        let deep = Conv2DConfig { stride, pad, ..Conv2DConfig::new(1, (1 << 13, 1 << 13)) };
        assert!(refused(deep).contains("the patches of one row of an output of shape"));
    }
}
