//! The learning-rate schedules: exponential decay of question 5; the triangular, the one-cycle and the linear
//! schedule of question 7.

mod worked;

use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::Arc;

use optim::{OptimError, Schedule};
use serde::Deserialize;

use crate::Check;
use crate::cases::{Case, Failure, Verdict, claim};
use crate::oracle::Fixture;
use crate::room::{Checks, PlainRoom, bugs, free_claim};

/// The learning rate of a step.
type Rate = dyn Fn(Schedule, u64) -> Result<f64, OptimError> + Send + Sync;

pub(super) static ROOM: PlainRoom<Rate> = PlainRoom {
    name: "Schedule",
    question: "7",
    real: || Arc::new(|config: Schedule, step| Ok(config.build()?.rate(step))),
    faulty: |bug| Arc::new(move |config, step| faulty(bug, config, step)),
    of_program: |_| None,
    checks: |own| {
        oracle(own);
        formulas(own);
        claims(own);
    },
    free_checks,
    bugs: bugs! {
        "cycle-end-late" [Oracle Formula Property] "the end is reached one step after the last"
        "cycle-peak-early" [Oracle Formula Property] "the peak is one step early"
        "cycle-first-leg-down" [Oracle Formula Property] "the first leg runs from the peak to the start"
        "one-cycle-quarter-wave" [Oracle Formula] "a quarter of the cosine's wave in place of a half, with a kink at the peak"
        "one-cycle-straight" [Oracle Formula] "the one-cycle schedule is the triangular one"
        "cycle-end-of-start" [Oracle Formula Property] "the end is a share of the start, as PyTorch has it, not of the peak"
        "cycle-falls-on" [Oracle Property] "after the last step the rate goes on"
        "cycle-starts-again" [Oracle Property] "after the last step the cycle begins anew"
        "linear-end-early" [Oracle Formula Property] "a straight line is at 0 at the last step, not one after it"
        "linear-below-0" [Oracle Formula Property] "after its end a straight line goes on below 0"
        "exponential-each-step" [Formula] "the exponential schedule decays in each step, whatever its decay_steps"
        "exponential-nearest-stair" [Formula] "the staircase rounds its exponent to the nearest instead of down"
        "cycle-unchecked" [Property] "a cycle without a first or second leg is accepted"
    },
    examples: &[
        ("exponential", worked::exponential),
        ("one-cycle", worked::one_cycle),
        ("triangular", worked::triangular),
        ("linear", worked::linear),
    ],
};

/// The schedule of users for something else, or at another step.
fn faulty(bug: &str, mut config: Schedule, mut t: u64) -> Result<f64, OptimError> {
    use Schedule::{Constant, Exponential, Linear, OneCycle, Triangular};
    match config.build() {
        Err(_) if bug == "cycle-unchecked" => return Ok(0.0),
        built => built?,
    };
    match &mut config {
        Constant { .. } => {}
        Linear { lr, total_steps } => match bug {
            "linear-end-early" => *total_steps = (*total_steps - 1).max(1),
            "linear-below-0" => return Ok(*lr * (1.0 - t as f64 / *total_steps as f64)),
            "cycle-starts-again" => t %= *total_steps,
            _ => {}
        },
        Exponential { decay_steps, staircase, .. } => match bug {
            "exponential-each-step" => *decay_steps = 1,
            "exponential-nearest-stair" if *staircase => t += *decay_steps / 2,
            _ => {}
        },
        Triangular(_) | OneCycle(_) => {
            let mut cycle = Cycle::of(config);
            let (last, top) = (cycle.last as u64, cycle.top as u64);
            match bug {
                "cycle-end-late" => cycle.last += 1.0,
                "cycle-peak-early" => cycle.top -= 1.0,
                "cycle-first-leg-down" if t <= top => t = top - t,
                "cycle-end-of-start" => cycle.end *= cycle.start,
                "cycle-starts-again" => t %= last + 1,
                "cycle-falls-on" if t > last => return Ok(cycle.rate(t as f64, |x| x)),
                "one-cycle-straight" => cycle.one_cycle = false,
                "one-cycle-quarter-wave" if cycle.one_cycle => {
                    return Ok(cycle.rate(t.min(last) as f64, |x| 1.0 - (FRAC_PI_2 * x).cos()));
                }
                _ => {}
            }
            config = cycle.config();
        }
    }
    Ok(config.build()?.rate(t))
}

