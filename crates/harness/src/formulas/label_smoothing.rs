//! Label smoothing: layers for training, question 7.

use std::sync::Arc;

use losses::Loss;
use ndarray::Array2;

use super::formula;
use crate::cases::{Case, Failure};
use crate::{Check, SmoothingSubject};

/// Two roundings of numbers of at most 1.
const ELEMENT: f64 = 4e-16;

/// As for the losses: 36 terms of magnitude at most 9.
const MEAN: f64 = 1e-13;

type Implementation = Arc<dyn SmoothingSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let check = |name, bound, one: fn(&dyn SmoothingSubject<f64>, &mut Case) -> _| {
        let implementation = Arc::clone(implementation);
        formula("7", name, bound, move |case| one(implementation.as_ref(), case))
    };
    vec![
        check("label-smoothing", ELEMENT, element),
        check("label-smoothing-loss", MEAN, loss),
        check("label-smoothing-backward", MEAN, backward),
        check("label-smoothing-minimum", MEAN, minimum),
    ]
}

/// `Ỹ[i, j] = (1 - ε) Y[i, j] + ε/k`.
fn element(implementation: &dyn SmoothingSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let Drawn { target, eps, .. } = draw(case);
    let k = target.ncols() as f64;
    let expected = target.mapv(|y| (1.0 - eps) * y + eps / k);
    case.compare("Ỹ", &implementation.smooth(&target, eps)?, &expected)
}

/// `L(Ỹ) = (1 - ε) L(Y) + ε L(U)`, where every number of U is 1/k, both written out from the logits.
fn loss(implementation: &dyn SmoothingSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let Drawn { target, eps, logits } = draw(case);
    let (m, k) = target.dim();
    let mut sum = 0.0;
    for i in 0..m {
        let log_sum = (0..k).map(|j| logits[[i, j]].exp()).sum::<f64>().ln();
        for j in 0..k {
            let surprise = log_sum - logits[[i, j]];
            sum += (1.0 - eps) * target[[i, j]] * surprise + eps * surprise / k as f64;
        }
    }
    let smoothed = implementation.smooth(&target, eps)?;
    let got = Loss::SoftmaxCrossEntropy.forward(smoothed.view(), logits.view())?;
    case.compare_numbers("L", got, sum / m as f64);
    Ok(())
}

/// `dL/dZ[i, j] = (softmax(Z)[i, j] - (1 - ε) Y[i, j] - ε/k) / m`.
fn backward(implementation: &dyn SmoothingSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let Drawn { target, eps, logits } = draw(case);
    let (m, k) = target.dim();
    let expected = Array2::from_shape_fn((m, k), |(i, j)| {
        let sum: f64 = (0..k).map(|l| logits[[i, l]].exp()).sum();
        let p = logits[[i, j]].exp() / sum;
        (p - (1.0 - eps) * target[[i, j]] - eps / k as f64) / m as f64
    });
    let smoothed = implementation.smooth(&target, eps)?;
    let got = Loss::SoftmaxCrossEntropy.backward(smoothed.view(), logits.view())?;
    case.compare("dL/dZ", &got, &expected)
}

/// The smallest loss of one-hot targets: with `a = 1 - ε + ε/k` and `b = ε/k` it is
/// `-a ln a - (k - 1) b ln b`, at logits whose softmax is Ỹ.
fn minimum(implementation: &dyn SmoothingSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let shape = (case.between(1, 6), case.between(1, 6));
    let eps = 0.05 + 0.9 * case.rng.uniform();
    case.describe(format!("one-hot Y {shape:?}, ε {eps}"));
    let target = one_hot(shape, case);
    let k = shape.1 as f64;
    let (a, b) = (1.0 - eps + eps / k, eps / k);
    let logits = target.mapv(|y| if y == 1.0 { a.ln() } else { b.ln() });
    let smoothed = implementation.smooth(&target, eps)?;
    let got = Loss::SoftmaxCrossEntropy.forward(smoothed.view(), logits.view())?;
    case.compare_numbers("the smallest L", got, -a * a.ln() - (k - 1.0) * b * b.ln());
    let gradient = Loss::SoftmaxCrossEntropy.backward(smoothed.view(), logits.view())?;
    case.compare("dL/dZ there", &gradient, &Array2::zeros(shape))
}

struct Drawn {
    target: Array2<f64>,
    eps: f64,
    logits: Array2<f64>,
}

/// One-hot targets or distributions, and logits from `[-1.5, 1.5)`.
fn draw(case: &mut Case) -> Drawn {
    let shape = (case.between(1, 6), case.between(1, 6));
    let eps = 0.99 * case.rng.uniform();
    case.describe(format!("Y {shape:?}, ε {eps}"));
    let target = if case.between(0, 1) == 0 {
        one_hot(shape, case)
    } else {
        let weights: Array2<f64> = case.rng.uniform_array(shape, 0.1, 1.0);
        let sums = weights.sum_axis(ndarray::Axis(1)).insert_axis(ndarray::Axis(1));
        weights / sums
    };
    Drawn { target, eps, logits: case.rng.uniform_array(shape, -1.5, 1.5) }
}

fn one_hot(shape: (usize, usize), case: &mut Case) -> Array2<f64> {
    let mut target = Array2::zeros(shape);
    for mut row in target.rows_mut() {
        row[case.between(0, shape.1 - 1)] = 1.0;
    }
    target
}
