//! GELU: layers for training, question 7.

use std::f64::consts::PI;
use std::sync::Arc;

use ndarray::{ArrayD, Zip};

use super::formula;
use crate::cases::Case;
use crate::{ActivationSubject, Check};

/// For `|z| <= 3` the terms of the series below sum, without their signs, to less than
/// `√(2/π) 3 e^4.5 / 2 = 108`, each of at most 60 rounded a few times: `108 · 60 · 2⁻⁵³ = 7.2e-13` at
/// the very most, times `|z| <= 3`.
const SERIES: f64 = 2.5e-12;

pub(super) fn checks(implementation: &Arc<dyn ActivationSubject<f64>>) -> Vec<Check> {
    let (forward, backward) = (Arc::clone(implementation), Arc::clone(implementation));
    vec![
        // Y[i] = Z[i] Φ(Z[i]).
        formula("7", "gelu-forward", SERIES, move |case| {
            let z = pre_activation(case);
            case.compare("Y", &forward.forward(&z), &z.mapv(|z| z * distribution(z)))
        }),
        // dL/dZ[i] = dL/dY[i] (Φ(Z[i]) + Z[i] φ(Z[i])), φ(z) = e^(-z²/2) / √(2π).
        formula("7", "gelu-backward", SERIES, move |case| {
            let z = pre_activation(case);
            let dl_dy = case.array(z.shape());
            let density = |z: f64| (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
            let dl_dz = Zip::from(&z)
                .and(&dl_dy)
                .map_collect(|&z, &dl_dy| dl_dy * (distribution(z) + z * density(z)));
            case.compare("dL/dZ", &backward.backward(&z, &dl_dy)?, &dl_dz)
        }),
    ]
}

/// `Φ(z) = 1/2 + ∫₀ᶻ φ`, with the series of the exponential integrated term by term:
/// `1/√(2π) Σₙ (-1)ⁿ z^(2n+1) / (2ⁿ n! (2n+1))`. It shares nothing with an error function.
fn distribution(z: f64) -> f64 {
    let (mut sum, mut power) = (0.0, z);
    for n in 0..60 {
        sum += power / (2 * n + 1) as f64;
        power *= -z * z / 2.0 / (n + 1) as f64;
    }
    0.5 + sum / (2.0 * PI).sqrt()
}

/// Any number of axes, from `[-3, 3)`.
fn pre_activation(case: &mut Case) -> ArrayD<f64> {
    let axes = case.between(1, 4);
    let shape = case.shape(axes, 5);
    case.describe(format!("Z {shape:?}"));
    case.array(&shape) * 3.0
}
