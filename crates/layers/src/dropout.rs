//! Dropout.

use activations::Activation;
use ndarray::{Array2, ArrayD, IxDyn};
use numerics::{Rng, Scalar};
use serde::{Deserialize, Serialize};

use crate::reshape::{reshaped, rows};
use crate::{
    Layer, LayerConfig, LayerError, LayerShapes, LayerState, dropout_backward, dropout_forward,
    dropout_mask,
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
        let state = LayerState::new(shapes, Activation::Linear).with(SEED, to_digits(rng.seed()));
        Ok(Dropout { state, rate: self.rate, cache: None })
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
/// Question 7. Srivastava et al. (2014).
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
    crate::state_of!(T);

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let shape = x.shape().to_vec();
        let x = rows(x, shape[1..].iter().product());
        let mask = dropout_mask(&mut self.next_step(), x.dim(), self.rate);
        let y = dropout_forward(x.view(), mask.view());
        self.cache = Some(Cache { shape: shape.clone(), mask });
        Ok(reshaped(y, shape))
    }
    // ANCHOR_END: forward

    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let Cache { shape, mask } = self.state.cached(&self.cache)?;
        self.state.check_gradient(shape, &dl_dy)?;
        let dl_dy = rows(dl_dy, mask.ncols());
        Ok(reshaped(dropout_backward(dl_dy.view(), mask.view()), shape.clone()))
    }

    // ANCHOR: predict
    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        Ok(x.clone())
    }
    // ANCHOR_END: predict

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

// A whole number of 64 bits is kept as digits in base 2¹⁶, the lowest first: an `f32` counts exactly only up to 2²⁴.

/// The values of a digit, in words.
const DIGIT: &str = "whole numbers from 0 to 65535";
const BITS: usize = 16;
/// Digits of a number.
const DIGITS: usize = u64::BITS as usize / BITS;

/// The digits of `number`, of shape `(4)`.
fn to_digits<T: Scalar>(number: u64) -> ArrayD<T> {
    let digit = |index: usize| T::of(((number >> (BITS * index)) & 0xffff) as f64);
    ArrayD::from_shape_fn(IxDyn(&[DIGITS]), |at| digit(at[0]))
}

/// The number with these digits; an element that is none counts as the nearest one.
fn from_digits<T: Scalar>(digits: &ArrayD<T>) -> u64 {
    let placed = |(index, digit): (usize, &T)| u64::from(digit.as_f64() as u16) << (BITS * index);
    digits.iter().take(DIGITS).enumerate().map(placed).sum()
}

/// Whether an element is a digit.
fn is_digit<T: Scalar>(element: T) -> bool {
    let element = element.as_f64();
    f64::from(element as u16) == element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_back_through_single_precision() {
        for number in [0x0004_0003_0002_0001, 0, 65_535, 65_536, (1 << 53) + 1, u64::MAX] {
            let digits = to_digits::<f32>(number);
            assert!(digits.iter().all(|&digit| is_digit(digit)));
            assert_eq!(from_digits(&digits), number);
        }
        assert!([-1.0, 0.5, 65_536.0, f32::NAN].iter().all(|&element| !is_digit(element)));
    }

    #[test]
    fn a_buffer_that_is_no_array_of_digits_is_refused() {
        let mut layer =
            DropoutConfig { rate: 0.5 }.build::<f32>(&[3, 2, 4], &mut Rng::new(1)).unwrap();
        let before = layer.buffers().clone();
        let half = "buffer step must hold whole numbers from 0 to 65535, and cannot be set to 0.5";
        for (name, value, expected) in [
            ("step", &[1.0, 0.5, 0.0, 0.0][..], half),
            ("seed", &[f32::NAN; 4], "buffer seed must hold whole numbers"),
            ("seed", &[1.0, 2.0], "buffer seed has shape [4] and cannot be set to one of [2]"),
            ("mask", &[0.5], "unknown buffer \"mask\": expected one of [\"seed\", \"step\"]"),
        ] {
            let value = ArrayD::from_shape_vec(vec![value.len()], value.to_vec()).unwrap();
            let error = layer.set_buffer(name, &value).unwrap_err().to_string();
            assert!(error.starts_with(&format!("Dropout: {expected}")), "{error}");
        }
        assert_eq!(layer.buffers(), &before);
    }
}