/// Compares with the oracle; a schedule computes in `f64` whatever the parameters are.
fn oracle(own: &mut Checks<Rate>) {
    #[derive(Deserialize)]
    struct Declared {
        schedule: Schedule,
    }
    let (question, module, file) = (own.question, "test_optimizers", "Schedules");
    let fixture = Fixture { question, module, file, kind: "schedule", class: file };
    let rate = Arc::clone(&own.subject);
    own.list.push(fixture.check::<f64>("test_lr", move |listed, entry, tally| {
        let Declared { schedule } = listed.fields()?;
        let reference = entry.array("output")?;
        let mut rates = entry.shaped("input", reference.shape())?;
        for step in &mut rates {
            *step = rate(schedule, *step as u64).map_err(|error| entry.refused(error))?;
        }
        tally.add(&entry.key("output"), &format!("{schedule:?}"), &rates, &reference);
        Ok(())
    }));
}

/// A cycle's numbers as the formulas name them: peak rate, last step, peak's step, both fractions.
#[derive(Clone, Copy)]
struct Cycle {
    one_cycle: bool,
    peak: f64,
    last: f64,
    top: f64,
    start: f64,
    end: f64,
}

impl Cycle {
    fn of(config: Schedule) -> Self {
        let (Schedule::OneCycle(cycle) | Schedule::Triangular(cycle)) = config else {
            unreachable!("{config:?} is no cycle")
        };
        let one_cycle = matches!(config, Schedule::OneCycle(_));
        let (peak, start, end) = (cycle.peak_lr, cycle.start_fraction, cycle.end_fraction);
        let (last, top) = (cycle.total_steps.saturating_sub(1) as f64, cycle.peak_step as f64);
        Self { one_cycle, peak, last, top, start, end }
    }

    fn config(self) -> Schedule {
        let cycle = optim::Cycle {
            peak_lr: self.peak,
            total_steps: self.last as u64 + 1,
            peak_step: self.top as u64,
            start_fraction: self.start,
            end_fraction: self.end,
        };
        if self.one_cycle { Schedule::OneCycle(cycle) } else { Schedule::Triangular(cycle) }
    }

    fn draw(one_cycle: bool, case: &mut Case) -> Self {
        let last = case.between(2, 60);
        let top = case.between(1, last - 1) as f64;
        let peak = 0.01 + case.rng.uniform();
        // The ends are often 0, where a fraction that is added instead of multiplied shows.
        let (start, end) = match case.between(0, 2) {
            0 => (0.0, 0.0),
            _ => (case.rng.uniform(), case.rng.uniform()),
        };
        let cycle = Self { one_cycle, peak, last: last as f64, top, start, end };
        case.describe(format!("{:?}", cycle.config()));
        cycle
    }

    /// `lr(t) = lr_peak (s + (1 - s) w(t/p))` for `t <= p`, and `lr_peak (1 - (1 - e) w((t - p)/(l - p)))` up to l.
    fn rate(&self, t: f64, wave: impl Fn(f64) -> f64) -> f64 {
        let &Self { peak, last, top, start, end, .. } = self;
        match t <= top {
            true => peak * (start + (1.0 - start) * wave(t / top)),
            false => peak * (1.0 - (1.0 - end) * wave((t - top) / (last - top))),
        }
    }
}

/// `(1 - cos(π x)) / 2`.
fn half_wave(x: f64) -> f64 {
    (1.0 - (PI * x).cos()) / 2.0
}

/// A handful of roundings of numbers of at most 2, the cosine's among them.
const ROUNDING: f64 = 4e-15;

