//! Dropout.

use activations::Activation;
use ndarray::{Array2, ArrayD};
use numerics::{Rng, Scalar};
use serde::{Deserialize, Serialize};

use crate::digits::{DIGIT, DIGITS, from_digits, is_digit, to_digits};
use crate::reshape::reshaped;
use crate::{
    Layer, LayerConfig, LayerError, LayerShapes, LayerState, Parameters, dropout_backward,
    dropout_forward, dropout_mask,
};

/// Declares a [`Dropout`] layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutConfig {
    /// The probability that an element is dropped, in `[0, 1)`.
    pub rate: f64,
}

impl DropoutConfig {
    /// The layer for examples of any shape. The seed of its masks is drawn from `rng`.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if the rate is not in `[0, 1)`, or an example has no element;
    /// [`LayerError::Size`] if it has too many.
    pub fn build<T: Scalar>(
        &self,
        input_shape: &[usize],
        rng: &mut Rng,
    ) -> Result<Dropout<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let buffers = Parameters::new([(SEED, to_digits(rng.seed())), (STEP, to_digits(0))]);
        let state = LayerState::new(shapes, Activation::Linear, Parameters::none());
        Ok(Dropout { state: state.with_buffers(buffers), rate: self.rate, cache: None })
    }
}

impl<T: Scalar> LayerConfig<T> for DropoutConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        if !(0.0..1.0).contains(&self.rate) {
            return Err(LayerError::configuration(KIND, "the rate", "in [0, 1)", self.rate));
        }
        if input_shape.is_empty() || input_shape.contains(&0) {
            let (what, got) = ("the shape of an example", format!("{input_shape:?}"));
            let expected = "one or more axes, each at least 1";
            return Err(LayerError::configuration(KIND, what, expected, got));
        }
        let shapes = LayerShapes::new(KIND, input_shape, input_shape)?;
        shapes.buffer(SEED, &[DIGITS])?.buffer(STEP, &[DIGITS])
    }

    crate::build_boxed!(DropoutConfig, |config, shape, rng| config.build(shape, rng));
}

/// Drops elements at random while training: `Y = M ⊙ X`, where each element of the mask M is 0 with
/// probability `rate` and `1 / (1 - rate)` otherwise, so that `E[Y] = X`. A prediction is `Y = X`.
///
/// The mask of training step t is [`dropout_mask`] of stream t of the layer's seed. Seed and t are the
/// buffers `seed` and `step`: each [`forward`](Layer::forward) takes one step, and a layer whose
/// buffers are restored goes on with the same masks. Buffers are arrays of `T`, so each is four
/// digits in base 2¹⁶, the lowest first, which an `f32` holds exactly.
///
/// # Shapes
/// `x` and `y`: `(m, ...)`; `seed`, `step`: `(4)`.
///
/// Question 7 (layers for training). Srivastava et al. (2014).
#[derive(Clone, Debug)]
pub struct Dropout<T> {
    state: LayerState<T>,
    rate: f64,
    cache: Option<Cache<T>>,
}

const KIND: &str = "Dropout";
const SEED: &str = "seed";
const STEP: &str = "step";

/// Results of the forward pass that backward needs.
#[derive(Clone, Debug)]
struct Cache<T> {
    shape: Vec<usize>,
    mask: Array2<T>,
}

impl<T: Scalar> Dropout<T> {
    /// The generator of the mask of this step. The next one is for the next step.
    fn next_step(&mut self) -> Rng {
        let buffers = self.state.buffers_mut();
        let (seed, step) = (from_digits(&buffers[SEED]), from_digits(&buffers[STEP]));
        *buffers.get_mut(STEP).expect("the layer made it") = to_digits(step.wrapping_add(1));
        Rng::with_stream(seed, step)
    }
}

impl<T: Scalar> Layer<T> for Dropout<T> {
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
        let x = rows(x);
        let mask = dropout_mask(&mut self.next_step(), x.dim(), self.rate);
        let y = dropout_forward(x.view(), mask.view());
        self.cache = Some(Cache { shape: shape.clone(), mask });
        Ok(reshaped(y, shape))
    }
    // ANCHOR_END: forward

    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let Some(Cache { shape, mask }) = &self.cache else {
            return Err(LayerError::BackwardBeforeForward { layer: KIND });
        };
        self.state.check_gradient(shape, &dl_dy)?;
        Ok(reshaped(dropout_backward(rows(dl_dy).view(), mask.view()), shape.clone()))
    }

    // ANCHOR: predict
    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        Ok(x.clone())
    }
    // ANCHOR_END: predict

    fn clear_cache(&mut self) {
        self.cache = None;
    }

    fn set_buffer(&mut self, name: &str, value: &ArrayD<T>) -> Result<(), LayerError> {
        if let Some(name) = [SEED, STEP].into_iter().find(|&own| own == name)
            && let Some(got) = value.iter().find(|&&element| !is_digit(element))
        {
            let got = got.to_string();
            return Err(LayerError::BufferValue { layer: KIND, name, expected: DIGIT, got });
        }
        self.state.set_buffer(name, value)
    }
}

/// One row for each example.
fn rows<T: Scalar>(x: ArrayD<T>) -> Array2<T> {
    let m = x.shape()[0];
    let n = x.len() / m;
    reshaped(x, (m, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_no_array_of_digits_is_refused() {
        let mut layer =
            DropoutConfig { rate: 0.5 }.build::<f32>(&[3, 2, 4], &mut Rng::new(1)).unwrap();
        let before = layer.buffers().clone();
        let mut refusal = |name: &str, value: &[f32]| {
            let value = ArrayD::from_shape_vec(vec![value.len()], value.to_vec()).unwrap();
            layer.set_buffer(name, &value).unwrap_err().to_string()
        };
        let expected = "Dropout: buffer step must hold whole numbers from 0 to 65535, and cannot be \
             set to 0.5";
        assert_eq!(refusal("step", &[1.0, 0.5, 0.0, 0.0]), expected);
        assert!(refusal("seed", &[f32::NAN; 4]).contains("cannot be set to NaN"));
        assert!(refusal("seed", &[1.0, 2.0]).contains("has shape [4]"));
        assert!(refusal("mask", &[0.5]).contains("unknown buffer \"mask\""));
        assert_eq!(layer.buffers(), &before);
    }

    #[test]
    fn invalid_configurations_are_refused() {
        let build = |rate, shape: &[usize]| {
            let built = DropoutConfig { rate }.build::<f32>(shape, &mut Rng::new(0));
            built.unwrap_err().to_string()
        };
        for rate in [1.0, -0.1, 1.5, f64::NAN, f64::INFINITY] {
            let expected = format!("Dropout: the rate must be in [0, 1), but is {rate}");
            assert_eq!(build(rate, &[2]), expected);
        }
        for shape in [&[][..], &[0], &[2, 0, 3]] {
            assert!(build(0.5, shape).contains("one or more axes"), "{shape:?}");
        }
    }
}
