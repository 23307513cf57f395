//! Learning rates as functions of the step.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::{check, check_lr};

/// The learning rate η(t) of step t; the first update of a training is step 0.
///
/// ```
/// use optim::Schedule;
/// let linear = Schedule::Linear { lr: 2.0, total_steps: 4 }.build()?;
/// assert_eq!([0, 1, 3, 4, 5].map(|step| linear.rate(step)), [2.0, 1.5, 0.5, 0.0, 0.0]);
/// # Ok::<(), optim::OptimError>(())
/// ```
///
/// Questions 5 (exponential) and 7.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// The same rate at every step.
    Constant {
        /// The learning rate, above 0.
        lr: f64,
    },
    /// `η(t) = lr · decay^(t / decay_steps)`; 0 where that is below the smallest number.
    Exponential {
        /// The learning rate of the first step, above 0.
        lr: f64,
        /// The factor by which it shrinks, in `(0, 1]`.
        decay: f64,
        /// The number of steps in which it does, at least 1.
        decay_steps: u64,
        /// Whether it shrinks all at once: the exponent is rounded down.
        #[serde(default)]
        staircase: bool,
    },
    /// `η(t) = lr (1 - t / total_steps)`, and 0 from step `total_steps` on.
    ///
    /// The last step of a training of `total_steps` still has a rate, `lr / total_steps`. With a
    /// `total_steps` below that of the training, a parameter comes to rest before its end.
    Linear {
        /// The learning rate of the first step, above 0.
        lr: f64,
        /// The step from which on it is 0, at least 1.
        total_steps: u64,
    },
    /// In a straight line from step 0 up to the peak, and in another down to the last step.
    ///
    /// With p the peak's step, l the last step, and s and e the fractions at start and end,
    /// `η(t) / peak_lr` is `s + (1 - s) h(t/p)` up to p and `1 - (1 - e) h((t - p)/(l - p))` from there
    /// to l, where `h(x) = x`. From the last step on it stays at e.
    Triangular(Cycle),
    /// The same with half waves of the cosine: `h(x) = (1 - cos(π x)) / 2`, level at the start, at the
    /// peak and at the end.
    ///
    /// This is the one-cycle policy of Smith (2018) in two phases and with PyTorch's cosine; unlike both,
    /// it leaves the momentum alone.
    OneCycle(Cycle),
}

/// A learning rate that rises and then falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// The learning rate of the step `peak_step`, above 0: the largest there is.
    pub peak_lr: f64,
    /// The number of steps of the training, at least 3. The last one is `total_steps - 1`.
    pub total_steps: u64,
    /// The step of the peak, after the first step and before the last.
    pub peak_step: u64,
    /// The learning rate of step 0 as a share of `peak_lr`, in `[0, 1]`.
    pub start_fraction: f64,
    /// The learning rate of the last step as a share of `peak_lr`, in `[0, 1]`.
    pub end_fraction: f64,
}

impl Schedule {
    /// The schedule itself, if every number of it is in range.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] for the first number that is not.
    pub fn build(self) -> Result<Self, OptimError> {
        match self {
            Self::Constant { lr } => {
                check_lr(lr)?;
            }
            Self::Exponential { lr, decay, decay_steps, .. } => {
                check_lr(lr)?;
                check("the decay", "in (0, 1]", decay, decay > 0.0 && decay <= 1.0)?;
                check("decay_steps", "at least 1", decay_steps as f64, decay_steps >= 1)?;
            }
            Self::Linear { lr, total_steps } => {
                check_lr(lr)?;
                check("total_steps", "at least 1", total_steps as f64, total_steps >= 1)?;
            }
            Self::Triangular(cycle) | Self::OneCycle(cycle) => {
                let Cycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction } = cycle;
                check_lr(peak_lr)?;
                check("total_steps", "at least 3", total_steps as f64, total_steps >= 3)?;
                let valid = (1..total_steps - 1).contains(&peak_step);
                check("peak_step", "from 1 to total_steps - 2", peak_step as f64, valid)?;
                for (what, fraction) in
                    [("start_fraction", start_fraction), ("end_fraction", end_fraction)]
                {
                    check(what, "in [0, 1]", fraction, (0.0..=1.0).contains(&fraction))?;
                }
            }
        }
        Ok(self)
    }

    /// The learning rate of a step.
    pub fn rate(&self, step: u64) -> f64 {
        match *self {
            // ANCHOR: exponential
            Self::Exponential { lr, decay, decay_steps, staircase } => {
                let periods = step as f64 / decay_steps as f64;
                lr * decay.powf(if staircase { periods.floor() } else { periods })
            }
            // ANCHOR_END: exponential
            // ANCHOR: linear
            Self::Linear { lr, total_steps } => {
                let left = total_steps.saturating_sub(step);
                lr * (left as f64 / total_steps as f64)
            }
            // ANCHOR_END: linear
            // ANCHOR: cycle
            Self::Triangular(cycle) | Self::OneCycle(cycle) => {
                let Cycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction } = cycle;
                // The last step's rate is that of all later ones.
                let last = total_steps.saturating_sub(1);
                let step = step.min(last);
                let (from, to, part) = if step <= peak_step {
                    (start_fraction, 1.0, step as f64 / peak_step as f64)
                } else {
                    let (done, steps) = (step - peak_step, last - peak_step);
                    (1.0, end_fraction, done as f64 / steps as f64)
                };
                // The share of a leg's change that is done after this part of its steps.
                let share = match self {
                    Self::OneCycle(_) => (1.0 - (PI * part).cos()) / 2.0,
                    _ => part,
                };
                // Exact at both ends of a leg, which `from + share * (to - from)` is not.
                peak_lr * ((1.0 - share) * from + share * to)
            }
            // ANCHOR_END: cycle
            Self::Constant { lr } => lr,
        }
    }

    /// The number of steps that the schedule was made for, if it has an end.
    pub fn total_steps(self) -> Option<u64> {
        match self {
            Self::Constant { .. } | Self::Exponential { .. } => None,
            Self::Linear { total_steps, .. }
            | Self::Triangular(Cycle { total_steps, .. })
            | Self::OneCycle(Cycle { total_steps, .. }) => Some(total_steps),
        }
    }

    /// Whether the rate is 0 at this step and at all after it.
    pub fn has_ended(&self, step: u64) -> bool {
        // The others end with a share of their peak, and stay there.
        matches!(self, Self::Linear { .. }) && self.rate(step) == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_straight_line_down_to_0_ends_and_cycles_have_a_length() {
        let linear = Schedule::Linear { lr: 0.5, total_steps: 4 };
        assert_eq!([3, 4, 5].map(|step| linear.has_ended(step)), [false, true, true]);
        let (lr, decay, decay_steps, staircase) = (0.8, 0.5, 3, true);
        let exponential = Schedule::Exponential { lr, decay, decay_steps, staircase };
        assert_eq!([linear, exponential].map(Schedule::total_steps), [Some(4), None]);
        assert!(!exponential.has_ended(u64::MAX));
        let constant = toml::to_string(&Schedule::Constant { lr: 0.5 }).unwrap();
        assert_eq!(constant, "name = \"constant\"\nlr = 0.5\n");
    }
}
