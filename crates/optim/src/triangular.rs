//! Up and down in straight lines.

use crate::{Cycle, OptimError};

/// Rises linearly from step 0 to the peak, and falls linearly from there to the last step.
///
/// With p the peak's step, l the last step, and s and e the fractions at start and end,
/// `lr(t) / peak_lr` is `s + (1 - s) t/p` up to p and `1 - (1 - e) (t - p)/(l - p)` from there to l. From
/// the last step on it stays at e.
///
/// Question 7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Triangular {
    cycle: Cycle,
}

impl Triangular {
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
        self.cycle.lr(step, |part| part)
    }
    // ANCHOR_END: lr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_in_four_steps_and_down_in_two() {
        let cycle = Cycle {
            peak_lr: 2.0,
            total_steps: 7,
            peak_step: 4,
            start_fraction: 0.5,
            end_fraction: 0.25,
        };
        let schedule = Triangular::new(cycle).unwrap();
        // From 1 to 2 by quarters, then to 0.5 by 0.75, and no further.
        let expected = [1.0, 1.25, 1.5, 1.75, 2.0, 1.25, 0.5, 0.5];
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|step| schedule.lr(step)), expected);
        assert_eq!(schedule.lr(u64::MAX), 0.5);
    }
}
