//! Claims about weight decay and Nesterov's form.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use optim::{SgdConfig, Step};

use super::CASES;
use crate::cases::{Case, Cases, Failure, claim, same_bits};
use crate::{Check, Kind, SgdSubject, Subject};

/// A few dozen steps of numbers below 16, each rounded a few times.
const STEPS: f64 = 1e-12;

type One = fn(&dyn SgdSubject<f64>, &mut Case) -> Result<(), Failure>;

pub(super) fn checks(
    subject: &Subject<f64>,
    implementation: &Arc<dyn SgdSubject<f64>>,
) -> Vec<Check> {
    let check = |name, bound, one: One| {
        let implementation = Arc::clone(implementation);
        let group = format!("properties.{}", subject.name());
        let cases = Cases { count: CASES, bound };
        cases.check(subject.question(), Kind::Property, group, name, move |case| {
            one(implementation.as_ref(), case)
        })
    };
    vec![
        check("what_is_no_weight_does_not_decay", 0.0, only_weights_decay),
        check("without_a_gradient_a_weight_shrinks_by_its_factor", STEPS, shrinks),
        check("the_decay_is_not_clipped", STEPS, decay_is_not_clipped),
        check("the_first_step_of_nesterov_is_longer_by_the_momentum", STEPS, first_step),
        check("nesterov_needs_a_momentum", 0.0, nesterov_needs_a_momentum),
        check("a_decay_below_zero_is_refused", 0.0, negative_decay),
    ]
}

fn only_weights_decay(sgd: &dyn SgdSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (decay, momentum) = (0.1 + case.rng.uniform(), 0.9 * case.rng.uniform());
    let nesterov = momentum > 0.0 && case.between(0, 1) == 1;
    let without = SgdConfig { momentum, nesterov, ..SgdConfig::default() };
    let with = SgdConfig { weight_decay: decay, ..without };
    case.describe(format!("{with:?}"));
    let (mut with, mut without) = (sgd.build(with)?, sgd.build(without)?);
    let mut p = case.array(&[4]);
    let mut expected = p.clone();
    for _ in 0..5 {
        let g = case.array(&[4]);
        with.update("b", &mut p, &g, Step { lr: 0.1, decays: false })?;
        without.update("b", &mut expected, &g, Step { lr: 0.1, decays: false })?;
    }
    same_bits("b", &p, &expected)
}

/// `pₙ = (1 - lr λ)ⁿ p₀`.
fn shrinks(sgd: &dyn SgdSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (weight_decay, lr) = (case.rng.uniform(), 0.1 + 0.5 * case.rng.uniform());
    case.describe(format!("λ {weight_decay}, lr {lr}"));
    let mut sgd = sgd.build(SgdConfig { weight_decay, ..SgdConfig::default() })?;
    let start = case.array(&[5]);
    let mut p = start.clone();
    for _ in 0..30 {
        sgd.update("W", &mut p, &ArrayD::zeros(IxDyn(&[5])), Step { lr, decays: true })?;
    }
    case.compare("p", &p, &(start * (1.0 - lr * weight_decay).powi(30)))
}

/// With a bound, what the decay takes is the same as without: `lr λ p`.
fn decay_is_not_clipped(sgd: &dyn SgdSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (weight_decay, lr) = (0.1 + case.rng.uniform(), 0.1 + case.rng.uniform());
    let clip_norm = Some(0.01);
    case.describe(format!("λ {weight_decay}, lr {lr}, a bound of 0.01"));
    let (start, g) = (case.array(&[6]) * 4.0, case.array(&[6]));
    let step = |weight_decay| -> Result<ArrayD<f64>, Failure> {
        let mut sgd = sgd.build(SgdConfig { weight_decay, clip_norm, ..SgdConfig::default() })?;
        let mut p = start.clone();
        sgd.update("W", &mut p, &g, Step { lr, decays: true })?;
        Ok(p)
    };
    let taken = step(0.0)? - step(weight_decay)?;
    case.compare("what the decay takes", &taken, &(&start * (lr * weight_decay)))
}

/// At rest, `v = lr g`, and the step is `μ v + lr g`.
fn first_step(sgd: &dyn SgdSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (momentum, lr) = (0.1 + 0.8 * case.rng.uniform(), 0.1 + case.rng.uniform());
    case.describe(format!("momentum {momentum}, lr {lr}"));
    let mut sgd = sgd.build(SgdConfig { momentum, nesterov: true, ..SgdConfig::default() })?;
    let (start, g) = (case.array(&[4]), case.array(&[4]));
    let mut p = start.clone();
    sgd.update("W", &mut p, &g, Step { lr, decays: true })?;
    case.compare("the step", &(start - p), &(g * (lr * (1.0 + momentum))))
}

fn nesterov_needs_a_momentum(sgd: &dyn SgdSubject<f64>, _: &mut Case) -> Result<(), Failure> {
    let config = SgdConfig { nesterov: true, ..SgdConfig::default() };
    claim(sgd.build(config).is_err(), || format!("{config:?} was accepted"))
}

fn negative_decay(sgd: &dyn SgdSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let weight_decay = [-0.5, f64::NAN, f64::INFINITY][case.between(0, 2)];
    let config = SgdConfig { weight_decay, ..SgdConfig::default() };
    claim(sgd.build(config).is_err(), || format!("{config:?} was accepted"))
}
