//! Stochastic gradient descent: question 5.

use ndarray::ArrayD;
use optim::{SgdConfig, Step};

use super::formula;
use crate::Check;

/// A dozen steps: the velocity's error is below `12 u · 10` for numbers below 10, that of the
/// parameter, which sums the velocities, 12 times as much: 1.6e-13.
const STEPS_BOUND: f64 = 2e-13;

/// `vₜ = Σ_s≤t μ^(t-s) lr_s g_s` and `pₜ = p₀ - Σ_s≤t v_s`: the recurrence solved, so that no state is
/// carried. A gradient g longer than the bound c counts as `c g / ‖g‖`.
pub(super) fn check() -> Check {
    formula("5", "sgd-momentum", STEPS_BOUND, |case| {
        let axes = case.between(1, 3);
        let shape = case.shape(axes, 4);
        let momentum = [0.0, 0.5, 0.9][case.between(0, 2)];
        let clip_norm = [None, Some(0.5)][case.between(0, 1)];
        case.describe(format!("p {shape:?}, momentum {momentum}, clip_norm {clip_norm:?}"));
        let mut sgd = SgdConfig { momentum, clip_norm, ..SgdConfig::default() }.build::<f64>()?;
        let start = case.array(&shape);
        let mut parameter = start.clone();
        let mut history: Vec<(f64, ArrayD<f64>)> = Vec::new();
        for _ in 0..12 {
            let lr = 0.1 + 0.4 * case.rng.uniform();
            let gradient = case.array(&shape);
            sgd.update("W", &mut parameter, &gradient, Step { lr, decays: true })?;
            history.push((lr, gradient));
            let mut expected = start.clone();
            for t in 0..history.len() {
                for (s, (lr, g)) in history[..=t].iter().enumerate() {
                    let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
                    let clipping = clip_norm.map_or(1.0, |bound| f64::min(1.0, bound / norm));
                    let share = momentum.powi((t - s) as i32) * lr * clipping;
                    expected.zip_mut_with(g, |p, g| *p -= share * g);
                }
            }
            let quantity = format!("p after {} steps", history.len());
            case.compare(&quantity, &parameter, &expected)?;
        }
        Ok(())
    })
}
