//! Bugs of activations.

use std::f64::consts::{PI, SQRT_2};
use std::sync::Arc;

use activations::{Activation, ActivationError};
use ndarray::{ArrayD, Axis, Zip};
use numerics::Scalar;

use super::Control;
use crate::Kind::{Course, Formula, Gradient, Oracle, Property};
use crate::{ActivationSubject, Kind, Subject};

type Forward = fn(&ArrayD<f64>) -> ArrayD<f64>;
type Backward = fn(&ArrayD<f64>, &ArrayD<f64>) -> ArrayD<f64>;

/// An activation made of two functions.
struct Pair {
    which: Activation,
    forward: Forward,
    backward: Backward,
}

impl ActivationSubject<f64> for Pair {
    fn forward(&self, z: &ArrayD<f64>) -> ArrayD<f64> {
        (self.forward)(z)
    }

    fn backward(
        &self,
        z: &ArrayD<f64>,
        dl_dy: &ArrayD<f64>,
    ) -> Result<ArrayD<f64>, ActivationError> {
        if z.shape() != dl_dy.shape() {
            // Refused as the real activation refuses it.
            return self.which.backward(z, dl_dy);
        }
        Ok((self.backward)(z, dl_dy))
    }
}

fn subject(which: Activation, forward: Forward, backward: Backward) -> Subject<f64> {
    Subject::Activation(which, Arc::new(Pair { which, forward, backward }))
}

/// `dL/dY ⊙ f(Z)`.
fn elementwise(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>, f: impl Fn(f64) -> f64) -> ArrayD<f64> {
    Zip::from(z).and(dl_dy).map_collect(|&z, &dl_dy| dl_dy * f(z))
}

fn relu(z: &ArrayD<f64>) -> ArrayD<f64> {
    z.mapv(|z| if z < 0.0 { 0.0 } else { z })
}

fn step(z: f64) -> f64 {
    if z.is_nan() { z } else { f64::from(u8::from(z >= 0.0)) }
}

fn relu_backward(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    elementwise(z, dl_dy, step)
}

fn sigmoid(z: &ArrayD<f64>) -> ArrayD<f64> {
    z.mapv(|z| {
        let e = (-z.abs()).exp();
        if z < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
    })
}

fn sigmoid_backward(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    elementwise(z, dl_dy, |z| 0.25 / (0.5 * z).cosh().powi(2))
}

/// The nearest finite number, whose product with 0 is 0.
fn finite(z: f64) -> f64 {
    z.clamp(f64::MIN, f64::MAX)
}

fn gelu(z: &ArrayD<f64>) -> ArrayD<f64> {
    z.mapv(|z| finite(z) * 0.5 * (-z / SQRT_2).complementary_error())
}

fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

fn gelu_backward(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    elementwise(z, dl_dy, |z| {
        0.5 * (-z / SQRT_2).complementary_error() + finite(z) * normal_density(z)
    })
}

/// `tanh(√(2/π) (z + 0.044715 z³))`, which is close to `erf(z / √2)`, and its derivative.
fn tanh_for_erf(z: f64) -> (f64, f64) {
    let t = ((2.0 / PI).sqrt() * (z + 0.044715 * z * z * z)).tanh();
    // 0 · ∞ far out, where tanh is flat.
    let flat = t.abs() == 1.0;
    let slope = if flat { 0.0 } else { (2.0 / PI).sqrt() * (1.0 + 3.0 * 0.044715 * z * z) };
    (t, (1.0 - t * t) * slope)
}

fn softmax_along(z: &ArrayD<f64>, axis: Axis, shift: bool) -> ArrayD<f64> {
    let mut y = z.clone();
    for mut row in y.lanes_mut(axis) {
        let max = if shift { row.fold(f64::NEG_INFINITY, |a, &z| a.max(z)) } else { 0.0 };
        row.mapv_inplace(|z| (z - max).exp());
        let sum = row.sum();
        row.mapv_inplace(|e| e / sum);
    }
    y
}

fn softmax(z: &ArrayD<f64>) -> ArrayD<f64> {
    softmax_along(z, Axis(z.ndim() - 1), true)
}

