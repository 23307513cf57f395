//! Flattening images into rows.

use activations::Activation;
use ndarray::ArrayD;
use numerics::Scalar;

use crate::reshape::reshaped;
use crate::{Layer, LayerConfig, LayerError, LayerShapes, LayerState, checked_size};

/// Declares a [`Flatten`] layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct FlattenConfig;

impl FlattenConfig {
    /// The layer for inputs whose examples have this shape.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if an example has no element, [`LayerError::Size`] if it has too many.
    pub fn build<T: Scalar>(&self, input_shape: &[usize]) -> Result<Flatten<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let state = LayerState::new(shapes, Activation::Linear);
        Ok(Flatten { state, batch_size: None })
    }
}

impl<T: Scalar> LayerConfig<T> for FlattenConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        let units = checked_size(KIND, "an input example", input_shape)?;
        if units == 0 {
            let (what, got) = ("the shape of an example", format!("{input_shape:?}"));
            return Err(LayerError::configuration(KIND, what, "at least one element", got));
        }
        LayerShapes::new(KIND, input_shape, &[units])
    }

    crate::build_boxed!(FlattenConfig, |config, shape, _rng| config.build(shape));
}

/// Lays the elements of each example out as one row; backward puts them back.
///
/// # Shapes
/// `x: (m, ...)`, `y: (m, n)` with `n` the number of elements of an example, in row-major order.
#[derive(Clone, Debug)]
pub struct Flatten<T> {
    state: LayerState<T>,
    /// All that backward needs: the shape to restore is this number and the shape of an example.
    batch_size: Option<usize>,
}

const KIND: &str = "Flatten";

impl<T: Scalar> Layer<T> for Flatten<T> {
    crate::state_of!(T);

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let m = x.shape()[0];
        self.batch_size = Some(m);
        Ok(reshaped(x, vec![m, self.n_out()]))
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let m = *self.state.cached(&self.batch_size)?;
        self.state.check_gradient(&[m, self.n_out()], &dl_dy)?;
        Ok(reshaped(dl_dy, [&[m], self.input_shape()].concat()))
    }
    // ANCHOR_END: backward

    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        Ok(reshaped(x.clone(), vec![x.shape()[0], self.n_out()]))
    }
}
