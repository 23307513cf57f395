//! Bugs of the optimiser, of schedules and of label smoothing.

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::sync::Arc;

use losses::{LossError, smooth_labels};
use ndarray::{Array2, ArrayD};
use optim::{OptimError, ScheduleConfig, SgdConfig, Step};

use super::Control;
use crate::Kind::{Formula, Gradient, Oracle, Property};
use crate::{Kind, Optimiser, ScheduleSubject, SgdSubject, SmoothingSubject, Subject};

/// A mistake in a step of the optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SgdBug {
    None,
    DecaysEverything,
    DecaysNothing,
    Clips,
    Grows,
    DecaysByLrTwice,
    Decouples,
    Halves,
    OldVelocity,
    ForgetsNewGradient,
    LooksBack,
    AcceptsAnything,
}

impl SgdSubject<f64> for SgdBug {
    fn build(&self, config: SgdConfig) -> Result<Box<dyn Optimiser<f64>>, OptimError> {
        if *self != Self::AcceptsAnything {
            config.build::<f64>()?;
        }
        Ok(Box::new(NaiveSgd { bug: *self, config, velocities: BTreeMap::new() }))
    }
}

/// The optimiser in plain loops.
struct NaiveSgd {
    bug: SgdBug,
    config: SgdConfig,
    velocities: BTreeMap<String, ArrayD<f64>>,
}

impl NaiveSgd {
    fn clipped(&self, g: ArrayD<f64>) -> ArrayD<f64> {
        let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
        match self.config.clip_norm {
            Some(bound) if norm > bound => g * (bound / norm),
            _ => g,
        }
    }
}

impl Optimiser<f64> for NaiveSgd {
    fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<f64>,
        gradient: &ArrayD<f64>,
        Step { lr, decays }: Step,
    ) -> Result<(), OptimError> {
        let bug = self.bug;
        let SgdConfig { momentum, nesterov, weight_decay, .. } = self.config;
        let decay = match bug {
            SgdBug::DecaysEverything => weight_decay,
            SgdBug::DecaysNothing => 0.0,
            _ if !decays => 0.0,
            SgdBug::Grows => -weight_decay,
            SgdBug::DecaysByLrTwice => lr * weight_decay,
            SgdBug::Halves => weight_decay / 2.0,
            _ => weight_decay,
        };
        let g = match bug {
            SgdBug::Clips => self.clipped(gradient + &*parameter * decay),
            SgdBug::Decouples => self.clipped(gradient.clone()),
            _ => self.clipped(gradient.clone()) + &*parameter * decay,
        };
        if bug == SgdBug::Decouples {
            *parameter *= 1.0 - lr * decay;
        }
        let old = self.velocities.get(name).cloned();
        let old = old.unwrap_or_else(|| ArrayD::zeros(g.raw_dim()));
        let new = &old * momentum + &g * lr;
        let step = match bug {
            _ if !nesterov => new.clone(),
            SgdBug::OldVelocity => &old * momentum + &g * lr,
            SgdBug::ForgetsNewGradient => &new * momentum,
            SgdBug::LooksBack => &g * lr - &new * momentum,
            _ => &new * momentum + &g * lr,
        };
        *parameter -= &step;
        self.velocities.insert(name.to_owned(), new);
        Ok(())
    }
}

/// A mistake in a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScheduleBug {
    None,
    EndsOneStepLate,
    PeaksOneStepEarly,
    FallsFromTheStart,
    HalfAngle,
    StraightCosine,
    EndOfTheStart,
    KeepsFalling,
    StartsAgain,
    ReachesZeroEarly,
    BelowZero,
    DecaysEachStep,
    NearestStair,
    AcceptsAnything,
}