fn softmax_backward(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    let y = softmax(z);
    let last = Axis(z.ndim() - 1);
    let dot = (dl_dy * &y).sum_axis(last).insert_axis(last);
    y * (dl_dy - &dot)
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![
        subject(Activation::ReLU, relu, relu_backward),
        subject(Activation::Sigmoid, sigmoid, sigmoid_backward),
        subject(Activation::SoftMax, softmax, softmax_backward),
        subject(Activation::GELU, gelu, gelu_backward),
    ]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, which, bug, expected: &'static [Kind], forward, backward| Control {
        id,
        bug,
        expected,
        subject: subject(which, forward, backward),
    };
    vec![
        control(
            "relu-sign",
            Activation::ReLU,
            "backward has the wrong sign",
            &[Course, Gradient, Formula],
            relu,
            |z, dl_dy| -relu_backward(z, dl_dy),
        ),
        control(
            "relu-leak",
            Activation::ReLU,
            "backward lets the gradient pass where the input was negative",
            &[Course, Gradient, Formula],
            relu,
            |_, dl_dy| dl_dy.clone(),
        ),
        control(
            "relu-kink",
            Activation::ReLU,
            "the derivative at exactly 0 is 0 instead of 1",
            &[Formula],
            relu,
            |z, dl_dy| elementwise(z, dl_dy, |z| if z == 0.0 { 0.0 } else { step(z) }),
        ),
        control(
            "relu-nan",
            Activation::ReLU,
            "forward is max(z, 0), which turns NaN into 0",
            &[Property],
            |z| z.mapv(|z| z.max(0.0)),
            relu_backward,
        ),
        control(
            "relu-abs",
            Activation::ReLU,
            "forward reflects negative inputs instead of cutting them",
            &[Course, Gradient, Formula],
            |z| z.mapv(f64::abs),
            relu_backward,
        ),
        control(
            "sigmoid-half-derivative",
            Activation::Sigmoid,
            "backward uses σ(z) instead of σ(z) (1 - σ(z))",
            &[Course, Gradient, Formula],
            sigmoid,
            |z, dl_dy| dl_dy * &sigmoid(z),
        ),
        control(
            "sigmoid-overflow",
            Activation::Sigmoid,
            "forward computes eᶻ / (1 + eᶻ), which is NaN for large z",
            &[Property],
            |z| z.mapv(|z| z.exp() / (1.0 + z.exp())),
            sigmoid_backward,
        ),
        control(
            "tanh-derivative-of-input",
            Activation::TanH,
            "backward uses 1 - z² instead of 1 - tanh² z",
            &[Course, Gradient, Formula],
            |z| z.mapv(f64::tanh),
            |z, dl_dy| elementwise(z, dl_dy, |z| 1.0 - z * z),
        ),
        control(
            "arctan-square",
            Activation::ArcTan,
            "backward uses 1 / (1 + z)² instead of 1 / (1 + z²)",
            &[Course, Gradient, Formula],
            |z| z.mapv(f64::atan),
            |z, dl_dy| elementwise(z, dl_dy, |z| 1.0 / (1.0 + z).powi(2)),
        ),
        control(
            "gelu-tanh",
            Activation::GELU,
            "forward and backward are those of the approximation by tanh",
            &[Oracle, Formula],
            |z| z.mapv(|z| 0.5 * finite(z) * (1.0 + tanh_for_erf(z).0)),
            |z, dl_dy| {
                elementwise(z, dl_dy, |z| {
                    let (t, slope) = tanh_for_erf(z);
                    0.5 * (1.0 + t) + 0.5 * finite(z) * slope
                })
            },
        ),
        control(
            "gelu-no-density",
            Activation::GELU,
            "backward uses Φ(z) and forgets z φ(z), as if Φ were constant",
            &[Oracle, Gradient, Formula],
            gelu,
            |z, dl_dy| elementwise(z, dl_dy, |z| 0.5 * (-z / SQRT_2).complementary_error()),
        ),
        control(
            "gelu-cancels",
            Activation::GELU,
            "forward computes 1 + erf, which is 0 in the left tail",
            &[Property],
            |z| z.mapv(|z| 0.5 * finite(z) * (2.0 - (z / SQRT_2).complementary_error())),
            gelu_backward,
        ),
        control(
            "softmax-no-shift",
            Activation::SoftMax,
            "forward does not subtract the row maximum and overflows",
            &[Property],
            |z| softmax_along(z, Axis(z.ndim() - 1), false),
            softmax_backward,
        ),
        control(
            "softmax-axis",
            Activation::SoftMax,
            "forward normalises over the examples instead of the classes",
            &[Course, Gradient, Formula, Property],
            |z| softmax_along(z, Axis(0), true),
            softmax_backward,
        ),
        control(
            "softmax-diagonal",
            Activation::SoftMax,
            "backward uses only the diagonal of the Jacobian",
            &[Course, Gradient, Formula],
            softmax,
            |z, dl_dy| {
                let y = softmax(z);
                dl_dy * &y * &y.mapv(|y| 1.0 - y)
            },
        ),
        control(
            "softmax-whole-batch",
            Activation::SoftMax,
            "backward takes the dot product over the whole batch instead of each row",
            &[Course, Gradient, Formula],
            softmax,
            |z, dl_dy| {
                let y = softmax(z);
                let dot = (dl_dy * &y).sum();
                &y * &(dl_dy - dot)
            },
        ),
    ]
}
