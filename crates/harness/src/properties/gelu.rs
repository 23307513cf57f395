//! What distinguishes GELU, the one activation here that falls and rises.

use std::f64::consts::PI;

use activations::Activation;
use ndarray::{ArrayD, IxDyn, arr1};

use super::ActivationClaims;
use crate::cases::{Case, Failure, claim};
use crate::{ActivationSubject, Check};

type Subject = dyn ActivationSubject<f64>;

pub(super) fn checks(claims: &ActivationClaims) -> Vec<Check> {
    vec![
        // A few roundings of numbers of magnitude at most 6.
        claims.within(5e-15, "reflection_gives_the_difference", reflection),
        // The argument z/√2 has two roundings, which erfc multiplies by z² <= 1369, and the claim's
        // own z²/2 has one, multiplied by z²/2: 2.5 · 1369 · 2⁻⁵³ = 3.8e-13.
        claims.within(4e-13, "the_left_tail_keeps_its_relative_accuracy", left_tail),
        claims.exactly("lies_between_its_minimum_and_relu", lies_between_its_minimum_and_relu),
    ]
}

/// `Φ(z) + Φ(-z) = 1`, so `σ(z) - σ(-z) = z` and `σ'(z) + σ'(-z) = 1`.
fn reflection(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let n = case.between(1, 30);
    let z = case.array(&[n]) * 6.0;
    let difference = subject.forward(&z) - subject.forward(&-&z);
    case.compare("σ(Z) - σ(-Z)", &difference, &z)?;
    let ones = ArrayD::ones(z.raw_dim());
    let slopes = subject.backward(&z, &ones)? + subject.backward(&-&z, &ones)?;
    case.compare("σ'(Z) + σ'(-Z)", &slopes, &ones)
}

/// For z from 20 on, `Φ(-z) = φ(z)/z (1 - 1/z² + 1·3/z⁴ - 1·3·5/z⁶ ...)`, an alternating series whose
/// ninth term is below `1·3···17 / 20¹⁸ = 2e-16`. So `σ(-z) = -φ(z) S(z)`, far below the smallest
/// number that `1 + erf` can have.
fn left_tail(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = 20.0 + 17.0 * case.rng.uniform();
    case.describe(format!("z = -{z}"));
    let (mut series, mut term) = (0.0, 1.0);
    for k in 0..9 {
        series += term;
        term *= -f64::from(2 * k + 1) / (z * z);
    }
    let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
    let y = subject.forward(&arr1(&[-z]).into_dyn())[[0]];
    case.compare_numbers("σ(-z) / -φ(z) S(z)", y / (-density * series), 1.0);
    Ok(())
}

/// `-0.17 < σ(z) <= max(z, 0)`, with a slope from -0.13 to 1.13, that is not negative from -0.75 on.
fn lies_between_its_minimum_and_relu(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let n = case.between(1, 30);
    let mut z: Vec<f64> = (case.array(&[n]) * 6.0).into_iter().collect();
    z.extend([f64::NEG_INFINITY, -1e4, -40.0, -0.75, 0.0, 40.0, 1e4, f64::INFINITY]);
    let z = arr1(&z).into_dyn();
    let (y, slope) = (subject.forward(&z), subject.backward(&z, &ArrayD::ones(IxDyn(z.shape())))?);
    for ((&z, &y), &slope) in z.iter().zip(&y).zip(&slope) {
        claim(y > -0.17 && y <= z.max(0.0), || format!("σ({z}) = {y}"))?;
        let lowest = if z >= -0.75 { 0.0 } else { -0.13 };
        claim(slope >= lowest && slope <= 1.13, || format!("σ'({z}) = {slope}"))?;
    }
    Ok(())
}
