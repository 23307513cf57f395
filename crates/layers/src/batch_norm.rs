//! Batch normalisation.

use activations::{Activation, ElementWise, GELU, ReLU};
use ndarray::{Array1, Array2, ArrayD, Axis, CowArray, Ix2, Zip};
use numerics::{Scalar, map, recycle};
use serde::{Deserialize, Serialize};

use crate::reshape::{reshaped, rows};
use crate::{
    BatchNormForward, Layer, LayerConfig, LayerError, LayerShapes, LayerState, Parameters,
    batch_norm_backward, batch_norm_forward, batch_norm_predict,
};

/// Declares a [`BatchNorm`] layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNormConfig {
    /// The ε that is added to the variance, finite and above 0; 1e-5 by default.
    pub eps: f64,
    /// The weight of the newest batch in the running statistics, in `(0, 1]`; 0.1 by default.
    pub momentum: f64,
    /// The activation; linear by default.
    pub activation: Activation,
    /// Whether there is a scale γ; true by default. Without one it is 1.
    #[serde(skip_serializing_if = "bool::clone")]
    pub scale: bool,
}

impl Default for BatchNormConfig {
    /// The defaults of PyTorch.
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1, activation: Activation::default(), scale: true }
    }
}

impl BatchNormConfig {
    /// The layer for rows of shape `[n]` or images of shape `[rows, cols, channels]`, with γ = 1,
    /// β = 0, and running statistics of mean 0 and variance 1.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if a number is out of range, or the shape has not one axis or
    /// three, each at least 1; [`LayerError::Size`] if an array would be too large.
    pub fn build<T: Scalar>(&self, input_shape: &[usize]) -> Result<BatchNorm<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let Self { eps, momentum, activation, scale } = *self;
        let ones = ArrayD::ones(vec![1, input_shape[input_shape.len() - 1]]);
        let mut state = LayerState::new(shapes, activation).with("running_variance", ones.clone());
        if scale {
            state = state.with("gamma", ones);
        }
        Ok(BatchNorm { state, eps: T::of(eps), momentum: T::of(momentum), cache: None })
    }
}

impl<T: Scalar> LayerConfig<T> for BatchNormConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        let invalid = |what, expected: &str, got: String| {
            Err(LayerError::configuration(KIND, what, expected, got))
        };
        let Self { eps, momentum, scale, .. } = *self;
        // What rounds to 0 in `f32` would not keep a constant feature from dividing by 0.
        if !(eps.is_finite() && T::of(eps) >= T::min_positive_value() && T::of(eps).is_finite()) {
            return invalid("eps", "finite and above 0", eps.to_string());
        }
        if !(momentum > 0.0 && momentum <= 1.0) {
            return invalid("the momentum", "in (0, 1]", momentum.to_string());
        }
        let row = match input_shape {
            &[n] | &[_, _, n] if !input_shape.contains(&0) => [1, n],
            _ => {
                let expected = "[n] or [rows, cols, channels], each at least 1";
                return invalid("the shape of an example", expected, format!("{input_shape:?}"));
            }
        };
        let mut shapes = LayerShapes::new(KIND, input_shape, input_shape)?;
        if scale {
            shapes = shapes.offset("gamma", &row)?;
        }
        let shapes = shapes.offset("beta", &row)?;
        shapes.buffer("running_mean", &row)?.buffer("running_variance", &row)
    }

    crate::build_boxed!(BatchNormConfig, |config, shape, _rng| config.build(shape));
}

/// Standardises each feature over the mini-batch, then scales and shifts it:
/// `Y = σ(γ ⊙ (X - mean) / √(variance + ε) + β)`. For images the features are the channels, and every
/// pixel of every image counts.
///
/// [`forward`](Layer::forward) uses the statistics of the mini-batch and moves the running ones by
/// the momentum α, `r ← (1 - α) r + α s`; [`predict`](Layer::predict) uses the running ones. Both
/// variances divide by the number of values N, as in Keras; PyTorch's running one divides by N - 1.
/// Declared without a scale, it has the parameter β alone, and γ is 1.
///
/// # Shapes
/// `x` and `y`: `(m, n)` or `(m, rows, cols, n)`; γ, β and the running statistics: `(1, n)`.
///
/// Question 7. Ioffe and Szegedy (2015).
#[derive(Clone, Debug)]
pub struct BatchNorm<T> {
    state: LayerState<T>,
    eps: T,
    momentum: T,
    cache: Option<Cache<T>>,
}

const KIND: &str = "BatchNorm";

impl<T: Scalar> BatchNorm<T> {
    /// γ, ones if there is no scale.
    fn gamma(&self) -> CowArray<'_, T, Ix2> {
        self.parameters().row_or("gamma", self.n_out(), T::one())
    }
}

/// Results of the forward pass that backward needs.
#[derive(Clone, Debug)]
struct Cache<T> {
    shape: Vec<usize>,
    x_hat: Array2<T>,
    deviation: Array1<T>,
}

