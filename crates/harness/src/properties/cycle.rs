//! Claims about the schedules that rise to a peak and fall, and about the one that only falls.

use std::f64::consts::FRAC_PI_2;
use std::sync::Arc;

use optim::ScheduleConfig;

use super::CASES;
use crate::cases::{Case, Cases, Failure, claim};
use crate::{Check, Kind, ScheduleSubject, Subject};

/// The roundings of a learning rate, relative to the peak.
const ROUNDING: f64 = 4e-15;

type One = fn(&dyn ScheduleSubject, &mut Case) -> Result<(), Failure>;

pub(super) fn checks(
    subject: &Subject<f64>,
    implementation: &Arc<dyn ScheduleSubject>,
) -> Vec<Check> {
    let check = |name, one: One| {
        let implementation = Arc::clone(implementation);
        let group = format!("properties.{}", subject.name());
        let cases = Cases { count: CASES, bound: 0.0 };
        cases.check(subject.question(), Kind::Property, group, name, move |case| {
            one(implementation.as_ref(), case)
        })
    };
    vec![
        check("the_maximum_is_the_peak", maximum_is_the_peak),
        check("it_begins_and_ends_where_it_should", ends),
        check("it_rises_and_then_falls", rises_and_falls),
        check("no_step_jumps", no_step_jumps),
        check("a_cycle_without_both_legs_is_refused", refused),
        check("a_straight_line_ends_at_0", straight_line),
    ]
}

/// A cycle, and its steepest slope on a leg relative to the mean slope of the leg.
struct Cycle {
    config: ScheduleConfig,
    peak_lr: f64,
    last: u64,
    peak_step: u64,
    start: f64,
    end: f64,
    steepest: f64,
}

fn config(one_cycle: bool, numbers: (f64, u64, u64, f64, f64)) -> ScheduleConfig {
    let (peak_lr, total_steps, peak_step, start_fraction, end_fraction) = numbers;
    if one_cycle {
        ScheduleConfig::OneCycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction }
    } else {
        ScheduleConfig::Triangular { peak_lr, total_steps, peak_step, start_fraction, end_fraction }
    }
}

fn draw(case: &mut Case) -> Cycle {
    let last = case.between(2, 60) as u64;
    let peak_step = case.between(1, last as usize - 1) as u64;
    let peak_lr = 0.01 + case.rng.uniform();
    let (start, end) = (case.rng.uniform(), case.rng.uniform());
    let one_cycle = case.between(0, 1) == 1;
    let config = config(one_cycle, (peak_lr, last + 1, peak_step, start, end));
    case.describe(format!("{config:?}"));
    // The derivative of (1 - cos(π x)) / 2 is at most π/2.
    let steepest = if one_cycle { FRAC_PI_2 } else { 1.0 };
    Cycle { config, peak_lr, last, peak_step, start, end, steepest }
}

/// The rates of all steps, and of some after the last.
fn rates(schedule: &dyn ScheduleSubject, cycle: &Cycle) -> Result<Vec<f64>, Failure> {
    let rates: Result<Vec<f64>, _> =
        (0..cycle.last + 4).map(|t| schedule.lr(cycle.config, t)).collect();
    Ok(rates?)
}

fn maximum_is_the_peak(schedule: &dyn ScheduleSubject, case: &mut Case) -> Result<(), Failure> {
    let cycle = draw(case);
    let rates = rates(schedule, &cycle)?;
    let at_peak = rates[cycle.peak_step as usize];
    claim(at_peak == cycle.peak_lr, || format!("at the peak's step it is {at_peak}"))?;
    let largest = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    claim(largest <= cycle.peak_lr * (1.0 + ROUNDING), || format!("it goes up to {largest}"))
}

