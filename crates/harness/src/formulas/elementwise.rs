//! Activations that act on each element: question 4.1, and those that the course gives.

use std::sync::Arc;

use activations::Activation;
use ndarray::{ArrayD, Zip};

use super::{EXACT, formula};
use crate::cases::{Case, Failure};
use crate::{ActivationSubject, Check};

type Implementation = Arc<dyn ActivationSubject<f64>>;

/// A handful of roundings of numbers of magnitude at most 1, each by at most 1.1e-16.
const HANDFUL: f64 = 1e-15;

pub(super) fn checks(activation: Activation, implementation: &Implementation) -> Vec<Check> {
    let backward = |name, bound, derivative| backward(name, bound, implementation, derivative);
    match activation {
        Activation::ReLU => vec![
            relu_forward(implementation),
            // 0 where z < 0, 1 otherwise: the kink belongs to the right branch.
            backward("relu-backward", EXACT, |z| if z < 0.0 { 0.0 } else { 1.0 }),
        ],
        Activation::Linear => vec![backward("linear-backward", EXACT, |_| 1.0)],
        Activation::Sigmoid => vec![backward("sigmoid-backward", HANDFUL, |z| {
            let y = 1.0 / (1.0 + (-z).exp());
            y * (1.0 - y)
        })],
        Activation::TanH => vec![backward("tanh-backward", HANDFUL, |z| 1.0 - z.tanh() * z.tanh())],
        Activation::ArcTan => vec![backward("arctan-backward", HANDFUL, |z| 1.0 / (1.0 + z * z))],
        // They have files of their own.
        Activation::SoftMax | Activation::GELU => vec![],
    }
}

/// `σ(γ) = 0` if `γ < 0`, `γ` otherwise.
fn relu_forward(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.1", "relu-forward", EXACT, move |case| {
        let z = pre_activation(case);
        let mut y = z.clone();
        for y in &mut y {
            if *y < 0.0 {
                *y = 0.0;
            }
        }
        case.compare("Y", &implementation.forward(&z), &y)
    })
}

/// `dL/dZ[i] = dL/dY[i] σ'(Z[i])`.
fn backward(
    name: &str,
    bound: f64,
    implementation: &Implementation,
    derivative: fn(f64) -> f64,
) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.1", name, bound, move |case| -> Result<(), Failure> {
        let z = pre_activation(case);
        let dl_dy = case.array(z.shape());
        let dl_dz = Zip::from(&z).and(&dl_dy).map_collect(|&z, &dl_dy| dl_dy * derivative(z));
        case.compare("dL/dZ", &implementation.backward(&z, &dl_dy)?, &dl_dz)
    })
}

/// Any number of axes; multiples of 1/4 in `[-3, 3]`, so that zeros, of both signs, are among them.
fn pre_activation(case: &mut Case) -> ArrayD<f64> {
    let axes = case.between(1, 4);
    let shape = case.shape(axes, 5);
    case.describe(format!("Z {shape:?}"));
    ArrayD::from_shape_simple_fn(shape, || {
        let quarter = case.between(0, 25) as f64;
        if quarter == 25.0 { -0.0 } else { (quarter - 12.0) / 4.0 }
    })
}
