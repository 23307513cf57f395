//! The triangular, the one-cycle and the linear schedule: layers for training, question 7.

use std::f64::consts::PI;
use std::sync::Arc;

use optim::ScheduleConfig;

use super::formula;
use crate::cases::{Case, Failure};
use crate::{Check, ScheduleSubject};

/// A handful of roundings of numbers of at most 2, the cosine's among them.
const FEW_ROUNDINGS: f64 = 4e-15;

/// A cycle's numbers as the formulas name them: peak rate, last step, peak's step, both fractions.
struct Drawn {
    peak: f64,
    last: u64,
    top: u64,
    start: f64,
    end: f64,
}

pub(super) fn checks(implementation: &Arc<dyn ScheduleSubject>) -> Vec<Check> {
    let [triangular, one_cycle, linear] = [(); 3].map(|()| Arc::clone(implementation));
    vec![
        // lr(t) = lr_peak (s + (1 - s) t/p) for t <= p, lr_peak (1 - (1 - e) (t - p)/(l - p)) up to l.
        formula("7", "triangular", FEW_ROUNDINGS, move |case| {
            let drawn = draw(case);
            let Drawn { peak: peak_lr, last, top: peak_step, start, end } = drawn;
            let config = ScheduleConfig::Triangular {
                peak_lr,
                total_steps: last + 1,
                peak_step,
                start_fraction: start,
                end_fraction: end,
            };
            every_step(triangular.as_ref(), config, &drawn, case, |t| {
                if t <= peak_step {
                    peak_lr * (start + (1.0 - start) * t as f64 / peak_step as f64)
                } else {
                    let down = (t - peak_step) as f64 / (last - peak_step) as f64;
                    peak_lr * (1.0 - (1.0 - end) * down)
                }
            })
        }),
        // The same with t/p replaced by (1 - cos(π t/p)) / 2, and likewise on the way down.
        formula("7", "one-cycle", FEW_ROUNDINGS, move |case| {
            let drawn = draw(case);
            let Drawn { peak: peak_lr, last, top: peak_step, start, end } = drawn;
            let config = ScheduleConfig::OneCycle {
                peak_lr,
                total_steps: last + 1,
                peak_step,
                start_fraction: start,
                end_fraction: end,
            };
            every_step(one_cycle.as_ref(), config, &drawn, case, |t| {
                if t <= peak_step {
                    let up = (1.0 - (PI * t as f64 / peak_step as f64).cos()) / 2.0;
                    peak_lr * (start + (1.0 - start) * up)
                } else {
                    let x = (t - peak_step) as f64 / (last - peak_step) as f64;
                    peak_lr * (1.0 - (1.0 - end) * (1.0 - (PI * x).cos()) / 2.0)
                }
            })
        }),
        // lr(t) = lr (1 - t/n) for t < n, and 0 from n on.
        formula("7", "linear-schedule", FEW_ROUNDINGS, move |case| {
            let (lr, n) = (0.01 + case.rng.uniform(), case.between(1, 40) as u64);
            case.describe(format!("from {lr} to 0 in {n} steps"));
            let config = ScheduleConfig::Linear { lr, total_steps: n };
            for t in 0..n + 5 {
                let expected = if t < n { lr * (1.0 - t as f64 / n as f64) } else { 0.0 };
                case.compare_numbers(&format!("lr({t})"), linear.lr(config, t)?, expected);
            }
            Ok(())
        }),
    ]
}

fn draw(case: &mut Case) -> Drawn {
    let last = case.between(2, 40) as u64;
    let top = case.between(1, last as usize - 1) as u64;
    let peak = 0.01 + case.rng.uniform();
    // The ends are often 0, where a fraction that is added instead of multiplied shows.
    let (start, end) = match case.between(0, 2) {
        0 => (0.0, 0.0),
        _ => (case.rng.uniform(), case.rng.uniform()),
    };
    case.describe(format!("peak {peak} at {top} of {last}, from {start} to {end}"));
    Drawn { peak, last, top, start, end }
}

/// Compares every step of the training.
fn every_step(
    implementation: &dyn ScheduleSubject,
    config: ScheduleConfig,
    drawn: &Drawn,
    case: &mut Case,
    literal: impl Fn(u64) -> f64,
) -> Result<(), Failure> {
    for t in 0..=drawn.last {
        case.compare_numbers(&format!("lr({t})"), implementation.lr(config, t)?, literal(t));
    }
    Ok(())
}