fn formulas(own: &mut Checks<Rate>) {
    // Two legs of the wave w(x) = x.
    own.formula("triangular", ROUNDING, |rate, case| legs(rate, false, case, |x| x));
    // The same with w(x) = (1 - cos(π x)) / 2.
    own.formula("one-cycle", ROUNDING, |rate, case| legs(rate, true, case, half_wave));
    // lr(t) = lr (1 - t/n) for t < n, and 0 from n on.
    own.formula("linear-schedule", ROUNDING, |rate, case| {
        let (lr, n) = (0.01 + case.rng.uniform(), case.between(1, 40) as u64);
        case.describe(format!("from {lr} to 0 in {n} steps"));
        for t in 0..n + 5 {
            let got = rate(Schedule::Linear { lr, total_steps: n }, t)?;
            let expected = if t < n { lr * (1.0 - t as f64 / n as f64) } else { 0.0 };
            case.compare_numbers(&format!("lr({t})"), got, expected);
        }
        Ok(())
    });
    // η_t = η_0 ρ^(t/T), as a staircase η_0 ρ^⌊t/T⌋: one factor for each T steps, and for what is left of T the
    // root of it. 59 factors, each rounded and multiplied, of a number below 1.01: 59 · 2 u = 1.3e-14. The
    // power and the roots are off by a few units where they are not small.
    own.formula_of("5", "exponential-schedule", 2e-14, |rate, case| {
        let staircase = case.between(0, 1) == 1;
        let (lr, decay) = (0.01 + case.rng.uniform(), 0.1 + 0.9 * case.rng.uniform());
        let decay_steps = case.between(1, 8) as u64;
        case.describe(format!("{lr}, {decay} in {decay_steps} steps, staircase {staircase}"));
        let config = Schedule::Exponential { lr, decay, decay_steps, staircase };
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
            case.compare_numbers(&format!("lr({t})"), rate(config, t)?, expected);
        }
        Ok(())
    });
}

/// Compares every step with the two legs of this wave.
fn legs(rate: &Rate, one_cycle: bool, case: &mut Case, wave: fn(f64) -> f64) -> Verdict {
    let cycle = Cycle::draw(one_cycle, case);
    for t in 0..=cycle.last as u64 {
        let got = rate(cycle.config(), t)?;
        case.compare_numbers(&format!("lr({t})"), got, cycle.rate(t as f64, wave));
    }
    Ok(())
}

fn claims(own: &mut Checks<Rate>) {
    own.exactly("the_maximum_is_the_peak", |rate, case| {
        let (cycle, rates) = drawn_rates(rate, case)?;
        let at_peak = rates[cycle.top as usize];
        claim(at_peak == cycle.peak, || format!("at the peak's step it is {at_peak}"))?;
        let largest = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        claim(largest <= cycle.peak * (1.0 + ROUNDING), || format!("it goes up to {largest}"))
    });
    // Exactly at both ends, and for ever after the last step.
    own.exactly("it_begins_and_ends_where_it_should", |rate, case| {
        let one_cycle = case.between(0, 1) == 1;
        let cycle = Cycle::draw(one_cycle, case);
        let (last, later) = (cycle.last as u64, cycle.last as u64 + case.between(1, 1000) as u64);
        let (start, end) = (cycle.peak * cycle.start, cycle.peak * cycle.end);
        are(rate, cycle.config(), &[(0, start), (last, end), (later, end), (u64::MAX, end)])
    });
    own.exactly("it_rises_and_then_falls", |rate, case| {
        let (cycle, rates) = drawn_rates(rate, case)?;
        let slack = cycle.peak * ROUNDING;
        for (t, pair) in rates.windows(2).enumerate() {
            let up = (t as f64) < cycle.top;
            let right = if up { pair[1] >= pair[0] - slack } else { pair[1] <= pair[0] + slack };
            claim(right, || format!("lr({t}) = {}, lr({}) = {}", pair[0], t + 1, pair[1]))?;
        }
        Ok(())
    });
    // From one step to the next the rate changes by no more than the leg's steepest slope.
    own.exactly("no_step_jumps", |rate, case| {
        let (cycle, rates) = drawn_rates(rate, case)?;
        let Cycle { peak, last, top, start, end, .. } = cycle;
        // The derivative of (1 - cos(π x)) / 2 is at most π/2.
        let steepest = if cycle.one_cycle { FRAC_PI_2 } else { 1.0 };
        let (up, down) = (peak * (1.0 - start) / top, peak * (1.0 - end) / (last - top));
        for (t, pair) in rates.windows(2).enumerate() {
            let bound = if (t as f64) < top { up } else { down } * steepest + peak * ROUNDING;
            let change = (pair[1] - pair[0]).abs();
            claim(change <= bound, || format!("after step {t} it changes by {change} > {bound}"))?;
        }
        Ok(())
    });
    own.exactly("a_cycle_without_both_legs_is_refused", |rate, case| {
        let one_cycle = case.between(0, 1) == 1;
        let last = case.between(2, 49) as f64;
        let valid = Cycle { one_cycle, peak: 0.1, last, top: 1.0, start: 0.0, end: 0.0 };
        for cycle in [
            Cycle { last: 1.0, ..valid },
            Cycle { top: 0.0, ..valid },
            Cycle { top: last, ..valid },
            Cycle { start: 1.5, ..valid },
            Cycle { end: -0.1, ..valid },
            Cycle { peak: 0.0, ..valid },
        ] {
            refused(rate, cycle.config())?;
        }
        Ok(())
    });
    // The linear schedule begins at its rate, falls by the same at each step, and is exactly 0 from its end
    // on; without a step, or without a rate, it is refused.
    own.exactly("a_straight_line_ends_at_0", |rate, case| {
        let (lr, total_steps) = (0.01 + case.rng.uniform(), case.between(1, 60) as u64);
        let config = Schedule::Linear { lr, total_steps };
        case.describe(format!("{config:?}"));
        let later = total_steps + case.between(1, 1000) as u64;
        are(rate, config, &[(0, lr), (total_steps, 0.0), (later, 0.0), (u64::MAX, 0.0)])?;
        for t in 0..total_steps {
            let fall = rate(config, t)? - rate(config, t + 1)?;
            let off = (fall - lr / total_steps as f64).abs();
            claim(off <= lr * ROUNDING, || format!("after step {t} it falls by {fall}"))?;
        }
        refused(rate, Schedule::Linear { lr, total_steps: 0 })?;
        refused(rate, Schedule::Linear { lr: 0.0, total_steps })
    });
}

