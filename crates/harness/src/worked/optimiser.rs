//! The optimiser of question 5, and what question 7 adds to it.

use ndarray::{Array1, arr0};
use optim::{Schedule, SgdConfig, Step};

use super::Example;

/// A velocity that is kept while the rate falls.
pub(super) fn momentum(example: &mut Example<'_>) {
    let config = SgdConfig { momentum: 0.5, ..SgdConfig::default() };
    descend(example, config, 10.0, &[4.0, 4.0, 4.0], &[1.0, 0.25, 0.25]);
}

/// A rate that falls to a quarter in every two steps, gradually and as a staircase.
pub(super) fn exponential(example: &mut Example<'_>) {
    const LR: f64 = 8.0;
    const DECAY: f64 = 0.25;
    const DECAY_STEPS: u64 = 2;
    for (name, staircase) in [("rates", false), ("staircase", true)] {
        let (lr, decay, decay_steps) = (LR, DECAY, DECAY_STEPS);
        let schedule = Schedule::Exponential { lr, decay, decay_steps, staircase };
        let rates: Array1<f64> = (0..5).map(|step| schedule.lr(step)).collect();
        example.array(name, &rates);
    }
    example.number("lr", LR);
    example.number("decay", DECAY);
    example.number("decay-steps", DECAY_STEPS as f64);
}

/// Decay, momentum and rate of one half each.
pub(super) fn weight_decay(example: &mut Example<'_>) {
    let config = SgdConfig { momentum: 0.5, weight_decay: 0.5, ..SgdConfig::default() };
    descend(example, config, 8.0, &[2.0, 2.0], &[0.5, 0.5]);
}

/// The look-ahead form, with a rate that falls.
pub(super) fn nesterov(example: &mut Example<'_>) {
    let config = SgdConfig { momentum: 0.5, nesterov: true, ..SgdConfig::default() };
    descend(example, config, 10.0, &[4.0, 4.0, 4.0], &[0.5, 0.5, 0.25]);
}

/// Runs the optimiser on a single parameter; records `p` from the start on, and `v` after each step.
fn descend(
    example: &mut Example<'_>,
    config: SgdConfig,
    start: f64,
    gradients: &[f64],
    rates: &[f64],
) {
    let mut sgd = config.build::<f64>().expect("the hyperparameters are in range");
    let mut parameter = arr0(start).into_dyn();
    let (mut positions, mut velocities, mut decayed) = (vec![start], vec![], vec![]);
    for (&gradient, &lr) in gradients.iter().zip(rates) {
        decayed.push(gradient + config.weight_decay * parameter[[]]);
        sgd.update("p", &mut parameter, &arr0(gradient).into_dyn(), Step { lr, decays: true })
            .expect("the gradient has the shape of the parameter");
        positions.push(parameter[[]]);
        velocities.extend(sgd.velocities().map(|(_, v)| v[[]]));
    }
    example.number("mu", config.momentum);
    example.number("lambda", config.weight_decay);
    example.number("gradient", gradients[0]);
    example.array("g", &Array1::from(decayed));
    example.array("rates", &Array1::from(rates.to_vec()));
    example.array("p", &Array1::from(positions));
    example.array("v", &Array1::from(velocities));
}

/// Three steps up and two down.
pub(super) fn one_cycle(example: &mut Example<'_>) {
    cycle(example, true, (6, 3), [0.0, 0.5]);
}

/// Four steps up and two down.
pub(super) fn triangular(example: &mut Example<'_>) {
    cycle(example, false, (7, 4), [0.25, 0.5]);
}

/// Four steps down, and one after them.
pub(super) fn linear(example: &mut Example<'_>) {
    let (lr, total_steps) = (2.0, 4);
    let schedule = Schedule::Linear { lr, total_steps };
    example.number("lr", lr);
    example.number("steps", total_steps as f64);
    let rates: Array1<f64> = (0..=total_steps).map(|step| schedule.lr(step)).collect();
    example.array("rates", &rates);
}

fn cycle(
    example: &mut Example<'_>,
    smooth: bool,
    (total_steps, peak_step): (u64, u64),
    [start_fraction, end_fraction]: [f64; 2],
) {
    let peak_lr = 4.0;
    let schedule = if smooth {
        Schedule::OneCycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction }
    } else {
        Schedule::Triangular { peak_lr, total_steps, peak_step, start_fraction, end_fraction }
    };
    example.number("peak", peak_lr);
    example.number("peak-step", peak_step as f64);
    example.number("last-step", (total_steps - 1) as f64);
    example.number("start", start_fraction);
    example.number("end", end_fraction);
    let rates = (0..total_steps).map(|step| schedule.lr(step));
    example.array("rates", &rates.collect::<Array1<f64>>());
}
