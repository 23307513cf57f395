//! GELU, the one activation here that falls and rises, question 7.

pub(crate) mod every_f32;

use std::f64::consts::{PI, SQRT_2};
use std::sync::Arc;

use activations::{Activation, ElementWise, GELU};
use ndarray::{ArrayD, arr1, array};
use numerics::{erf, erfc};

pub(crate) use self::every_f32::try_every_number;
use crate::activation::{self, ActivationRoom, ActivationSubject, elementwise};
use crate::cases::claim;
use crate::elementwise::{add, add_backward, add_forward, draw};
use crate::room::{Checks, PlainRoom, bugs};
use crate::worked::Example;

/// For `|z| <= 3` the terms of the series below sum, without their signs, to less than
/// `√(2/π) 3 e^4.5 / 2 = 108`, each of at most 60 rounded a few times: `108 · 60 · 2⁻⁵³ = 7.2e-13` at
/// the very most, times `|z| <= 3`.
const SERIES: f64 = 2.5e-12;

pub(super) static ROOM: ActivationRoom = ActivationRoom {
    activation: Activation::GELU,
    name: "GELU",
    question: "7",
    fixture: "GELU",
    checks,
    bugs: bugs! {
        "gelu-tanh" [Oracle Formula] "forward and backward are those of the approximation by tanh"
        "gelu-no-density" [Oracle Gradient Formula] "backward uses Φ(z) and forgets z φ(z), as if Φ were constant"
        "gelu-cancels" [Property] "forward computes 1 + erf, which is 0 in the left tail"
    },
    faulty: |bug| match bug {
        "gelu-tanh" => (
            |z| z.mapv(|z| 0.5 * finite(z) * (1.0 + tanh_for_erf(z).0)),
            |z, dl_dy| {
                elementwise(z, dl_dy, |z| {
                    let (t, slope) = tanh_for_erf(z);
                    0.5 * (1.0 + t) + 0.5 * finite(z) * slope
                })
            },
        ),
        "gelu-no-density" => {
            (forward, |z, dl_dy| elementwise(z, dl_dy, |z| 0.5 * erfc(-z / SQRT_2)))
        }
        "gelu-cancels" => (|z| z.mapv(|z| 0.5 * finite(z) * (2.0 - erfc(z / SQRT_2))), backward),
        _ => (forward, backward),
    },
    examples: &[("gelu", example)],
};

/// The nearest finite number, whose product with 0 is 0.
fn finite(z: f64) -> f64 {
    z.clamp(f64::MIN, f64::MAX)
}

fn forward(z: &ArrayD<f64>) -> ArrayD<f64> {
    z.mapv(|z| finite(z) * 0.5 * erfc(-z / SQRT_2))
}

fn backward(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    elementwise(z, dl_dy, |z| 0.5 * erfc(-z / SQRT_2) + finite(z) * density(z))
}

/// `φ(z) = e^(-z²/2) / √(2π)`.
fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// `tanh(√(2/π) (z + 0.044715 z³))`, which is close to `erf(z / √2)`, and its derivative.
fn tanh_for_erf(z: f64) -> (f64, f64) {
    let t = ((2.0 / PI).sqrt() * (z + 0.044715 * z * z * z)).tanh();
    // 0 · ∞ far out, where tanh is flat.
    let flat = t.abs() == 1.0;
    let slope = if flat { 0.0 } else { (2.0 / PI).sqrt() * (1.0 + 3.0 * 0.044715 * z * z) };
    (t, (1.0 - t * t) * slope)
}