/// A cycle, and the rates of all its steps and of some after the last.
fn drawn_rates(rate: &Rate, case: &mut Case) -> Result<(Cycle, Vec<f64>), Failure> {
    let one_cycle = case.between(0, 1) == 1;
    let cycle = Cycle::draw(one_cycle, case);
    let rates: Result<_, _> = (0..cycle.last as u64 + 4).map(|t| rate(cycle.config(), t)).collect();
    Ok((cycle, rates?))
}

/// Claims that the rates of these steps are exactly these.
fn are(rate: &Rate, config: Schedule, expected: &[(u64, f64)]) -> Verdict {
    for &(step, expected) in expected {
        let got = rate(config, step)?;
        claim(got == expected, || format!("lr({step}) is {got}, not {expected}"))?;
    }
    Ok(())
}

fn refused(rate: &Rate, config: Schedule) -> Verdict {
    claim(rate(config, 0).is_err(), || format!("{config:?} was accepted"))
}

fn free_checks() -> Vec<Check> {
    // At whole multiples of its period a staircase has the value of the smooth decay, and between them it
    // is above it, but not by more than one step.
    let name = "stairs_touch_the_curve_from_above";
    vec![free_claim(20, 1e-12, "properties.Schedule", name, |case| {
        let (lr, decay) = (0.1 + case.rng.uniform(), 0.3 + 0.7 * case.rng.uniform());
        let decay_steps = case.between(1, 20) as u64;
        case.describe(format!("lr {lr}, decay {decay}, decay_steps {decay_steps}"));
        let build = |staircase| Schedule::Exponential { lr, decay, decay_steps, staircase }.build();
        let (curve, stairs) = (build(false)?, build(true)?);
        case.compare_numbers("lr after one period", stairs.rate(decay_steps), lr * decay);
        for step in 0..5 * decay_steps {
            let (curve, stairs) = (curve.rate(step), stairs.rate(step));
            if step % decay_steps == 0 {
                case.compare_numbers("lr of the stairs", stairs, curve);
            }
            let touches =
                stairs * (1.0 + 1e-15) >= curve && stairs * decay <= curve * (1.0 + 1e-15);
            claim(touches, || {
                format!("step {step}: the curve is at {curve}, the stairs are at {stairs}")
            })?;
        }
        Ok(())
    })]
}
