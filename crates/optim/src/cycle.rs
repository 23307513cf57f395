//! Up to a peak and down again, whatever the shape of the way.

use crate::OptimError;
use crate::error::{check, check_lr};

/// Declares a schedule that rises to a peak once and then falls: [`Triangular`](crate::Triangular)
/// or [`OneCycle`](crate::OneCycle).
#[derive(Clone, Copy, Debug, PartialEq)]
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

impl Cycle {
    /// The same if every number is in range.
    pub(crate) fn checked(self) -> Result<Self, OptimError> {
        let Self { peak_lr, total_steps, peak_step, start_fraction, end_fraction } = self;
        check_lr(peak_lr)?;
        check("total_steps", "at least 3", total_steps as f64, total_steps >= 3)?;
        let valid = (1..total_steps - 1).contains(&peak_step);
        check("peak_step", "from 1 to total_steps - 2", peak_step as f64, valid)?;
        for (what, fraction) in [("start_fraction", start_fraction), ("end_fraction", end_fraction)]
        {
            check(what, "in [0, 1]", fraction, (0.0..=1.0).contains(&fraction))?;
        }
        Ok(self)
    }

    // ANCHOR: leg
    /// The learning rate of a step, where `share` says how much of a leg's change there has been
    /// after a given part of its steps. The last step's rate is that of all later ones.
    pub(crate) fn lr(&self, step: u64, share: impl Fn(f64) -> f64) -> f64 {
        let last = self.total_steps - 1;
        let step = step.min(last);
        let (from, to, part) = if step <= self.peak_step {
            (self.start_fraction, 1.0, step as f64 / self.peak_step as f64)
        } else {
            let (done, steps) = (step - self.peak_step, last - self.peak_step);
            (1.0, self.end_fraction, done as f64 / steps as f64)
        };
        // Exact at both ends of a leg, which `from + share * (to - from)` is not.
        let share = share(part);
        self.peak_lr * ((1.0 - share) * from + share * to)
    }
    // ANCHOR_END: leg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Triangular;

    #[test]
    fn numbers_out_of_range_are_refused() {
        let cycle = Cycle {
            peak_lr: 0.1,
            total_steps: 10,
            peak_step: 8,
            start_fraction: 0.0,
            end_fraction: 1.0,
        };
        assert!(Triangular::new(cycle).is_ok());
        let nan = f64::NAN;
        for (wrong, expected) in [
            (
                Cycle { peak_lr: 0.0, ..cycle },
                "the learning rate must be finite and above 0, but is 0",
            ),
            (Cycle { total_steps: 2, ..cycle }, "total_steps must be at least 3, but is 2"),
            (Cycle { total_steps: 0, ..cycle }, "total_steps must be at least 3, but is 0"),
            (
                Cycle { peak_step: 0, ..cycle },
                "peak_step must be from 1 to total_steps - 2, but is 0",
            ),
            (
                Cycle { peak_step: 9, ..cycle },
                "peak_step must be from 1 to total_steps - 2, but is 9",
            ),
            (
                Cycle { start_fraction: 1.5, ..cycle },
                "start_fraction must be in [0, 1], but is 1.5",
            ),
            (Cycle { end_fraction: -0.5, ..cycle }, "end_fraction must be in [0, 1], but is -0.5"),
            (Cycle { end_fraction: nan, ..cycle }, "end_fraction must be in [0, 1], but is NaN"),
        ] {
            assert_eq!(Triangular::new(wrong).unwrap_err().to_string(), expected);
        }
    }
}