impl ScheduleSubject for ScheduleBug {
    fn lr(&self, config: ScheduleConfig, step: u64) -> Result<f64, OptimError> {
        if *self != Self::AcceptsAnything {
            config.build()?;
        }
        if let ScheduleConfig::Linear { lr, total_steps } = config {
            let (t, n) = (step as f64, total_steps as f64);
            return Ok(match self {
                Self::ReachesZeroEarly => lr * (1.0 - t / (n - 1.0).max(1.0)).max(0.0),
                Self::BelowZero => lr * (1.0 - t / n),
                Self::StartsAgain => lr * (1.0 - t % n / n),
                _ => lr * (1.0 - t / n).max(0.0),
            });
        }
        let (cosine, peak_lr, total, top, start, end) = match config {
            ScheduleConfig::Triangular {
                peak_lr,
                total_steps,
                peak_step,
                start_fraction,
                end_fraction,
            } => (false, peak_lr, total_steps, peak_step, start_fraction, end_fraction),
            ScheduleConfig::OneCycle {
                peak_lr,
                total_steps,
                peak_step,
                start_fraction,
                end_fraction,
            } => (true, peak_lr, total_steps, peak_step, start_fraction, end_fraction),
            ScheduleConfig::Exponential { lr, decay, decay_steps, staircase } => {
                let t = step as f64 / decay_steps as f64;
                return Ok(match self {
                    Self::DecaysEachStep => lr * decay.powf(step as f64),
                    Self::NearestStair if staircase => lr * decay.powf(t.round()),
                    _ => lr * decay.powf(if staircase { t.floor() } else { t }),
                });
            }
            ScheduleConfig::Constant { .. } | ScheduleConfig::Linear { .. } => {
                return Ok(config.build()?.lr(step));
            }
        };
        let mut last = (total - 1) as f64;
        let (mut top, mut t) = (top as f64, step as f64);
        let mut end = end;
        match self {
            Self::EndsOneStepLate => last += 1.0,
            Self::PeaksOneStepEarly => top -= 1.0,
            Self::EndOfTheStart => end *= start,
            Self::StartsAgain => t %= last + 1.0,
            _ => {}
        }
        if *self != Self::KeepsFalling {
            t = t.min(last);
        }
        let (from, to, x) =
            if t <= top { (start, 1.0, t / top) } else { (1.0, end, (t - top) / (last - top)) };
        let x = if x.is_nan() { 1.0 } else { x };
        let share = match self {
            Self::StraightCosine => x,
            Self::HalfAngle if cosine => 1.0 - (PI * x / 2.0).cos(),
            _ if cosine => (1.0 - (PI * x).cos()) / 2.0,
            _ => x,
        };
        let share = if *self == Self::FallsFromTheStart && t <= top { 1.0 - share } else { share };
        Ok(peak_lr * ((1.0 - share) * from + share * to))
    }
}

/// A mistake in label smoothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SmoothingBug {
    None,
    OtherClassesOnly,
    OverOtherClasses,
    KeepsTheTarget,
    NotDivided,
    SwapsTheShares,
    Renormalises,
    AcceptsAnything,
}

impl SmoothingSubject<f64> for SmoothingBug {
    fn smooth(&self, target: &Array2<f64>, eps: f64) -> Result<Array2<f64>, LossError> {
        if *self != Self::AcceptsAnything {
            smooth_labels(target.view(), eps)?;
        }
        let k = target.ncols() as f64;
        let others = (k - 1.0).max(1.0);
        Ok(match self {
            Self::OtherClassesOnly => target
                .mapv(|y| if k == 1.0 { y } else { (1.0 - eps) * y + eps / others * (1.0 - y) }),
            Self::OverOtherClasses => target.mapv(|y| (1.0 - eps) * y + eps / others),
            Self::KeepsTheTarget => target.mapv(|y| y + eps / k),
            Self::NotDivided => target.mapv(|y| (1.0 - eps) * y + eps),
            Self::SwapsTheShares => target.mapv(|y| eps * y + (1.0 - eps) / k),
            Self::Renormalises => target.mapv(|y| (y + eps / k) / (1.0 + eps)),
            Self::None | Self::AcceptsAnything => target.mapv(|y| (1.0 - eps) * y + eps / k),
        })
    }
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![
        Subject::Sgd(Arc::new(SgdBug::None)),
        Subject::Schedule(Arc::new(ScheduleBug::None)),
        Subject::Smoothing(Arc::new(SmoothingBug::None)),
    ]
}

pub(super) fn controls() -> Vec<Control> {
    sgd().into_iter().chain(schedules()).chain(smoothing()).collect()
}

fn sgd() -> Vec<Control> {
    let control = |id, bug, expected: &'static [Kind], sgd: SgdBug| Control {
        id,
        bug,
        expected,
        subject: Subject::Sgd(Arc::new(sgd)),
    };
    vec![
        control(
            "decay-of-biases",
            "weight decay acts on every parameter, biases included",
            &[Oracle, Gradient, Formula, Property],
            SgdBug::DecaysEverything,
        ),
        control(
            "decay-of-nothing",
            "weight decay is declared and never applied",
            &[Oracle, Gradient, Formula, Property],
            SgdBug::DecaysNothing,
        ),
        control(
            "decay-clipped",
            "the decay is added before the gradient is clipped, and is clipped with it",
            &[Oracle, Formula, Property],
            SgdBug::Clips,
        ),
        control(
            "decay-sign",
            "the decay is subtracted from the gradient: weights grow",
            &[Oracle, Gradient, Formula, Property],
            SgdBug::Grows,
        ),
        control(
            "decay-lr-twice",
            "the decay is multiplied by the learning rate twice",
            &[Oracle, Gradient, Formula, Property],
            SgdBug::DecaysByLrTwice,
        ),
        control(
            "decay-decoupled",
            "weights shrink beside the momentum, not through it",
            &[Oracle, Formula],
            SgdBug::Decouples,
        ),
        control(
            "decay-half",
            "the decay is λ p / 2: the square was not differentiated",
            &[Oracle, Gradient, Formula, Property],
            SgdBug::Halves,
        ),
        control(
            "nesterov-old-velocity",
            "the step is μ v + lr g with the old velocity, which is the ordinary momentum",
            &[Oracle, Formula, Property],
            SgdBug::OldVelocity,
        ),
        control(
            "nesterov-velocity-only",
            "the step is μ v alone, without lr g",
            &[Oracle, Formula, Property],
            SgdBug::ForgetsNewGradient,
        ),
        control(
            "nesterov-sign",
            "the step is lr g - μ v: it looks back, not ahead",
            &[Oracle, Formula, Property],
            SgdBug::LooksBack,
        ),
        control(
            "sgd-unchecked",
            "a negative decay and Nesterov's form without a momentum are accepted",
            &[Property],
            SgdBug::AcceptsAnything,
        ),
    ]
}

