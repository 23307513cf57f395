//! An early look at the loss.

use std::fmt;

/// The loss of the first mini-batch, in training mode and before any update.
///
/// A network that knows nothing should give every class the same probability, which makes the loss
/// `ln k` for `k` classes, with or without label smoothing. Logits of standard deviation s add about
/// s²/2. A network far from it is badly scaled: its first steps go into forgetting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitialLoss {
    /// What it is.
    pub loss: f64,
    /// `ln k`.
    pub expected: f64,
}

impl InitialLoss {
    /// How far the loss may be off, as a share of `ln k`. For 10 classes this is reached with logits
    /// of standard deviation 1.5.
    pub const TOLERANCE: f64 = 0.5;

    /// The loss of a network with this many classes.
    #[must_use]
    pub fn new(loss: f64, classes: usize) -> Self {
        Self { loss, expected: (classes as f64).ln() }
    }

    /// Whether the loss is off by more than [`TOLERANCE`](Self::TOLERANCE).
    #[must_use]
    pub fn is_off(&self) -> bool {
        (self.loss - self.expected).abs() > Self::TOLERANCE * self.expected
    }
}

impl fmt::Display for InitialLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the loss of the first mini-batch is {:.4}", self.loss)?;
        if self.is_off() {
            let classes = self.expected.exp().round();
            let percent = 100.0 * Self::TOLERANCE;
            write!(
                f,
                ", more than {percent:.0} % away from ln {classes} = {:.4}, which a network that \
                 knows nothing should have: check the scale of the images and the initial weights \
                 of the last layer",
                self.expected
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_ln_k_is_the_bound() {
        // ln 10 = 2.3026, so the bounds are 1.1513 and 3.4539.
        for (loss, off) in [(1.15, true), (1.16, false), (2.3, false), (3.45, false), (3.46, true)]
        {
            assert_eq!(InitialLoss::new(loss, 10).is_off(), off, "{loss}");
        }
    }

    #[test]
    fn the_warning_says_what_was_expected() {
        let text = InitialLoss::new(7.0, 10).to_string();
        assert!(text.contains("is 7.0000, more than 50 % away from ln 10 = 2.3026"), "{text}");
        assert_eq!(
            InitialLoss::new(2.0, 10).to_string(),
            "the loss of the first mini-batch is 2.0000"
        );
    }
}
