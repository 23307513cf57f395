//! Label smoothing, a transformation of targets.

use ndarray::{Array2, ArrayView2};
use numerics::Scalar;

use crate::LossError;
use crate::loss::{DISTRIBUTION_TOLERANCE, is_distribution};

/// `(1 - ε) Y + ε/k`: the share ε of every target is spread evenly over the k classes.
///
/// A cross-entropy takes what comes out as any other target: it becomes `(1 - ε) L(Y) + ε L(1/k)`,
/// its gradient at the logits `(softmax(Z) - smoothed) / m`. Its minimum is no longer 0, but the
/// entropy of the smoothed target.
///
/// # Shapes
/// Target and result: `(m, k)`.
///
/// # Errors
/// [`LossError::Smoothing`] unless `eps` is in `[0, 1)`, [`LossError::SmoothedTarget`] if a row is not
/// finite, non-negative and of sum 1. The sum may be off by half of what a loss tolerates, so that
/// what comes out, rounded, is accepted by the loss.
///
/// Question 7.
// ANCHOR: smooth_labels
pub fn smooth_labels<T: Scalar>(
    target: ArrayView2<'_, T>,
    eps: f64,
) -> Result<Array2<T>, LossError> {
    if !(0.0..1.0).contains(&eps) {
        return Err(LossError::Smoothing { got: eps });
    }
    let refused = |row| !is_distribution(row, DISTRIBUTION_TOLERANCE / 2.0);
    if let Some(row) = target.rows().into_iter().position(refused) {
        return Err(LossError::SmoothedTarget { row, got: target.row(row).to_string() });
    }
    let (kept, share) = (T::of(1.0 - eps), T::of(eps / target.ncols() as f64));
    Ok(target.mapv(|y| kept * y + share))
}
// ANCHOR_END: smooth_labels

#[cfg(test)]
mod tests {
    use ndarray::Axis;

    use super::*;
    use crate::Loss;

    #[test]
    fn what_comes_out_is_a_target_for_the_loss() {
        // In f32 neither 1/10 nor 1 - 1/10 nor their products are exact, with many classes least.
        for k in [1, 2, 3, 10, 1000, 21_841] {
            for eps in [0.0, 1e-9, 0.1, 1.0 / 3.0, 0.999_999] {
                let mut target = Array2::<f32>::zeros((2, k));
                target[[0, k / 2]] = 1.0;
                // A row whose own sum is off by almost what is tolerated.
                target[[1, 0]] = 1.0 + 4.9e-6;
                let smoothed = smooth_labels(target.view(), eps).unwrap();
                let logits = Array2::zeros((2, k));
                let loss = Loss::SoftmaxCrossEntropy.forward(smoothed.view(), logits.view());
                assert!(loss.is_ok(), "k {k}, ε {eps}: {:?}", smoothed.sum_axis(Axis(1)));
            }
        }
    }
}
