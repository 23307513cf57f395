//! Exponential decay.

use crate::OptimError;
use crate::error::{check, check_lr};

/// `lr(t) = lr · decay^(t / decay_steps)`: every `decay_steps` steps the rate shrinks by `decay`.
///
/// As a staircase the exponent is rounded down, so that the rate drops all at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    lr: f64,
    decay: f64,
    decay_steps: u64,
    staircase: bool,
}

impl Exponential {
    /// The schedule that starts at `lr`.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] unless `lr` is finite and above 0, `decay` is in `(0, 1]` and
    /// `decay_steps` at least 1.
    pub fn new(lr: f64, decay: f64, decay_steps: u64, staircase: bool) -> Result<Self, OptimError> {
        let lr = check_lr(lr)?;
        let decay = check("the decay", "in (0, 1]", decay, decay > 0.0 && decay <= 1.0)?;
        check("decay_steps", "at least 1", decay_steps as f64, decay_steps >= 1)?;
        Ok(Self { lr, decay, decay_steps, staircase })
    }

    /// The learning rate of step `t`, which counts from 0.
    ///
    /// Where `decay^(t / decay_steps)` is below the smallest number, it is 0.
    // ANCHOR: lr
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        let exponent = if self.staircase {
            (step / self.decay_steps) as f64
        } else {
            step as f64 / self.decay_steps as f64
        };
        self.lr * self.decay.powf(exponent)
    }
    // ANCHOR_END: lr
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn the_rate_shrinks_by_the_decay_every_so_many_steps() {
        let schedule = Exponential::new(0.8, 0.25, 10, false).unwrap();
        assert_eq!(schedule.lr(0), 0.8);
        // Half way: the square root of the decay.
        assert_relative_eq!(schedule.lr(5), 0.4, max_relative = 1e-15);
        assert_relative_eq!(schedule.lr(10), 0.2, max_relative = 1e-15);
        assert_relative_eq!(schedule.lr(20), 0.05, max_relative = 1e-15);
    }

    #[test]
    fn a_staircase_drops_all_at_once() {
        let schedule = Exponential::new(0.8, 0.5, 10, true).unwrap();
        assert_eq!([0, 9, 10, 19, 20].map(|step| schedule.lr(step)), [0.8, 0.8, 0.4, 0.4, 0.2]);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for (lr, decay, decay_steps, what) in [
            (0.0, 0.5, 1, "the learning rate"),
            (0.1, 0.0, 1, "the decay"),
            (0.1, 1.5, 1, "the decay"),
            (0.1, f64::NAN, 1, "the decay"),
            (0.1, 0.5, 0, "decay_steps"),
        ] {
            let error = Exponential::new(lr, decay, decay_steps, false).unwrap_err();
            assert!(error.to_string().starts_with(what), "{error}");
        }
    }
}
