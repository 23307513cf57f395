//! What the activations that act on each element have in common.

use activations::Activation;
use ndarray::{ArrayD, Axis, arr1};

use crate::Check;
use crate::activation::{self, ActivationSubject};
use crate::cases::{Case, Verdict, claim, same_bits};
use crate::room::{Checks, free_formula};
use crate::rooms::{arctan, relu, sigmoid, tanh};
use crate::transcription::{array_of, sum};

type Subject = ActivationSubject<f64>;

/// A handful of roundings of numbers of magnitude at most 1 or 2, each by at most 2.2e-16.
pub(crate) const HANDFUL: f64 = 1e-15;

/// Adds the claims that each of them makes.
pub(crate) fn add(own: &mut Checks<Subject>) {
    own.exactly("elements_do_not_mix", elements_do_not_mix);
}

/// Adds the claims of a monotone one with a slope between 0 and 1, to values in this range.
pub(crate) fn add_rising(own: &mut Checks<Subject>, (low, high): (f64, f64)) {
    add(own);
    own.exactly("values_stay_in_range_and_rise", move |subject, case| {
        let mut z: Vec<f64> = draw(case).into_iter().collect();
        z.extend([f64::NEG_INFINITY, -1e4, -40.0, 0.0, 40.0, 1e4, f64::INFINITY]);
        z.sort_by(f64::total_cmp);
        let z = arr1(&z).into_dyn();
        let (y, slope) =
            ((subject.forward)(&z), (subject.backward)(&z, &ArrayD::ones(z.raw_dim()))?);
        let mut below = low;
        for ((z, &y), slope) in z.iter().zip(&y).zip(&slope) {
            claim((low..=high).contains(&y), || format!("σ({z}) = {y} is not in {low}..={high}"))?;
            claim((0.0..=1.0).contains(slope), || format!("σ'({z}) = {slope}, not in 0..=1"))?;
            claim(y >= below, || format!("σ falls from {below} to {y}"))?;
            below = y;
        }
        Ok(())
    });
}

/// Adds the transcription `Y[i] = σ(Z[i])`.
pub(crate) fn add_forward(
    own: &mut Checks<Subject>,
    formula: &str,
    bound: f64,
    value: fn(f64) -> f64,
) {
    own.formula(formula, bound, move |subject, case| {
        let z = pre_activation(case);
        case.compare("Y", &(subject.forward)(&z), &z.mapv(value))
    });
}

/// Adds the transcription `dL/dZ[i] = dL/dY[i] σ'(Z[i])`.
pub(crate) fn add_backward(
    own: &mut Checks<Subject>,
    formula: &str,
    bound: f64,
    derivative: Derivative,
) {
    own.formula(formula, bound, move |subject, case| {
        let z = pre_activation(case);
        let dl_dy = case.array(z.shape());
        let dl_dz = activation::elementwise(&z, &dl_dy, derivative);
        case.compare("dL/dZ", &(subject.backward)(&z, &dl_dy)?, &dl_dz)
    });
}

/// The derivative of a function of one number.
type Derivative = fn(f64) -> f64;

/// The chain rule of every element-wise activation of the course, in full and with its sums collapsed.
pub(crate) fn free_checks() -> Vec<Check> {
    let derivatives: [(Activation, Derivative); 5] = [
        (Activation::Linear, |_| 1.0),
        (Activation::ReLU, relu::derivative),
        (Activation::Sigmoid, sigmoid::derivative),
        (Activation::TanH, tanh::derivative),
        (Activation::ArcTan, arctan::derivative),
    ];
    let draw = move |case: &mut Case| {
        let (activation, derivative) = case.one_of(&derivatives);
        let shape = case.shape(2, 4);
        case.describe(format!("{activation}, Z {shape:?}"));
        (activation, derivative, case.array(&shape) * 3.0, case.array(&shape))
    };
    vec![
        // dL/dZ[n, j] = Σ_n' Σ_j' dL/dY[n', j'] ∂Y[n', j']/∂Z[n, j], with the Jacobian
        // ∂Y[n', j']/∂Z[n, j] = σ'(Z[n, j]) δ_nn' δ_jj'.
        free_formula("4.1", "elementwise-chain", HANDFUL, move |case| {
            let (activation, derivative, z, dl_dy) = draw(case);
            let delta = |a, b| if a == b { 1.0 } else { 0.0 };
            let dl_dz = array_of(z.raw_dim(), |at| {
                let jacobian = |n, j| derivative(z[&at]) * delta(n, at[0]) * delta(j, at[1]);
                sum((z.shape()[0], z.shape()[1]), |(n, j)| dl_dy[[n, j]] * jacobian(n, j))
            });
            case.compare("dL/dZ", &activation.backward(&z, &dl_dy)?, &dl_dz)
        }),
        // dL/dZ[n, j] = dL/dY[n, j] σ'(Z[n, j]).
        free_formula("4.1", "elementwise-backward", HANDFUL, move |case| {
            let (activation, derivative, z, dl_dy) = draw(case);
            let dl_dz = activation::elementwise(&z, &dl_dy, derivative);
            case.compare("dL/dZ", &activation.backward(&z, &dl_dy)?, &dl_dz)
        }),
    ]
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

/// Numbers from `[-6, 6)`.
pub(crate) fn draw(case: &mut Case) -> ArrayD<f64> {
    let n = case.between(1, 30);
    case.describe(format!("{n} elements"));
    case.array(&[n]) * 6.0
}

/// `σ(-z) = -σ(z)`, so σ' is even.
pub(crate) fn is_odd(subject: &Subject, case: &mut Case) -> Verdict {
    let z = draw(case);
    case.compare("σ(-Z)", &(subject.forward)(&-&z), &-(subject.forward)(&z))?;
    let ones = ArrayD::ones(z.raw_dim());
    case.compare("σ'(-Z)", &(subject.backward)(&-&z, &ones)?, &(subject.backward)(&z, &ones)?)
}

/// An element alone gives what it gives among others.
fn elements_do_not_mix(subject: &Subject, case: &mut Case) -> Verdict {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let (y, dl_dz) = ((subject.forward)(&z), (subject.backward)(&z, &dl_dy)?);
    (0..z.len()).try_for_each(|i| {
        let alone = |array: &ArrayD<f64>| array.select(Axis(0), &[i]);
        same_bits("Y of an element", &(subject.forward)(&alone(&z)), &alone(&y))?;
        let got = (subject.backward)(&alone(&z), &alone(&dl_dy))?;
        same_bits("dL/dZ of an element", &got, &alone(&dl_dz))
    })
}
