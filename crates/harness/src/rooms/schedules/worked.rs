//! The rates of some steps.

use ndarray::Array1;
use optim::Schedule;

use super::Cycle;
use crate::worked::Example;

/// A rate that falls to a quarter in every two steps, gradually and as a staircase.
pub(super) fn exponential(example: &mut Example<'_>) {
    let (lr, decay, decay_steps) = (8.0, 0.25, 2);
    for (name, staircase) in [("rates", false), ("staircase", true)] {
        let config = Schedule::Exponential { lr, decay, decay_steps, staircase };
        record(example, name, config, 5);
    }
    example.number("lr", lr);
    example.number("decay", decay);
    example.number("decay-steps", decay_steps as f64);
}

/// Three steps up and two down.
pub(super) fn one_cycle(example: &mut Example<'_>) {
    let (one_cycle, peak, last, top) = (true, 4.0, 5.0, 3.0);
    record_cycle(example, Cycle { one_cycle, peak, last, top, start: 0.0, end: 0.5 });
}

/// Four steps up and two down.
pub(super) fn triangular(example: &mut Example<'_>) {
    let (one_cycle, peak, last, top) = (false, 4.0, 6.0, 4.0);
    record_cycle(example, Cycle { one_cycle, peak, last, top, start: 0.25, end: 0.5 });
}

/// Four steps down, and one after them.
pub(super) fn linear(example: &mut Example<'_>) {
    let (lr, total_steps) = (2.0, 4);
    example.number("lr", lr);
    example.number("steps", total_steps as f64);
    record(example, "rates", Schedule::Linear { lr, total_steps }, total_steps + 1);
}

fn record_cycle(example: &mut Example<'_>, cycle: Cycle) {
    example.number("peak", cycle.peak);
    example.number("peak-step", cycle.top);
    example.number("last-step", cycle.last);
    example.number("start", cycle.start);
    example.number("end", cycle.end);
    record(example, "rates", cycle.config(), cycle.last as u64 + 1);
}

fn record(example: &mut Example<'_>, name: &str, config: Schedule, steps: u64) {
    let schedule = config.build().expect("the hyperparameters are in range");
    example.array(name, &(0..steps).map(|step| schedule.rate(step)).collect::<Array1<f64>>());
}
