//! The choice among the learning-rate schedules.

use serde::{Deserialize, Serialize};

use crate::{Constant, Cycle, Exponential, Linear, OneCycle, OptimError, Triangular};

/// Declares a [`Schedule`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// See [`Constant`].
    Constant {
        /// The learning rate.
        lr: f64,
    },
    /// See [`Exponential`].
    Exponential {
        /// The learning rate of the first step.
        lr: f64,
        /// The factor by which it shrinks, in `(0, 1]`.
        decay: f64,
        /// The number of steps in which it does, at least 1.
        decay_steps: u64,
        /// Whether it shrinks all at once.
        #[serde(default)]
        staircase: bool,
    },
    /// See [`Linear`].
    Linear {
        /// The learning rate of the first step.
        lr: f64,
        /// The step from which on it is 0, at least 1.
        total_steps: u64,
    },
    /// See [`Triangular`].
    Triangular {
        /// The learning rate of the step `peak_step`, above 0: the largest there is.
        peak_lr: f64,
        /// The number of steps of the training, at least 3. The last one is `total_steps - 1`.
        total_steps: u64,
        /// The step of the peak, after the first step and before the last.
        peak_step: u64,
        /// The learning rate of step 0 as a share of `peak_lr`, in `[0, 1]`.
        start_fraction: f64,
        /// The learning rate of the last step as a share of `peak_lr`, in `[0, 1]`.
        end_fraction: f64,
    },
    /// See [`OneCycle`].
    OneCycle {
        /// The learning rate of the step `peak_step`, above 0: the largest there is.
        peak_lr: f64,
        /// The number of steps of the training, at least 3. The last one is `total_steps - 1`.
        total_steps: u64,
        /// The step of the peak, after the first step and before the last.
        peak_step: u64,
        /// The learning rate of step 0 as a share of `peak_lr`, in `[0, 1]`.
        start_fraction: f64,
        /// The learning rate of the last step as a share of `peak_lr`, in `[0, 1]`.
        end_fraction: f64,
    },
}

impl ScheduleConfig {
    /// The schedule.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] if a number is out of range.
    pub fn build(self) -> Result<Schedule, OptimError> {
        Ok(match self {
            Self::Constant { lr } => Schedule::Constant(Constant::new(lr)?),
            Self::Exponential { lr, decay, decay_steps, staircase } => {
                Schedule::Exponential(Exponential::new(lr, decay, decay_steps, staircase)?)
            }
            Self::Linear { lr, total_steps } => Schedule::Linear(Linear::new(lr, total_steps)?),
            Self::Triangular { peak_lr, total_steps, peak_step, start_fraction, end_fraction } => {
                let cycle = Cycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction };
                Schedule::Triangular(Triangular::new(cycle)?)
            }
            Self::OneCycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction } => {
                let cycle = Cycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction };
                Schedule::OneCycle(OneCycle::new(cycle)?)
            }
        })
    }

    /// The number of steps that the schedule was made for, if it has an end.
    #[must_use]
    pub fn total_steps(self) -> Option<u64> {
        match self {
            Self::Constant { .. } | Self::Exponential { .. } => None,
            Self::Linear { total_steps, .. }
            | Self::Triangular { total_steps, .. }
            | Self::OneCycle { total_steps, .. } => Some(total_steps),
        }
    }
}

/// The learning rate as a function of the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The same at every step.
    Constant(Constant),
    /// Exponential decay.
    Exponential(Exponential),
    /// Straight down to 0.
    Linear(Linear),
    /// Up and down in straight lines.
    Triangular(Triangular),
    /// Up and down in half waves of the cosine.
    OneCycle(OneCycle),
}

impl Schedule {
    /// The learning rate of a step; the first update of a training is step 0.
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        match self {
            Self::Constant(constant) => constant.lr(),
            Self::Exponential(exponential) => exponential.lr(step),
            Self::Linear(linear) => linear.lr(step),
            Self::Triangular(triangular) => triangular.lr(step),
            Self::OneCycle(one_cycle) => one_cycle.lr(step),
        }
    }

    /// Whether the rate is 0 at this step and at all after it.
    #[must_use]
    pub fn has_ended(&self, step: u64) -> bool {
        // The others end with a share of their peak, and stay there.
        matches!(self, Self::Linear(linear) if linear.lr(step) == 0.0)
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn a_declaration_builds_its_schedule() {
        let constant = ScheduleConfig::Constant { lr: 0.1 }.build().unwrap();
        assert_eq!([constant.lr(0), constant.lr(1000)], [0.1, 0.1]);
        let exponential =
            ScheduleConfig::Exponential { lr: 0.1, decay: 0.5, decay_steps: 3, staircase: true };
        assert_eq!(exponential.build().unwrap().lr(3), 0.05);
        let linear = ScheduleConfig::Linear { lr: 0.5, total_steps: 4 };
        let ended = |step| linear.build().unwrap().has_ended(step);
        assert!(!ended(3) && ended(4) && ended(5));
        assert_eq!(linear.build().unwrap().lr(3), 0.125);
        assert_eq!((linear.total_steps(), exponential.total_steps()), (Some(4), None));
        // A third of the way up: 1/3 in a straight line, 1/4 along the cosine.
        let (peak_lr, total_steps, peak_step) = (0.75, 6, 3);
        let (start_fraction, end_fraction) = (0.0, 0.0);
        let triangular = ScheduleConfig::Triangular {
            peak_lr,
            total_steps,
            peak_step,
            start_fraction,
            end_fraction,
        };
        assert_relative_eq!(triangular.build().unwrap().lr(1), 0.25, max_relative = 1e-15);
        let one_cycle = ScheduleConfig::OneCycle {
            peak_lr,
            total_steps,
            peak_step,
            start_fraction,
            end_fraction,
        };
        assert_relative_eq!(one_cycle.build().unwrap().lr(1), 0.1875, max_relative = 1e-15);
    }

    #[test]
    fn an_invalid_declaration_builds_nothing() {
        assert!(ScheduleConfig::Constant { lr: -1.0 }.build().is_err());
        let exponential =
            ScheduleConfig::Exponential { lr: 0.1, decay: 2.0, decay_steps: 3, staircase: true };
        assert!(exponential.build().is_err());
        assert!(ScheduleConfig::Linear { lr: 0.1, total_steps: 0 }.build().is_err());
    }

    #[test]
    fn a_declaration_is_read_as_it_was_written() {
        let (peak_lr, total_steps, peak_step) = (0.75, 6, 3);
        let (start_fraction, end_fraction) = (0.25, 0.0);
        let triangular = ScheduleConfig::Triangular {
            peak_lr,
            total_steps,
            peak_step,
            start_fraction,
            end_fraction,
        };
        let one_cycle = ScheduleConfig::OneCycle {
            peak_lr,
            total_steps,
            peak_step,
            start_fraction,
            end_fraction,
        };
        let linear = ScheduleConfig::Linear { lr: 0.5, total_steps: 4 };
        for (config, name) in
            [(linear, "linear"), (triangular, "triangular"), (one_cycle, "one_cycle")]
        {
            let text = toml::to_string(&config).unwrap();
            assert!(text.starts_with(&format!("name = \"{name}\"\n")), "{text}");
            assert_eq!(toml::from_str::<ScheduleConfig>(&text).unwrap(), config);
        }
    }
}
