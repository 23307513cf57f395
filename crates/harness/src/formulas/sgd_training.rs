//! Weight decay and Nesterov's form: layers for training, question 7.

use std::sync::Arc;

use ndarray::ArrayD;
use optim::{SgdConfig, Step};

use super::formula;
use crate::cases::{Case, Failure};
use crate::{Check, SgdSubject};

/// A dozen steps of numbers below 16, each rounded a few times, and as many velocities summed:
/// `12² · 16 · 4 u = 1.0e-12` at the very most.
const STEPS_BOUND: f64 = 1e-12;

/// The steps of a case.
const STEPS: usize = 12;

pub(super) fn checks(implementation: &Arc<dyn SgdSubject<f64>>) -> Vec<Check> {
    let (decay, nesterov) = (Arc::clone(implementation), Arc::clone(implementation));
    vec![
        formula("7", "sgd-weight-decay", STEPS_BOUND, move |case| {
            weight_decay(decay.as_ref(), case)
        }),
        formula("7", "sgd-nesterov", STEPS_BOUND, move |case| look_ahead(nesterov.as_ref(), case)),
    ]
}

/// `pₜ₊₁ = p₀ - Σ_s≤t v_s`, `vₜ = Σ_s≤t μ^(t-s) lr_s (c_s g_s + λ p_s)`, with `c_s = min(1, c/‖g_s‖)`: no
/// velocity is carried. Of what is no weight λ is 0.
fn weight_decay(implementation: &dyn SgdSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let axes = case.between(1, 3);
    let shape = case.shape(axes, 4);
    let momentum = [0.0, 0.5, 0.9][case.between(0, 2)];
    let clip_norm = [None, Some(0.5)][case.between(0, 1)];
    let weight_decay = 0.5 * case.rng.uniform();
    let decays = case.between(0, 3) > 0;
    let config = SgdConfig { momentum, weight_decay, clip_norm, ..SgdConfig::default() };
    case.describe(format!("p {shape:?}, decays {decays}, {config:?}"));
    let mut sgd = implementation.build(config)?;
    let decay = if decays { weight_decay } else { 0.0 };
    let mut parameter = case.array(&shape);
    let mut expected = vec![parameter.clone()];
    // lr_s (c_s g_s + λ p_s).
    let mut pushes: Vec<ArrayD<f64>> = Vec::new();
    for t in 0..STEPS {
        let lr = 0.1 + 0.4 * case.rng.uniform();
        let g = case.array(&shape);
        sgd.update("W", &mut parameter, &g, Step { lr, decays })?;
        let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
        let clipping = clip_norm.map_or(1.0, |bound| f64::min(1.0, bound / norm));
        pushes.push((&g * clipping + &expected[t] * decay) * lr);
        let mut p = expected[0].clone();
        for end in 0..=t {
            for (s, push) in pushes[..=end].iter().enumerate() {
                p = p - push * momentum.powi((end - s) as i32);
            }
        }
        case.compare(&format!("p after {} steps", t + 1), &parameter, &p)?;
        expected.push(p);
    }
    Ok(())
}

/// The look-ahead form: `v ← μ v + lr ∇L(θ - μ v)`, `θ ← θ - v`, where `θ - μ v` is the parameter of the
/// optimiser. L is `Σ aᵢ (pᵢ - qᵢ)²/2`, to which the decay adds `λ/2 Σ pᵢ²`.
fn look_ahead(implementation: &dyn SgdSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let shape = case.shape(2, 4);
    let momentum = [0.25, 0.5, 0.9][case.between(0, 2)];
    let weight_decay = [0.0, 0.25][case.between(0, 1)];
    let config = SgdConfig { momentum, nesterov: true, weight_decay, clip_norm: None };
    case.describe(format!("p {shape:?}, {config:?}"));
    let curvature = case.array(&shape) + 1.0;
    let target = case.array(&shape);
    let slope = |p: &ArrayD<f64>| &curvature * &(p - &target);
    let mut sgd = implementation.build(config)?;
    let mut parameter = case.array(&shape);
    let (mut theta, mut v) = (parameter.clone(), ArrayD::zeros(parameter.raw_dim()));
    for step in 1..=STEPS {
        let lr = 0.1 + 0.3 * case.rng.uniform();
        let g = slope(&parameter);
        sgd.update("W", &mut parameter, &g, Step { lr, decays: true })?;
        let ahead = &theta - &v * momentum;
        v = v * momentum + (slope(&ahead) + &ahead * weight_decay) * lr;
        theta -= &v;
        let expected = &theta - &v * momentum;
        case.compare(&format!("p after {step} steps"), &parameter, &expected)?;
    }
    Ok(())
}
