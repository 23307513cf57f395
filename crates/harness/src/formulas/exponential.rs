//! The exponential schedule: question 5.

use std::sync::Arc;

use optim::ScheduleConfig;

use super::formula;
use crate::{Check, ScheduleSubject};

/// 59 factors, each rounded and multiplied, of a number below 1.01: `59 · 2 u = 1.3e-14`. The power and
/// the roots are off by a few units where they are not small.
const POWERS: f64 = 2e-14;

/// `η_t = η_0 ρ^(t/T)`, as a staircase `η_0 ρ^⌊t/T⌋`: one factor for each T steps, and for what is left
/// of T the root of it.
pub(super) fn check(implementation: &Arc<dyn ScheduleSubject>) -> Check {
    let implementation = Arc::clone(implementation);
    formula("5", "exponential-schedule", POWERS, move |case| {
        let staircase = case.between(0, 1) == 1;
        let (lr, decay) = (0.01 + case.rng.uniform(), 0.1 + 0.9 * case.rng.uniform());
        let decay_steps = case.between(1, 8) as u64;
        case.describe(format!("{lr}, {decay} in {decay_steps} steps, staircase {staircase}"));
        let config = ScheduleConfig::Exponential { lr, decay, decay_steps, staircase };
        for t in 0..60 {
            let mut expected = lr;
            for _ in 0..t / decay_steps {
                expected *= decay;
            }
            if !staircase {
                let root = (decay.ln() / decay_steps as f64).exp();
                for _ in 0..t % decay_steps {
                    expected *= root;
                }
            }
            case.compare_numbers(&format!("lr({t})"), implementation.lr(config, t)?, expected);
        }
        Ok(())
    })
}
