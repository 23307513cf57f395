//! The schedule that never changes.

use crate::OptimError;
use crate::error::check_lr;

/// The same learning rate at every step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    lr: f64,
}

impl Constant {
    /// The schedule of this learning rate.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] unless `lr` is finite and above 0.
    pub fn new(lr: f64) -> Result<Self, OptimError> {
        Ok(Self { lr: check_lr(lr)? })
    }

    /// The learning rate of every step.
    #[must_use]
    pub fn lr(&self) -> f64 {
        self.lr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learning_rate_that_is_not_positive_and_finite_is_refused() {
        for lr in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            let error = Constant::new(lr).unwrap_err().to_string();
            let expected = format!("the learning rate must be finite and above 0, but is {lr}");
            assert_eq!(error, expected);
        }
    }
}
