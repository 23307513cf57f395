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

/// The chain rule of every element-wise activation, in full and with its sums collapsed.
pub(super) fn free_checks() -> Vec<Check> {
    let draw = |case: &mut Case| {
        let (activation, derivative) = DERIVATIVES[case.between(0, DERIVATIVES.len() - 1)];
        let (m, n) = (case.between(1, 4), case.between(1, 4));
        case.describe(format!("{activation}, Z [{m}, {n}]"));
        (activation, derivative, case.array(&[m, n]) * 3.0, case.array(&[m, n]))
    };
    vec![
        // dL/dZ[n, j] = Σ_n' Σ_j' dL/dY[n', j'] ∂Y[n', j']/∂Z[n, j], with the Jacobian
        // ∂Y[n', j']/∂Z[n, j] = σ'(Z[n, j]) δ_nn' δ_jj'.
        formula("4.1", "elementwise-chain", HANDFUL, move |case| {
            let (activation, derivative, z, dl_dy) = draw(case);
            let jacobian = |y: [usize; 2], x: [usize; 2]| {
                let delta = |a, b| if a == b { 1.0 } else { 0.0 };
                derivative(z[x]) * delta(y[0], x[0]) * delta(y[1], x[1])
            };
            let dl_dz = ArrayD::from_shape_fn(z.raw_dim(), |at| {
                let mut sum = 0.0;
                for n in 0..z.shape()[0] {
                    for j in 0..z.shape()[1] {
                        sum += dl_dy[[n, j]] * jacobian([n, j], [at[0], at[1]]);
                    }
                }
                sum
            });
            case.compare("dL/dZ", &activation.backward(&z, &dl_dy)?, &dl_dz)
        }),
        // dL/dZ[n, j] = dL/dY[n, j] σ'(Z[n, j]).
        formula("4.1", "elementwise-backward", HANDFUL, move |case| {
            let (activation, derivative, z, dl_dy) = draw(case);
            let dl_dz = ArrayD::from_shape_fn(z.raw_dim(), |at| dl_dy[&at] * derivative(z[&at]));
            case.compare("dL/dZ", &activation.backward(&z, &dl_dy)?, &dl_dz)
        }),
    ]
}

/// The element-wise activations of the course with their derivatives.
const DERIVATIVES: [(Activation, fn(f64) -> f64); 5] = [
    (Activation::Linear, |_| 1.0),
    (Activation::ReLU, relu_derivative),
    (Activation::Sigmoid, sigmoid_derivative),
    (Activation::TanH, tanh_derivative),
    (Activation::ArcTan, arctan_derivative),
];

/// 0 where z < 0, 1 otherwise: the kink belongs to the right branch.
fn relu_derivative(z: f64) -> f64 {
    if z < 0.0 { 0.0 } else { 1.0 }
}

fn sigmoid_derivative(z: f64) -> f64 {
    let y = 1.0 / (1.0 + (-z).exp());
    y * (1.0 - y)
}

fn tanh_derivative(z: f64) -> f64 {
    1.0 - z.tanh() * z.tanh()
}

fn arctan_derivative(z: f64) -> f64 {
    1.0 / (1.0 + z * z)
}

pub(super) fn checks(activation: Activation, implementation: &Implementation) -> Vec<Check> {
    let backward = |name, bound, derivative| backward(name, bound, implementation, derivative);
    match activation {
        Activation::ReLU => {
            vec![relu_forward(implementation), backward("relu-backward", EXACT, relu_derivative)]
        }
        Activation::Linear => vec![backward("linear-backward", EXACT, |_| 1.0)],
        Activation::Sigmoid => vec![backward("sigmoid-backward", HANDFUL, sigmoid_derivative)],
        Activation::TanH => vec![backward("tanh-backward", HANDFUL, tanh_derivative)],
        Activation::ArcTan => vec![backward("arctan-backward", HANDFUL, arctan_derivative)],
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
