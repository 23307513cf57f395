//! The choice among the learning-rate schedules.

use serde::{Deserialize, Serialize};

use crate::{Constant, Exponential, OptimError};

/// Declares a [`Schedule`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
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
        })
    }
}

/// The learning rate as a function of the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The same at every step.
    Constant(Constant),
    /// Exponential decay.
    Exponential(Exponential),
}

impl Schedule {
    /// The learning rate of a step; the first update of a training is step 0.
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        match self {
            Self::Constant(constant) => constant.lr(),
            Self::Exponential(exponential) => exponential.lr(step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_builds_its_schedule() {
        let constant = ScheduleConfig::Constant { lr: 0.1 }.build().unwrap();
        assert_eq!([constant.lr(0), constant.lr(1000)], [0.1, 0.1]);
        let exponential =
            ScheduleConfig::Exponential { lr: 0.1, decay: 0.5, decay_steps: 3, staircase: true };
        assert_eq!(exponential.build().unwrap().lr(3), 0.05);
    }

    #[test]
    fn an_invalid_declaration_builds_nothing() {
        assert!(ScheduleConfig::Constant { lr: -1.0 }.build().is_err());
        let exponential =
            ScheduleConfig::Exponential { lr: 0.1, decay: 2.0, decay_steps: 3, staircase: true };
        assert!(exponential.build().is_err());
    }
}