impl<T: Scalar> Layer<T> for BatchNorm<T> {
    crate::state_of!(T);

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let shape = x.shape().to_vec();
        let (gamma, beta) = (self.gamma(), self.parameters().matrix("beta"));
        let (x, g, eps) = (rows(x, self.n_out()), gamma.view(), self.eps);
        // The usual activations are computed in the pass that makes their input, the others in one of their own.
        let forward = match self.activation() {
            Activation::ReLU => batch_norm_forward(x, g, beta, eps, ReLU::value),
            Activation::GELU => batch_norm_forward(x, g, beta, eps, GELU::value),
            activation => {
                let mut forward = batch_norm_forward(x, g, beta, eps, |z| z);
                if activation != Activation::Linear {
                    forward.y = activation.forward(&forward.y);
                }
                forward
            }
        };
        drop(gamma);
        let alpha = self.momentum;
        let buffers = self.state.buffers_mut();
        for (name, batch) in
            [("running_mean", &forward.mean), ("running_variance", &forward.variance)]
        {
            let running = buffers.get_mut(name).expect("the layer made it");
            let batch = batch.view().insert_axis(Axis(0)).into_dyn();
            Zip::from(running).and(&batch).for_each(|r, &s| *r += alpha * (s - *r));
        }
        let BatchNormForward { y, x_hat, deviation, .. } = forward;
        let y = reshaped(y, shape.clone());
        if let Some(old) = self.cache.replace(Cache { shape, x_hat, deviation }) {
            recycle(old.x_hat);
        }
        Ok(y)
    }
    // ANCHOR_END: forward

    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let Cache { shape, x_hat, deviation } = self.state.cached(&self.cache)?;
        self.state.check_gradient(shape, &dl_dy)?;
        let (gamma, beta) = (self.gamma(), self.parameters().matrix("beta"));
        let gradients = {
            let (gamma, deviation, dl_dy) =
                (gamma.view(), deviation.view(), rows(dl_dy, self.n_out()));
            match self.activation() {
                Activation::Linear => {
                    batch_norm_backward(dl_dy, x_hat, deviation, gamma, beta, |_, dl_dy| dl_dy)
                }
                Activation::ReLU => {
                    batch_norm_backward(dl_dy, x_hat, deviation, gamma, beta, ReLU::gradient)
                }
                Activation::GELU => {
                    batch_norm_backward(dl_dy, x_hat, deviation, gamma, beta, GELU::gradient)
                }
                activation => {
                    let dl_dz = activation.backward_owned(&(x_hat * &gamma + beta), dl_dy)?;
                    batch_norm_backward(dl_dz, x_hat, deviation, gamma, beta, |_, dl_dz| dl_dz)
                }
            }
        };
        drop(gamma);
        let shape = shape.clone();
        // Backward needs the sums of dL/dγ in any case.
        let dl_dgamma = self.parameters().get("gamma").map(|_| ("gamma", gradients.dl_dgamma));
        let of_parameters = dl_dgamma.into_iter().chain([("beta", gradients.dl_dbeta)]);
        let of_parameters = of_parameters.map(|(name, gradient)| (name, gradient.into_dyn()));
        self.state.set_gradients(Parameters::new(of_parameters))?;
        Ok(reshaped(gradients.dl_dx, shape))
    }

    // ANCHOR: predict
    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        let (gamma, beta) = (self.gamma(), self.parameters().matrix("beta"));
        let mean = self.buffers().matrix("running_mean");
        let variance = self.buffers().matrix("running_variance");
        let (shape, eps, gamma) = (x.shape().to_vec(), self.eps, gamma.view());
        let x = rows(map(x, |x| x), self.n_out());
        let y = match self.activation() {
            Activation::ReLU => {
                batch_norm_predict(x, gamma, beta, mean, variance, eps, ReLU::value)
            }
            Activation::GELU => {
                batch_norm_predict(x, gamma, beta, mean, variance, eps, GELU::value)
            }
            activation => {
                let z = batch_norm_predict(x, gamma, beta, mean, variance, eps, |z| z);
                if activation == Activation::Linear { z } else { activation.forward(&z) }
            }
        };
        Ok(reshaped(y, shape))
    }
    // ANCHOR_END: predict
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_tiny_eps_keeps_a_constant_feature_from_0_by_0_in_single_precision() {
        let config = BatchNormConfig { eps: 1e-12, ..BatchNormConfig::default() };
        let mut layer = config.build::<f32>(&[2]).unwrap();
        // Means 2 and 5, variances 1 and 0.
        let y = layer.forward(array![[1.0, 5.0], [3.0, 5.0]].into_dyn()).unwrap();
        assert_eq!(y, array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
        let dl_dx = layer.backward(y).unwrap();
        assert!(dl_dx.iter().all(|d| d.is_finite()), "{dl_dx}");
    }

    #[test]
    fn invalid_configurations_are_refused() {
        let valid = BatchNormConfig::default();
        // In single precision the first is 0 and the second infinite.
        for eps in [1e-60, 1e60] {
            let built = BatchNormConfig { eps, ..valid }.build::<f32>(&[2]);
            let expected = format!("BatchNorm: eps must be finite and above 0, but is {eps}");
            assert_eq!(built.unwrap_err().to_string(), expected);
        }
        let error = valid.build::<f32>(&[]).unwrap_err().to_string();
        assert!(error.contains("[n] or [rows, cols, channels], each at least 1"), "{error}");
    }
}
