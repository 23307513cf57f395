//! Global average pooling.

use activations::Activation;
use layers::{Layer, LayerConfig, LayerError, LayerShapes, LayerState};
use ndarray::{Array2, Array4, ArrayD, ArrayView2, ArrayView4, Axis, Ix2, Ix4};
use numerics::Scalar;

use crate::window::image_shape;

/// Declares a [`GlobalAveragePool2D`] layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct GlobalAveragePool2DConfig;

impl GlobalAveragePool2DConfig {
    /// The layer for images of shape `[rows, cols, channels]`.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if the shape has not three axes of at least 1, [`LayerError::Size`] if an
    /// image would be too large.
    pub fn build<T: Scalar>(
        &self,
        input_shape: &[usize],
    ) -> Result<GlobalAveragePool2D<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let image = (input_shape[0], input_shape[1]);
        let state = LayerState::new(shapes, Activation::Linear);
        Ok(GlobalAveragePool2D { state, image, batch_size: None })
    }
}

impl<T: Scalar> LayerConfig<T> for GlobalAveragePool2DConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        let [_, _, channels] = image_shape(KIND, input_shape)?;
        LayerShapes::new(KIND, input_shape, &[channels])
    }

    layers::build_boxed!(GlobalAveragePool2DConfig, |config, shape, _rng| config.build(shape));
}

/// Reduces each channel of each image to its mean, and so images of any size to rows.
///
/// `dL/dX[n, x, y, c] = dL/dY[n, c] / (rows cols)`: every pixel gets the same share.
///
/// # Shapes
/// `x: (m, rows, cols, n)`, `y: (m, n)`.
///
/// Question 7.
#[derive(Clone, Debug)]
pub struct GlobalAveragePool2D<T> {
    state: LayerState<T>,
    image: (usize, usize),
    /// All that backward needs besides the shape of an image.
    batch_size: Option<usize>,
}

const KIND: &str = "GlobalAveragePool2D";

impl<T: Scalar> Layer<T> for GlobalAveragePool2D<T> {
    layers::state_of!(T);

    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let y = self.predict(&x)?;
        self.batch_size = Some(x.shape()[0]);
        Ok(y)
    }

    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let m = *self.state.cached(&self.batch_size)?;
        self.state.check_gradient(&[m, self.n_out()], &dl_dy)?;
        let dl_dy = dl_dy.into_dimensionality::<Ix2>().expect("check_gradient found two axes");
        Ok(global_average_pool_backward(dl_dy.view(), self.image).into_dyn())
    }

    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        let x = x.view().into_dimensionality::<Ix4>().expect("check_input found four axes");
        Ok(global_average_pool_forward(x).into_dyn())
    }
}

// ANCHOR: forward_kernel
/// The mean of every channel of every image.
///
/// # Shapes
/// `x: (m, rows, cols, n)` with at least one pixel; the result is `(m, n)`.
pub fn global_average_pool_forward<T: Scalar>(x: ArrayView4<'_, T>) -> Array2<T> {
    let (_, rows, cols, _) = x.dim();
    x.sum_axis(Axis(1)).sum_axis(Axis(1)) / T::of((rows * cols) as f64)
}
// ANCHOR_END: forward_kernel

// ANCHOR: backward_kernel
/// `dL/dX`: each pixel of an image of this size gets the same share of its channel's gradient.
///
/// # Shapes
/// `dl_dy: (m, n)`; the result is `(m, rows, cols, n)`.
pub fn global_average_pool_backward<T: Scalar>(
    dl_dy: ArrayView2<'_, T>,
    (rows, cols): (usize, usize),
) -> Array4<T> {
    let (m, channels) = dl_dy.dim();
    let share = &dl_dy / T::of((rows * cols) as f64);
    let share = share.insert_axis(Axis(1)).insert_axis(Axis(1));
    let pixels = share.broadcast((m, rows, cols, channels));
    pixels.expect("axes of length 1 stretch to any length").to_owned()
}
// ANCHOR_END: backward_kernel
