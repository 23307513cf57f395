//! Softmax: question 4.3.

use std::sync::Arc;

use ndarray::{Array2, ArrayD, IxDyn};

use super::einsum::einsum;
use super::formula;
use crate::{ActivationSubject, Check};

type Implementation = Arc<dyn ActivationSubject<f64>>;

/// Rows have at most 6 elements of magnitude at most 1, and the exponential of a logit in `[-3, 3)` is
/// good to 1.1e-16 of itself: a row's sum, a quotient and the sum of a row's products stay below
/// `4 · 6 · 1.1e-16 = 2.7e-15` each.
const ROWS: f64 = 1e-14;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    vec![
        plain(implementation),
        forward(implementation),
        jacobian(implementation),
        backward(implementation),
    ]
}

/// `Y[n, i] = e^(S[n, i] - cₙ) / Σⱼ e^(S[n, j] - cₙ)` with `cₙ = maxⱼ S[n, j]`, on each row of the last
/// axis.
fn softmax(s: &ArrayD<f64>) -> ArrayD<f64> {
    let k = s.shape()[s.ndim() - 1];
    ArrayD::from_shape_fn(s.raw_dim(), |index| {
        let last = s.ndim() - 1;
        let logit = |j| {
            let mut row = index.clone();
            row[last] = j;
            s[&row]
        };
        let largest = (0..k).map(logit).fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for j in 0..k {
            sum += (logit(j) - largest).exp();
        }
        (s[&index] - largest).exp() / sum
    })
}

/// `σᵢ = e^sᵢ / Σⱼ e^sⱼ` of a single row, without a shift.
fn plain(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.3", "softmax-plain", ROWS, move |case| {
        let k = case.between(1, 6);
        case.describe(format!("a row of {k}"));
        let s = case.array(&[k]) * 3.0;
        let sigma = ArrayD::from_shape_fn(IxDyn(&[k]), |i| {
            let mut sum = 0.0;
            for j in 0..k {
                sum += s[[j]].exp();
            }
            s[&i].exp() / sum
        });
        case.compare("σ", &implementation.forward(&s), &sigma)
    })
}

fn forward(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.3", "softmax-forward", ROWS, move |case| {
        let axes = case.between(1, 4);
        let shape = case.shape(axes, 6);
        case.describe(format!("Z {shape:?}"));
        let z = case.array(&shape) * 3.0;
        case.compare("Y", &implementation.forward(&z), &softmax(&z))
    })
}

/// `∂σᵢ/∂sⱼ = σᵢ (δᵢⱼ - σⱼ)`, formed for a single row. Backward multiplies a row vector by it, so an
/// upstream gradient of 1 at i and 0 elsewhere gives its row i.
fn jacobian(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.3", "softmax-jacobian", ROWS, move |case| {
        let k = case.between(1, 6);
        case.describe(format!("a row of {k}"));
        let z = case.array(&[1, k]) * 3.0;
        let sigma = softmax(&z);
        let jacobian = Array2::from_shape_fn((k, k), |(i, j)| {
            let delta = if i == j { 1.0 } else { 0.0 };
            sigma[[0, i]] * (delta - sigma[[0, j]])
        });
        for i in 0..k {
            let mut unit = ArrayD::zeros(IxDyn(&[1, k]));
            unit[[0, i]] = 1.0;
            let row = implementation.backward(&z, &unit)?;
            let expected = jacobian.row(i).to_owned().into_shape_with_order((1, k))?.into_dyn();
            case.compare(&format!("row {i} of the Jacobian "), &row, &expected)?;
        }
        let dl_dy = case.array(&[1, k]);
        let dl_dz = einsum("mi,ij->mj", &[&dl_dy, &jacobian.into_dyn()])?;
        case.compare("dL/dZ", &implementation.backward(&z, &dl_dy)?, &dl_dz)
    })
}

/// `dL/dZ = Y ⊙ (dL/dY - rowsum(dL/dY ⊙ Y))`, for all rows at once.
fn backward(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.3", "softmax-backward", ROWS, move |case| {
        let shape = case.shape(2, 6);
        case.describe(format!("Z {shape:?}"));
        let z = case.array(&shape) * 3.0;
        let dl_dy = case.array(&shape);
        let y = softmax(&z);
        let dot = einsum("mi,mi->m", &[&dl_dy, &y])?;
        let ones = ArrayD::ones(IxDyn(&shape));
        let dl_dz =
            einsum("mi,mi->mi", &[&y, &dl_dy])? - einsum("mi,m,mi->mi", &[&y, &dot, &ones])?;
        case.compare("dL/dZ", &implementation.backward(&z, &dl_dy)?, &dl_dz)
    })
}
