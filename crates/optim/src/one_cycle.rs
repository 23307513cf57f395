//! Up and down in half waves of the cosine.

use std::f64::consts::PI;

use crate::{Cycle, OptimError};

/// As [`Triangular`](crate::Triangular), but smooth: of a leg's change the share
/// `(1 - cos(π x)) / 2` is done after the part x of its steps.
///
/// So the rate is level at the start, at the peak and at the end. This is the one-cycle policy of
/// Smith (2018) in two phases and with PyTorch's cosine; unlike both, it leaves the momentum alone.
///
/// Question 7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    cycle: Cycle,
}

impl OneCycle {
    /// The schedule of this cycle.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] if a number is out of range.
    pub fn new(cycle: Cycle) -> Result<Self, OptimError> {
        Ok(Self { cycle: cycle.checked()? })
    }

    /// The learning rate of step `t`, which counts from 0.
    // ANCHOR: lr
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        self.cycle.lr(step, |part| (1.0 - (PI * part).cos()) / 2.0)
    }
    // ANCHOR_END: lr
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn up_in_three_steps_and_down_in_two() {
        let cycle = Cycle {
            peak_lr: 4.0,
            total_steps: 6,
            peak_step: 3,
            start_fraction: 0.0,
            end_fraction: 0.5,
        };
        let schedule = OneCycle::new(cycle).unwrap();
        // cos(π/3) = 1/2 and cos(2π/3) = -1/2: a quarter of the rise, then three; half of the fall.
        let expected = [0.0, 1.0, 3.0, 4.0, 3.0, 2.0, 2.0];
        for (step, expected) in (0..).zip(expected) {
            assert_relative_eq!(schedule.lr(step), expected, max_relative = 1e-15);
        }
        // Both ends and the peak are exact, and nothing moves after the last step.
        assert_eq!([0, 3, 5, u64::MAX].map(|step| schedule.lr(step)), [0.0, 4.0, 2.0, 2.0]);
    }
}
