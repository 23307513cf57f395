//! Losses: question 4.4.

use std::sync::Arc;

use losses::Loss;
use ndarray::Array2;

use super::formula;
use crate::cases::{Case, Failure};
use crate::{Check, LossSubject};

type Implementation = Arc<dyn LossSubject<f64>>;

/// A loss is at most 27: half of 6 squared differences of numbers in `[-1.5, 1.5)`, each at most 9
/// (logarithms stay below 4.7, since probabilities are at least `1 / (1 + 5 e³)`). It is a sum of at
/// most 36 terms, and each term has a few roundings of its own, so it is off by at most `40 · 27 u`, in
/// both ways of computing it: `2 · 40 · 27 u = 2.4e-13`.
const MEAN: f64 = 2.5e-13;

/// A gradient of cross-entropy is at most `1 + 5 e³ = 101` and takes a handful of roundings, each by
/// at most 7.1e-15.
const QUOTIENT: f64 = 1e-13;

pub(super) fn checks(loss: Loss, implementation: &Implementation) -> Vec<Check> {
    match loss {
        Loss::CrossEntropy => vec![
            forward("cross-entropy", loss, implementation, cross_entropy),
            backward("cross-entropy-backward", loss, implementation, |y, p| {
                // dJ/dŶ[i, k] = -Y[i, k] / (m Ŷ[i, k]).
                let m = y.nrows() as f64;
                Array2::from_shape_fn(y.dim(), |at| -y[at] / (m * p[at]))
            }),
        ],
        Loss::L2 => vec![
            forward("l2", loss, implementation, |y, p| {
                // L = 1/(2 m) Σᵢ Σₖ (Ŷ[i, k] - Y[i, k])².
                let (m, k) = y.dim();
                let mut sum = 0.0;
                for i in 0..m {
                    for j in 0..k {
                        sum += (p[[i, j]] - y[[i, j]]).powi(2);
                    }
                }
                sum / (2 * m) as f64
            }),
            backward("l2-backward", loss, implementation, |y, p| {
                // dL/dŶ[i, k] = (Ŷ[i, k] - Y[i, k]) / m.
                let m = y.nrows() as f64;
                Array2::from_shape_fn(y.dim(), |at| (p[at] - y[at]) / m)
            }),
        ],
        Loss::SoftmaxCrossEntropy => vec![
            forward("softmax-cross-entropy", loss, implementation, |y, z| {
                // L = 1/m Σᵢ (ln Σⱼ e^z[i, j] - Σⱼ y[i, j] z[i, j]).
                let (m, k) = y.dim();
                let mut sum = 0.0;
                for i in 0..m {
                    let exponentials: f64 = (0..k).map(|j| z[[i, j]].exp()).sum();
                    let dot: f64 = (0..k).map(|j| y[[i, j]] * z[[i, j]]).sum();
                    sum += exponentials.ln() - dot;
                }
                sum / m as f64
            }),
            composed(implementation),
            backward("softmax-cross-entropy-backward", loss, implementation, |y, z| {
                // dL/dz[i, k] = (softmax(z)[i, k] - y[i, k]) / m.
                let p = softmax(z);
                let m = y.nrows() as f64;
                Array2::from_shape_fn(y.dim(), |at| (p[at] - y[at]) / m)
            }),
        ],
    }
}

/// `J = -1/m Σᵢ Σₖ Y[i, k] ln Ŷ[i, k]`.
fn cross_entropy(y: &Array2<f64>, p: &Array2<f64>) -> f64 {
    let (m, k) = y.dim();
    let mut sum = 0.0;
    for i in 0..m {
        for j in 0..k {
            sum += y[[i, j]] * p[[i, j]].ln();
        }
    }
    -sum / m as f64
}

/// `σ(z)[i, k] = e^z[i, k] / Σⱼ e^z[i, j]`.
fn softmax(z: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn(z.dim(), |(i, k)| {
        let sum: f64 = (0..z.ncols()).map(|j| z[[i, j]].exp()).sum();
        z[[i, k]].exp() / sum
    })
}

/// The fused loss of logits is the cross-entropy of their softmax.
fn composed(implementation: &Implementation) -> Check {
    forward("softmax-cross-entropy-composed", Loss::SoftmaxCrossEntropy, implementation, |y, z| {
        cross_entropy(y, &softmax(z))
    })
}

fn forward(
    name: &str,
    loss: Loss,
    implementation: &Implementation,
    literal: fn(&Array2<f64>, &Array2<f64>) -> f64,
) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.4", name, MEAN, move |case| {
        let (target, output) = mini_batch(loss, case);
        let got = implementation.forward(&target, &output)?;
        case.compare_numbers("L", got, literal(&target, &output));
        Ok(())
    })
}

fn backward(
    name: &str,
    loss: Loss,
    implementation: &Implementation,
    literal: fn(&Array2<f64>, &Array2<f64>) -> Array2<f64>,
) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.4", name, QUOTIENT, move |case| -> Result<(), Failure> {
        let (target, output) = mini_batch(loss, case);
        let got = implementation.backward(&target, &output)?;
        case.compare("dL/dŶ", &got, &literal(&target, &output))
    })
}

/// A target and an output: distributions or numbers, as the loss wants them.
fn mini_batch(loss: Loss, case: &mut Case) -> (Array2<f64>, Array2<f64>) {
    let shape = (case.between(1, 6), case.between(1, 6));
    case.describe(format!("Y and Ŷ {shape:?}"));
    let numbers = |case: &mut Case| -> Array2<f64> { case.rng.uniform_array(shape, -1.5, 1.5) };
    let target = match (loss, case.between(0, 1)) {
        (Loss::L2, _) => numbers(case),
        (_, 0) => softmax(&numbers(case)),
        _ => {
            let mut one_hot = Array2::zeros(shape);
            for mut row in one_hot.rows_mut() {
                row[case.between(0, shape.1 - 1)] = 1.0;
            }
            one_hot
        }
    };
    let output = match loss {
        Loss::CrossEntropy => softmax(&numbers(case)),
        Loss::L2 | Loss::SoftmaxCrossEntropy => numbers(case),
    };
    (target, output)
}
