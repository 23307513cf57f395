//! Straight down to 0.

use crate::OptimError;
use crate::error::{check, check_lr};

/// `lr(t) = lr (1 - t / total_steps)`, and 0 from step `total_steps` on.
///
/// The last step of a training of `total_steps` still has a rate, `lr / total_steps`. With a
/// `total_steps` below that of the training, a parameter comes to rest before its end.
///
/// Question 7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    lr: f64,
    total_steps: u64,
}

impl Linear {
    /// The schedule that starts at `lr` and is at 0 after so many steps.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] unless `lr` is finite and above 0 and `total_steps` at least 1.
    pub fn new(lr: f64, total_steps: u64) -> Result<Self, OptimError> {
        let lr = check_lr(lr)?;
        check("total_steps", "at least 1", total_steps as f64, total_steps >= 1)?;
        Ok(Self { lr, total_steps })
    }

    /// The learning rate of step `t`, which counts from 0.
    // ANCHOR: lr
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        let left = self.total_steps.saturating_sub(step);
        self.lr * (left as f64 / self.total_steps as f64)
    }
    // ANCHOR_END: lr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_less_at_each_of_four_steps_and_then_nothing() {
        let schedule = Linear::new(2.0, 4).unwrap();
        let expected = [2.0, 1.5, 1.0, 0.5, 0.0, 0.0];
        assert_eq!([0, 1, 2, 3, 4, 5].map(|step| schedule.lr(step)), expected);
        assert_eq!(schedule.lr(u64::MAX), 0.0);
        assert_eq!([0, 1].map(|step| Linear::new(0.3, 1).unwrap().lr(step)), [0.3, 0.0]);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let error = Linear::new(0.0, 4).unwrap_err().to_string();
        assert_eq!(error, "the learning rate must be finite and above 0, but is 0");
        let error = Linear::new(0.1, 0).unwrap_err().to_string();
        assert_eq!(error, "total_steps must be at least 1, but is 0");
    }
}
