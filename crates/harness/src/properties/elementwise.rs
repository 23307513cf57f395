//! What distinguishes the activations that act on each element.

use activations::Activation;
use ndarray::{ArrayD, IxDyn, arr1};

use super::{ActivationClaims, gelu};
use crate::cases::{Case, Failure, claim, same_bits};
use crate::{ActivationSubject, Check};

type Subject = dyn ActivationSubject<f64>;

/// A few roundings of numbers of magnitude at most 2.
const FEW_ROUNDINGS: f64 = 1e-15;

pub(super) fn checks(claims: &ActivationClaims) -> Vec<Check> {
    let monotone =
        || claims.exactly("values_stay_in_range_and_rise", values_stay_in_range_and_rise);
    let specific = match claims.what {
        Activation::Linear => vec![claims.exactly("is_the_identity", is_the_identity)],
        Activation::Sigmoid => vec![
            claims.within(FEW_ROUNDINGS, "reflection_gives_the_complement", complement),
            claims.within(FEW_ROUNDINGS, "the_tails_keep_their_relative_accuracy", tails),
        ],
        Activation::TanH | Activation::ArcTan => {
            vec![claims.within(FEW_ROUNDINGS, "is_odd", is_odd)]
        }
        Activation::ReLU => vec![
            claims.exactly("the_kink_belongs_to_the_right", the_kink_belongs_to_the_right),
            claims.exactly("is_the_identity_on_what_it_passes", passes_unchanged),
        ],
        Activation::GELU => gelu::checks(claims),
        Activation::SoftMax => vec![],
    };
    let rises = claims.what != Activation::GELU;
    let of_all = claims.exactly("elements_do_not_mix", elements_do_not_mix);
    specific.into_iter().chain([of_all]).chain(rises.then(monotone)).collect()
}

fn draw(case: &mut Case) -> ArrayD<f64> {
    let n = case.between(1, 30);
    case.describe(format!("{n} elements"));
    case.array(&[n]) * 6.0
}

fn is_the_identity(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (z, dl_dy) = (draw(case), draw(case));
    same_bits("Y", &subject.forward(&z), &z)?;
    let n = z.len().min(dl_dy.len());
    let first = |array: &ArrayD<f64>| array.slice_axis(ndarray::Axis(0), (..n).into()).to_owned();
    same_bits("dL/dZ", &subject.backward(&first(&z), &first(&dl_dy))?, &first(&dl_dy))
}

/// `σ(-z) = 1 - σ(z)`.
fn complement(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = draw(case);
    case.compare("σ(-Z)", &subject.forward(&-&z), &(1.0 - subject.forward(&z)))
}

/// `σ(z)` and `σ'(z)` are `e^-|z|`, where that is far below 1: measured relative to it, at which a
/// result of the form `1 - (1 - x)` would be off by everything. Beyond, nothing overflows.
fn tails(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = 40.0 + 660.0 * case.rng.uniform();
    case.describe(format!("z = {z}"));
    let both = arr1(&[-z, z]).into_dyn();
    let y = subject.forward(&both);
    case.compare_numbers("σ(-z) / e^-z", y[0] / (-z).exp(), 1.0);
    let slope = subject.backward(&both, &ArrayD::ones(IxDyn(&[2])))?;
    case.compare_numbers("σ'(-z) / e^-z", slope[0] / (-z).exp(), 1.0);
    case.compare_numbers("σ'(z) / e^-z", slope[1] / (-z).exp(), 1.0);
    let ends = subject.forward(&arr1(&[-1e4, 1e4]).into_dyn());
    claim((ends[0], ends[1]) == (0.0, 1.0), || format!("σ(-1e4), σ(1e4) = {ends}"))
}

/// `σ(-z) = -σ(z)`, so σ' is even.
fn is_odd(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = draw(case);
    case.compare("σ(-Z)", &subject.forward(&-&z), &-subject.forward(&z))?;
    let ones = ArrayD::ones(z.raw_dim());
    case.compare("σ'(-Z)", &subject.backward(&-&z, &ones)?, &subject.backward(&z, &ones)?)
}

/// At 0 the assignment's formula takes the branch "otherwise", whose derivative is 1.
fn the_kink_belongs_to_the_right(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let tiny = f64::from_bits(1);
    let z = arr1(&[0.0, -0.0, tiny, f64::MIN_POSITIVE, -tiny, -f64::MIN_POSITIVE]).into_dyn();
    let g = 1.0 + case.rng.uniform();
    let dl_dz = subject.backward(&z, &ArrayD::from_elem(z.raw_dim(), g))?;
    case.compare("dL/dZ", &dl_dz, &arr1(&[g, g, g, g, 0.0, 0.0]).into_dyn())
}

fn passes_unchanged(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let (y, dl_dz) = (subject.forward(&z), subject.backward(&z, &dl_dy)?);
    let expected = |i: usize| if z[i] < 0.0 { (0.0, 0.0) } else { (z[i], dl_dy[i]) };
    (0..z.len()).try_for_each(|i| {
        claim((y[i], dl_dz[i]) == expected(i), || {
            let (got, expected, z) = ((y[i], dl_dz[i]), expected(i), z[i]);
            format!("(Y, dL/dZ)[{i}]: expected {expected:?}, got {got:?} for z = {z}")
        })
    })
}

/// An element alone gives what it gives among others.
fn elements_do_not_mix(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let (y, dl_dz) = (subject.forward(&z), subject.backward(&z, &dl_dy)?);
    for i in 0..z.len() {
        let (z, dl_dy) = (arr1(&[z[i]]).into_dyn(), arr1(&[dl_dy[i]]).into_dyn());
        same_bits("Y of an element", &subject.forward(&z), &arr1(&[y[i]]).into_dyn())?;
        let expected = arr1(&[dl_dz[i]]).into_dyn();
        same_bits("dL/dZ of an element", &subject.backward(&z, &dl_dy)?, &expected)?;
    }
    Ok(())
}

/// Each of them but GELU is monotone, with a slope between 0 and 1, and within the limits of its formula.
fn values_stay_in_range_and_rise(
    activation: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let mut z: Vec<f64> = draw(case).into_iter().collect();
    z.extend([f64::NEG_INFINITY, -1e4, -40.0, 0.0, 40.0, 1e4, f64::INFINITY]);
    z.sort_by(f64::total_cmp);
    let z = arr1(&z).into_dyn();
    let (low, high) = match activation {
        Activation::Linear => (f64::NEG_INFINITY, f64::INFINITY),
        Activation::ReLU => (0.0, f64::INFINITY),
        Activation::Sigmoid => (0.0, 1.0),
        Activation::TanH => (-1.0, 1.0),
        Activation::ArcTan | Activation::SoftMax | Activation::GELU => {
            (-std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_2)
        }
    };
    let (y, slope) = (subject.forward(&z), subject.backward(&z, &ArrayD::ones(z.raw_dim()))?);
    for i in 0..z.len() {
        let (z, y, slope) = (z[i], y[i], slope[i]);
        claim((low..=high).contains(&y), || format!("σ({z}) = {y}, outside of {low}..={high}"))?;
        claim((0.0..=1.0).contains(&slope), || format!("σ'({z}) = {slope}, not in 0..=1"))?;
    }
    for i in 1..z.len() {
        claim(y[i] >= y[i - 1], || format!("σ falls from {} to {}", y[i - 1], y[i]))?;
    }
    Ok(())
}