fn schedules() -> Vec<Control> {
    let control = |id, bug, expected: &'static [Kind], schedule: ScheduleBug| Control {
        id,
        bug,
        expected,
        subject: Subject::Schedule(Arc::new(schedule)),
    };
    vec![
        control(
            "cycle-end-late",
            "the end is reached one step after the last",
            &[Oracle, Formula, Property],
            ScheduleBug::EndsOneStepLate,
        ),
        control(
            "cycle-peak-early",
            "the peak is one step early",
            &[Oracle, Formula, Property],
            ScheduleBug::PeaksOneStepEarly,
        ),
        control(
            "cycle-first-leg-down",
            "the first leg runs from the peak to the start",
            &[Oracle, Formula, Property],
            ScheduleBug::FallsFromTheStart,
        ),
        control(
            "one-cycle-quarter-wave",
            "a quarter of the cosine's wave in place of a half, with a kink at the peak",
            &[Oracle, Formula],
            ScheduleBug::HalfAngle,
        ),
        control(
            "one-cycle-straight",
            "the one-cycle schedule is the triangular one",
            &[Oracle, Formula],
            ScheduleBug::StraightCosine,
        ),
        control(
            "cycle-end-of-start",
            "the end is a share of the start, as PyTorch has it, not of the peak",
            &[Oracle, Formula, Property],
            ScheduleBug::EndOfTheStart,
        ),
        control(
            "cycle-falls-on",
            "after the last step the rate goes on",
            &[Oracle, Property],
            ScheduleBug::KeepsFalling,
        ),
        control(
            "cycle-starts-again",
            "after the last step the cycle begins anew",
            &[Oracle, Property],
            ScheduleBug::StartsAgain,
        ),
        control(
            "linear-end-early",
            "a straight line is at 0 at the last step, not one after it",
            &[Oracle, Formula, Property],
            ScheduleBug::ReachesZeroEarly,
        ),
        control(
            "linear-below-0",
            "after its end a straight line goes on below 0",
            &[Oracle, Formula, Property],
            ScheduleBug::BelowZero,
        ),
        control(
            "exponential-each-step",
            "the exponential schedule decays in each step, whatever its decay_steps",
            &[Formula],
            ScheduleBug::DecaysEachStep,
        ),
        control(
            "exponential-nearest-stair",
            "the staircase rounds its exponent to the nearest instead of down",
            &[Formula],
            ScheduleBug::NearestStair,
        ),
        control(
            "cycle-unchecked",
            "a cycle without a first or second leg is accepted",
            &[Property],
            ScheduleBug::AcceptsAnything,
        ),
    ]
}

fn smoothing() -> Vec<Control> {
    let control = |id, bug, expected: &'static [Kind], smoothing: SmoothingBug| Control {
        id,
        bug,
        expected,
        subject: Subject::Smoothing(Arc::new(smoothing)),
    };
    vec![
        control(
            "smoothing-others-only",
            "ε is spread over the other classes only; a distribution all the same",
            &[Oracle, Gradient, Formula],
            SmoothingBug::OtherClassesOnly,
        ),
        control(
            "smoothing-k-minus-1",
            "ε/(k - 1) is added to all classes",
            &[Oracle, Formula, Property],
            SmoothingBug::OverOtherClasses,
        ),
        control(
            "smoothing-keeps-target",
            "the target is not multiplied by 1 - ε",
            &[Oracle, Formula, Property],
            SmoothingBug::KeepsTheTarget,
        ),
        control(
            "smoothing-undivided",
            "ε is added to each class, not ε/k",
            &[Oracle, Formula, Property],
            SmoothingBug::NotDivided,
        ),
        control(
            "smoothing-swapped",
            "ε and 1 - ε are exchanged",
            &[Oracle, Gradient, Formula, Property],
            SmoothingBug::SwapsTheShares,
        ),
        control(
            "smoothing-renormalised",
            "ε/k is added and the row divided by its sum: a smaller share than declared",
            &[Oracle, Gradient, Formula],
            SmoothingBug::Renormalises,
        ),
        control(
            "smoothing-unchecked",
            "any share and any target are accepted",
            &[Property],
            SmoothingBug::AcceptsAnything,
        ),
    ]
}
