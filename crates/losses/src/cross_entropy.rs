//! Cross-entropy of predicted probabilities.

use ndarray::{Array2, ArrayView2, Zip};
use numerics::Scalar;

/// `L = -(1/m) Σ Y ln Ŷ`, summed over all elements of a mini-batch of m examples.
///
/// `dL/dŶ = -Y / (m Ŷ)`.
///
/// A probability below the smallest positive normal number t counts as t in both directions, so
/// that both stay finite.
///
/// # Shapes
/// Target and output: `(m, k)`.
///
/// Question 4.4.
pub struct CrossEntropy;

impl CrossEntropy {
    // ANCHOR: forward
    pub(crate) fn forward<T: Scalar>(target: ArrayView2<'_, T>, output: ArrayView2<'_, T>) -> T {
        let m = T::of(target.nrows() as f64);
        -(&target * &output.mapv(|p| at_least_tiny(p).ln())).sum() / m
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    pub(crate) fn backward<T: Scalar>(
        target: ArrayView2<'_, T>,
        output: ArrayView2<'_, T>,
    ) -> Array2<T> {
        let m = T::of(target.nrows() as f64);
        Zip::from(target).and(output).map_collect(|&y, &p| -y / (m * at_least_tiny(p)))
    }
    // ANCHOR_END: backward
}

/// `max(p, t)`, but NaN for NaN.
fn at_least_tiny<T: Scalar>(p: T) -> T {
    let tiny = T::min_positive_value();
    if p < tiny { tiny } else { p }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn certain_mistakes_are_finite_in_single_precision() {
        for m in [1, 60_000] {
            let (target, output) = (Array2::<f32>::ones((m, 1)), Array2::zeros((m, 1)));
            let loss = CrossEntropy::forward(target.view(), output.view());
            assert_relative_eq!(loss, -f32::MIN_POSITIVE.ln(), max_relative = 1e-4);
            let gradient = CrossEntropy::backward(target.view(), output.view());
            assert!(gradient.iter().all(|&g| g.is_finite() && g < 0.0));
        }
    }
}
