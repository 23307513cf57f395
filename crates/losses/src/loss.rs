//! The choice among the loss functions.

use std::fmt;
use std::str::FromStr;

use ndarray::{Array2, ArrayView1, ArrayView2};
use numerics::Scalar;
use serde::{Deserialize, Serialize};

use crate::{CrossEntropy, L2, LossError, SoftmaxCrossEntropy};

/// A loss function of a target Y and a network's output Ŷ, both of shape `(m, k)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `-(1/m) Σ Y ln Ŷ`; the output is a distribution in each row.
    CrossEntropy,
    /// `(1/(2 m)) Σ (Ŷ - Y)²`.
    L2,
    /// Cross-entropy of the softmax of the output, which is a row of logits.
    SoftmaxCrossEntropy,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 3] = [Self::CrossEntropy, Self::L2, Self::SoftmaxCrossEntropy];

    /// The name that [`FromStr`] accepts.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross_entropy",
            Self::L2 => "l2",
            Self::SoftmaxCrossEntropy => "softmax_cross_entropy",
        }
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The loss of a mini-batch.
    ///
    /// # Shapes
    /// `target` and `output`: `(m, k)` with `m, k >= 1`.
    ///
    /// # Errors
    /// [`LossError::Shape`], [`LossError::Empty`], and for the two cross-entropies
    /// [`LossError::NotADistribution`].
    pub fn forward<T: Scalar>(
        self,
        target: ArrayView2<'_, T>,
        output: ArrayView2<'_, T>,
    ) -> Result<T, LossError> {
        self.check(target, output)?;
        Ok(match self {
            Self::CrossEntropy => CrossEntropy::forward(target, output),
            Self::L2 => L2::forward(target, output),
            Self::SoftmaxCrossEntropy => SoftmaxCrossEntropy::forward(target, output),
        })
    }

    /// `dL/dŶ`, of the shape of `output`.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn backward<T: Scalar>(
        self,
        target: ArrayView2<'_, T>,
        output: ArrayView2<'_, T>,
    ) -> Result<Array2<T>, LossError> {
        self.check(target, output)?;
        Ok(match self {
            Self::CrossEntropy => CrossEntropy::backward(target, output),
            Self::L2 => L2::backward(target, output),
            Self::SoftmaxCrossEntropy => SoftmaxCrossEntropy::backward(target, output),
        })
    }

    fn check<T: Scalar>(
        self,
        target: ArrayView2<'_, T>,
        output: ArrayView2<'_, T>,
    ) -> Result<(), LossError> {
        if target.dim() != output.dim() {
            return Err(LossError::Shape {
                loss: self,
                target: target.shape().to_vec(),
                output: output.shape().to_vec(),
            });
        }
        if output.is_empty() {
            return Err(LossError::Empty { loss: self, got: output.shape().to_vec() });
        }
        // The target of a regression may be any number.
        let is_refused = |row| self != Self::L2 && !is_distribution(row, DISTRIBUTION_TOLERANCE);
        let Some(row) = target.rows().into_iter().position(is_refused) else { return Ok(()) };
        Err(LossError::NotADistribution { loss: self, row, got: target.row(row).to_string() })
    }
}

/// The largest distance of the sum of a distribution from 1: far above the rounding of a sum of smoothed
/// labels, far below any other mistake.
pub(crate) const DISTRIBUTION_TOLERANCE: f64 = 1e-5;

/// Whether the numbers of a row are finite, non-negative and sum to 1 up to `tolerance`.
pub(crate) fn is_distribution<T: Scalar>(row: ArrayView1<'_, T>, tolerance: f64) -> bool {
    // The comparisons are false for NaN.
    let sum: f64 = row.iter().map(|y| y.as_f64()).sum();
    row.iter().all(|&y| y >= T::zero()) && (sum - 1.0).abs() <= tolerance
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Loss {
    type Err = LossError;

    fn from_str(name: &str) -> Result<Self, LossError> {
        Self::ALL
            .into_iter()
            .find(|loss| loss.name() == name)
            .ok_or_else(|| LossError::UnknownName { got: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_unknown_ones_list_the_known() {
        for loss in Loss::ALL {
            assert_eq!(loss.to_string().parse(), Ok(loss));
        }
        assert_eq!(
            "mse".parse::<Loss>().unwrap_err().to_string(),
            "unknown loss \"mse\": expected one of cross_entropy, l2, softmax_cross_entropy"
        );
    }
}
