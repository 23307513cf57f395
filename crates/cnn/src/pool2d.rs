//! The pooling layer.

use std::fmt;

use activations::Activation;
use layers::{Layer, LayerConfig, LayerError, LayerShapes, LayerState, checked_size};
use ndarray::{Array4, ArrayD, ArrayView4, Ix4};
use numerics::{Scalar, recycle};
use serde::{Deserialize, Serialize};

use crate::pool2d_kernel::MOST_CELLS;
use crate::window::image_shape;
use crate::{
    Pad, Window, average_pool_backward, average_pool_forward, max_pool_backward, max_pool_forward,
};

/// The number that a window is reduced to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolMode {
    /// Its largest cell.
    #[default]
    Max,
    /// The mean of its cells.
    Average,
}

impl fmt::Display for PoolMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Max => "max",
            Self::Average => "average",
        })
    }
}

/// Declares a [`Pool2D`] layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool2DConfig {
    /// Maximum or average.
    pub mode: PoolMode,
    /// Rows and columns of the window.
    pub kernel_shape: (usize, usize),
    /// The distance between neighbouring windows, at least 1.
    pub stride: usize,
    /// Zero padding; none by default.
    pub pad: Pad,
}

impl Pool2DConfig {
    /// Pooling with a window of this shape and stride, without padding.
    pub fn new(mode: PoolMode, kernel_shape: (usize, usize), stride: usize) -> Self {
        Self { mode, kernel_shape, stride, pad: Pad::Valid }
    }

    /// The layer for images of shape `[rows, cols, channels]`.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if the shape has not three axes of at least 1, the window does
    /// not fit (see [`Window::new`]), or it has more than 65,536 cells; [`LayerError::Size`] if an array
    /// would be too large.
    pub fn build<T: Scalar>(&self, input_shape: &[usize]) -> Result<Pool2D<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let (window, _) = self.window(input_shape)?;
        let state = LayerState::new(shapes, Activation::Linear);
        Ok(Pool2D { state, mode: self.mode, window, cache: None })
    }

    /// The window over images of this shape, and the number of their channels.
    fn window(&self, input_shape: &[usize]) -> Result<(Window, usize), LayerError> {
        let [rows, cols, channels] = image_shape(KIND, input_shape)?;
        let window = Window::new(KIND, (rows, cols), self.kernel_shape, self.stride, self.pad)?;
        Ok((window, channels))
    }
}

impl<T: Scalar> LayerConfig<T> for Pool2DConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        let (window, channels) = self.window(input_shape)?;
        let (k1, k2) = self.kernel_shape;
        if k1 * k2 > MOST_CELLS {
            let (what, got) = ("the number of cells of kernel_shape", k1 * k2);
            let (expected, got) = (format!("at most {MOST_CELLS}"), format!("{got}, {k1}x{k2}"));
            return Err(LayerError::configuration(KIND, what, expected, got));
        }
        let (rows, cols) = window.padded();
        checked_size(KIND, "a padded image", &[rows, cols, channels])?;
        let (r1, r2) = window.output;
        LayerShapes::new(KIND, input_shape, &[r1, r2, channels])
    }

    layers::build_boxed!(Pool2DConfig, |config, shape, _rng| config.build(shape));
}

/// Reduces each window of each channel to its maximum or its mean.
///
/// Max pooling sends `dL/dY` to the cell that won, the first one on ties; average pooling shares it
/// equally. Padded cells count as zeros in both; what they receive is dropped.
///
/// # Shapes
/// `x: (m, rows, cols, n)`, `y: (m, output_rows, output_cols, n)`.
///
/// Question 6.3.
#[derive(Clone, Debug)]
pub struct Pool2D<T> {
    state: LayerState<T>,
    mode: PoolMode,
    window: Window,
    cache: Option<Cache>,
}

const KIND: &str = "Pool2D";

/// Results of the forward pass that backward needs; the inputs are not among them.
#[derive(Clone, Debug)]
struct Cache {
    batch_size: usize,
    /// Of max pooling.
    winner: Option<Array4<u16>>,
}

impl<T: Scalar> Pool2D<T> {
    /// The output, and the winners of max pooling.
    fn pooled(&self, x: ArrayView4<'_, T>) -> (Array4<T>, Option<Array4<u16>>) {
        match self.mode {
            PoolMode::Max => {
                let (y, winner) = max_pool_forward(x, self.window);
                (y, Some(winner))
            }
            PoolMode::Average => (average_pool_forward(x, self.window), None),
        }
    }
}

impl<T: Scalar> Layer<T> for Pool2D<T> {
    layers::state_of!(T);

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let x = x.into_dimensionality::<Ix4>().expect("check_input found four axes");
        let (y, winner) = self.pooled(x.view());
        let cache = Cache { batch_size: x.dim().0, winner };
        recycle(x);
        if let Some(Cache { winner: Some(winner), .. }) = self.cache.replace(cache) {
            recycle(winner);
        }
        Ok(y.into_dyn())
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let Cache { batch_size, winner } = self.state.cached(&self.cache)?;
        self.state.check_gradient(&[&[*batch_size], self.output_shape()].concat(), &dl_dy)?;
        let dl_dy = dl_dy.into_dimensionality::<Ix4>().expect("check_gradient found four axes");
        let dl_dx = match winner {
            Some(winner) => max_pool_backward(dl_dy.view(), winner.view(), self.window),
            None => average_pool_backward(dl_dy.view(), self.window),
        };
        recycle(dl_dy);
        Ok(dl_dx.into_dyn())
    }
    // ANCHOR_END: backward

    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        let x = x.view().into_dimensionality::<Ix4>().expect("check_input found four axes");
        let (y, winner) = self.pooled(x);
        if let Some(winner) = winner {
            recycle(winner);
        }
        Ok(y.into_dyn())
    }
}