fn checks(own: &mut Checks<ActivationSubject<f64>>) {
    // Y[i] = Z[i] Φ(Z[i]).
    add_forward(own, "gelu-forward", SERIES, |z| z * distribution(z));
    // dL/dZ[i] = dL/dY[i] (Φ(Z[i]) + Z[i] φ(Z[i])).
    add_backward(own, "gelu-backward", SERIES, |z| distribution(z) + z * density(z));
    // Φ(z) + Φ(-z) = 1, so σ(z) - σ(-z) = z and σ'(z) + σ'(-z) = 1: a few roundings of numbers of
    // magnitude at most 6.
    own.within(5e-15, "reflection_gives_the_difference", |subject, case| {
        let z = draw(case);
        let difference = (subject.forward)(&z) - (subject.forward)(&-&z);
        case.compare("σ(Z) - σ(-Z)", &difference, &z)?;
        let slopes = (subject.backward)(&z, &ones(&z))? + (subject.backward)(&-&z, &ones(&z))?;
        case.compare("σ'(Z) + σ'(-Z)", &slopes, &ones(&z))
    });
    // For z from 20 on, Φ(-z) = φ(z)/z (1 - 1/z² + 1·3/z⁴ - 1·3·5/z⁶ ...), an alternating series whose
    // ninth term is below 1·3···17 / 20¹⁸ = 2e-16. So σ(-z) = -φ(z) S(z), far below the smallest number
    // that 1 + erf can have. The argument z/√2 has two roundings, which erfc multiplies by z² <= 1369,
    // and the claim's own z²/2 has one, multiplied by z²/2: 2.5 · 1369 · 2⁻⁵³ = 3.8e-13.
    own.within(4e-13, "the_left_tail_keeps_its_relative_accuracy", |subject, case| {
        let z = 20.0 + 17.0 * case.rng.uniform();
        case.describe(format!("z = -{z}"));
        let (mut series, mut term) = (0.0, 1.0);
        for k in 0..9 {
            series += term;
            term *= -f64::from(2 * k + 1) / (z * z);
        }
        let y = (subject.forward)(&arr1(&[-z]).into_dyn())[[0]];
        case.compare_numbers("σ(-z) / -φ(z) S(z)", y / (-density(z) * series), 1.0);
        Ok(())
    });
    own.exactly("lies_between_its_minimum_and_relu", |subject, case| {
        let mut z: Vec<f64> = draw(case).into_iter().collect();
        z.extend([f64::NEG_INFINITY, -1e4, -40.0, -0.75, 0.0, 40.0, 1e4, f64::INFINITY]);
        let z = arr1(&z).into_dyn();
        let (y, slope) = ((subject.forward)(&z), (subject.backward)(&z, &ones(&z))?);
        for ((&z, &y), &slope) in z.iter().zip(&y).zip(&slope) {
            claim(y > -0.17 && y <= z.max(0.0), || format!("σ({z}) = {y}"))?;
            let lowest = if z >= -0.75 { 0.0 } else { -0.13 };
            claim(slope >= lowest && slope <= 1.13, || format!("σ'({z}) = {slope}"))?;
        }
        Ok(())
    });
    add(own);
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

fn ones(z: &ArrayD<f64>) -> ArrayD<f64> {
    ArrayD::ones(z.raw_dim())
}

/// Values that a table of the normal distribution has.
fn example(example: &mut Example<'_>) {
    let z = array![-1.0, 0.0, 1.0];
    let y = Activation::GELU.forward(&z);
    let slope = GELU::backward(&z, array![1.0, 1.0, 1.0]);
    // Y = z Φ(z), so that Φ(1) = Y(1); and Y'(z) = Φ(z) + z φ(z).
    example.number("phi-of-1", y[2]);
    example.number("density-of-1", slope[2] - y[2]);
    example.number("phi-of-0", slope[1]);
    example.number("slope-at-1", slope[2]);
    example.array("z", &z);
    example.array("y", &y);
    // The largest z below 0 of which 1 + erf(z/√2) rounds to 0, by bisection.
    let (mut lost, mut kept) = (-10.0, 0.0);
    while kept - lost > 1e-9 {
        let middle = 0.5 * (lost + kept);
        let which = if 1.0 + erf(middle / SQRT_2) == 0.0 { &mut lost } else { &mut kept };
        *which = middle;
    }
    example.number("erf-lost-below", lost);
}

/// The polynomial that trainings compute in place of the error function.
pub(super) static IN_SINGLE_PRECISION: PlainRoom<ActivationSubject<f32>> = PlainRoom {
    name: "GELUInSinglePrecision",
    question: "7",
    real: || activation::real(Activation::GELU),
    faulty: |bug| {
        let (forward, backward) = (ROOM.faulty)(bug);
        let narrow = |array: ArrayD<f64>| array.mapv(|x| x as f32);
        let wide = move |array: &ArrayD<f32>| {
            let flushes = bug == "gelu-flushes-subnormals";
            array.mapv(|x| f64::from(if flushes && x.is_subnormal() { 0.0 * x } else { x }))
        };
        Arc::new(ActivationSubject {
            forward: Box::new(move |z| narrow(forward(&wide(z)))),
            backward: Box::new(move |z, dl_dy| Ok(narrow(backward(&wide(z), &wide(dl_dy))))),
        })
    },
    of_program: |_| None,
    checks: every_f32::add,
    free_checks: Vec::new,
    bugs: bugs! {
        "gelu-tanh" [Property] "in single precision, both passes are those of the approximation by tanh"
        "gelu-no-density" [Property] "in single precision, backward forgets z φ(z)"
        "gelu-cancels" [Property] "in single precision, forward computes 1 + erf, which is 0 in the left tail"
        "gelu-flushes-subnormals" [Property] "in single precision, numbers below the normal ones are taken for 0, as processors can be set to do"
    },
    examples: &[("gelu-every-f32", every_f32::example)],
};