/// Exactly at both ends, and for ever after the last step.
fn ends(schedule: &dyn ScheduleSubject, case: &mut Case) -> Result<(), Failure> {
    let cycle = draw(case);
    let (start, end) = (cycle.peak_lr * cycle.start, cycle.peak_lr * cycle.end);
    let later = cycle.last + case.between(1, 1000) as u64;
    for (step, expected) in [(0, start), (cycle.last, end), (later, end), (u64::MAX, end)] {
        let got = schedule.lr(cycle.config, step)?;
        claim(got == expected, || format!("lr({step}) is {got}, not {expected}"))?;
    }
    Ok(())
}

fn rises_and_falls(schedule: &dyn ScheduleSubject, case: &mut Case) -> Result<(), Failure> {
    let cycle = draw(case);
    let slack = cycle.peak_lr * ROUNDING;
    for (t, pair) in (0..).zip(rates(schedule, &cycle)?.windows(2)) {
        let up = t < cycle.peak_step;
        let right = if up { pair[1] >= pair[0] - slack } else { pair[1] <= pair[0] + slack };
        claim(right, || format!("lr({t}) = {}, lr({}) = {}", pair[0], t + 1, pair[1]))?;
    }
    Ok(())
}

/// From one step to the next the rate changes by no more than the leg's steepest slope.
fn no_step_jumps(schedule: &dyn ScheduleSubject, case: &mut Case) -> Result<(), Failure> {
    let cycle = draw(case);
    let up = cycle.peak_lr * (1.0 - cycle.start) / cycle.peak_step as f64;
    let down = cycle.peak_lr * (1.0 - cycle.end) / (cycle.last - cycle.peak_step) as f64;
    for (t, pair) in (0..).zip(rates(schedule, &cycle)?.windows(2)) {
        let slope = if t < cycle.peak_step { up } else { down };
        let bound = slope * cycle.steepest + cycle.peak_lr * ROUNDING;
        let change = (pair[1] - pair[0]).abs();
        claim(change <= bound, || format!("after step {t} it changes by {change} > {bound}"))?;
    }
    Ok(())
}

fn refused(schedule: &dyn ScheduleSubject, case: &mut Case) -> Result<(), Failure> {
    let one_cycle = case.between(0, 1) == 1;
    let n = case.between(3, 50) as u64;
    for numbers in [
        (0.1, 2, 1, 0.0, 0.0),
        (0.1, n, 0, 0.0, 0.0),
        (0.1, n, n - 1, 0.0, 0.0),
        (0.1, n, 1, 1.5, 0.0),
        (0.1, n, 1, 0.0, -0.1),
        (0.0, n, 1, 0.0, 0.0),
    ] {
        let config = config(one_cycle, numbers);
        claim(schedule.lr(config, 0).is_err(), || format!("{config:?} was accepted"))?;
    }
    Ok(())
}

/// The linear schedule begins at its rate, falls by the same at each step, and is exactly 0 from its end
/// on; without a step, or without a rate, it is refused.
fn straight_line(schedule: &dyn ScheduleSubject, case: &mut Case) -> Result<(), Failure> {
    let (lr, total_steps) = (0.01 + case.rng.uniform(), case.between(1, 60) as u64);
    let config = ScheduleConfig::Linear { lr, total_steps };
    case.describe(format!("{config:?}"));
    let later = total_steps + case.between(1, 1000) as u64;
    for (step, expected) in [(0, lr), (total_steps, 0.0), (later, 0.0), (u64::MAX, 0.0)] {
        let got = schedule.lr(config, step)?;
        claim(got == expected, || format!("lr({step}) is {got}, not {expected}"))?;
    }
    for t in 0..total_steps {
        let fall = schedule.lr(config, t)? - schedule.lr(config, t + 1)?;
        let off = (fall - lr / total_steps as f64).abs();
        claim(off <= lr * ROUNDING, || format!("after step {t} it falls by {fall}"))?;
    }
    for config in [
        ScheduleConfig::Linear { lr, total_steps: 0 },
        ScheduleConfig::Linear { lr: 0.0, total_steps },
    ] {
        claim(schedule.lr(config, 0).is_err(), || format!("{config:?} was accepted"))?;
    }
    Ok(())
}
