//! Batch normalisation.

use activations::{Activation, ElementWise, GELU, ReLU};
use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis, CowArray, Ix2, Zip};
use numerics::{Scalar, map, recycle};
use serde::{Deserialize, Serialize};

use crate::reshape::reshaped;
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
        let row = vec![1, input_shape.last().copied().unwrap_or(1)];
        let (zeros, ones) = (ArrayD::zeros(row.clone()), ArrayD::ones(row));
        let gamma = scale.then(|| ("gamma", ones.clone()));
        let parameters = Parameters::new(gamma.into_iter().chain([("beta", zeros.clone())]));
        let buffers = Parameters::new([("running_mean", zeros), ("running_variance", ones)]);
        let state = LayerState::new(shapes, activation, parameters).with_buffers(buffers);
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
        if !(eps.is_finite() && T::of(eps) >= T::TINY && T::of(eps).is_finite()) {
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
/// Question 7 (layers for training). Ioffe and Szegedy (2015).
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
    fn state(&self) -> &LayerState<T> {
        &self.state
    }

    fn state_mut(&mut self) -> &mut LayerState<T> {
        &mut self.state
    }

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let shape = x.shape().to_vec();
        let (gamma, beta) = (self.gamma(), self.parameters().matrix("beta"));
        let forward = forward_activated(self.activation(), rows(x), gamma.view(), beta, self.eps);
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
        let Some(Cache { shape, x_hat, deviation }) = &self.cache else {
            return Err(LayerError::BackwardBeforeForward { layer: KIND });
        };
        self.state.check_gradient(shape, &dl_dy)?;
        let (gamma, beta) = (self.gamma(), self.parameters().matrix("beta"));
        let gradients = {
            let (gamma, deviation, dl_dy) = (gamma.view(), deviation.view(), rows(dl_dy));
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
                    let dl_dz = activation.backward(&(x_hat * &gamma + beta), &dl_dy)?;
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
        let x = rows(map(x, |x| x));
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

    fn clear_cache(&mut self) {
        self.cache = None;
    }
}

/// The usual activations are computed in the pass that makes their input, the others in one of their own.
fn forward_activated<T: Scalar>(
    activation: Activation,
    x: Array2<T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    eps: T,
) -> BatchNormForward<T> {
    match activation {
        Activation::ReLU => batch_norm_forward(x, gamma, beta, eps, ReLU::value),
        Activation::GELU => batch_norm_forward(x, gamma, beta, eps, GELU::value),
        Activation::Linear => batch_norm_forward(x, gamma, beta, eps, |z| z),
        activation => {
            let linear = batch_norm_forward(x, gamma, beta, eps, |z| z);
            BatchNormForward { y: activation.forward(&linear.y), ..linear }
        }
    }
}

/// One row for each example, or for each pixel of each image.
fn rows<T: Scalar>(x: ArrayD<T>) -> Array2<T> {
    let n = x.shape().last().copied().unwrap_or(1);
    let count = x.len() / n;
    reshaped(x, (count, n))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn layer(momentum: f64) -> BatchNorm<f64> {
        BatchNormConfig { momentum, ..BatchNormConfig::default() }.build(&[2]).unwrap()
    }

    #[test]
    fn the_running_statistics_move_by_the_momentum() {
        let mut layer = layer(0.25);
        // Means 2 and 0, variances ((1 - 2)² + (3 - 2)²) / 2 = 1 and 4.
        layer.forward(array![[1.0, -2.0], [3.0, 2.0]].into_dyn()).unwrap();
        // 0.75 · 0 + 0.25 · 2; 0.75 · 1 + 0.25 · 1 and 0.75 · 1 + 0.25 · 4.
        assert_eq!(layer.buffers()["running_mean"], array![[0.5, 0.0]].into_dyn());
        assert_eq!(layer.buffers()["running_variance"], array![[1.0, 1.75]].into_dyn());
    }

    #[test]
    fn a_restored_layer_predicts_as_the_one_that_was_saved() {
        let mut trained = layer(0.1);
        trained.forward(array![[1.0, -2.0], [3.0, 2.0]].into_dyn()).unwrap();
        let mut restored = layer(0.1);
        for (name, value) in trained.buffers().iter() {
            restored.set_buffer(name, value).unwrap();
        }
        let x = array![[0.5, 0.25]].into_dyn();
        assert_eq!(restored.predict(&x), trained.predict(&x));
        let wrong = restored.set_buffer("running_mean", &ArrayD::zeros(vec![2])).unwrap_err();
        assert!(matches!(wrong, LayerError::BufferShape { name: "running_mean", .. }), "{wrong}");
        let unknown = restored.set_buffer("mean", &ArrayD::zeros(vec![1, 2])).unwrap_err();
        assert!(matches!(unknown, LayerError::UnknownBuffer { .. }), "{unknown}");
    }

    #[test]
    fn a_single_row_becomes_beta() {
        let mut layer = layer(0.1);
        layer.set_parameter("beta", &array![[3.0, -1.0]].into_dyn()).unwrap();
        let y = layer.forward(array![[5.0, 7.0]].into_dyn()).unwrap();
        assert_eq!(y, array![[3.0, -1.0]].into_dyn());
        assert_eq!(layer.backward(y).unwrap(), array![[0.0, 0.0]].into_dyn());
    }

    #[test]
    fn a_tiny_eps_and_a_large_momentum_are_taken_in_single_precision() {
        let config = BatchNormConfig { eps: 1e-12, momentum: 0.4, ..BatchNormConfig::default() };
        let mut layer = config.build::<f32>(&[2]).unwrap();
        // Means 2 and 5, variances 1 and 0: the constant feature is β = 0, not 0/0.
        let y = layer.forward(array![[1.0, 5.0], [3.0, 5.0]].into_dyn()).unwrap();
        assert_eq!(y, array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
        let running = &layer.buffers()["running_mean"];
        approx::assert_abs_diff_eq!(*running, array![[0.8, 2.0]].into_dyn(), epsilon = 1e-6);
        let dl_dx = layer.backward(y).unwrap();
        assert!(dl_dx.iter().all(|d| d.is_finite()), "{dl_dx}");
    }

    #[test]
    fn invalid_configurations_are_refused() {
        let build = |eps, momentum, shape: &[usize]| {
            let built =
                BatchNormConfig { eps, momentum, ..BatchNormConfig::default() }.build::<f32>(shape);
            built.unwrap_err().to_string()
        };
        for eps in [0.0, -1e-5, f64::NAN, f64::INFINITY, 1e-60, 1e60] {
            let expected = format!("BatchNorm: eps must be finite and above 0, but is {eps}");
            assert_eq!(build(eps, 0.1, &[2]), expected);
        }
        for momentum in [0.0, 1.5, -0.1, f64::NAN] {
            assert!(build(1e-5, momentum, &[2]).contains("the momentum must be in (0, 1]"));
        }
        for shape in [&[][..], &[0], &[2, 2], &[0, 4, 3]] {
            assert!(build(1e-5, 0.1, shape).contains("[rows, cols, channels]"), "{shape:?}");
        }
    }
}
