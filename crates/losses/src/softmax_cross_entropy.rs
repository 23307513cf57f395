//! Softmax and cross-entropy in one step.

use activations::SoftMax;
use ndarray::{Array2, ArrayView2, Axis, Zip};
use numerics::Scalar;

/// `L = (1/m) Σᵢ (ln Σⱼ e^(zᵢⱼ) - Σⱼ yᵢⱼ zᵢⱼ)`: the cross-entropy of `softmax(Z)`, for rows of Y that
/// sum to 1.
///
/// `dL/dZ = (softmax(Z) - Y) / m`.
///
/// Composed, the two need `ln` of a probability that may have rounded to 0 and divide by it; fused,
/// neither happens. Equality of the two ways is one of the tests.
///
/// A logit of -∞ is a class of probability 0: it costs nothing where its target is 0, else infinitely
/// much. Its element of dL/dZ is `-Y / m`.
///
/// # Shapes
/// Target and logits: `(m, k)`.
///
/// Question 4.4.
pub struct SoftmaxCrossEntropy;

impl SoftmaxCrossEntropy {
    // ANCHOR: forward
    pub(crate) fn forward<T: Scalar>(target: ArrayView2<'_, T>, logits: ArrayView2<'_, T>) -> T {
        let max = logits.fold_axis(Axis(1), T::neg_infinity(), |&a, &z| if z > a { z } else { a });
        let shifted = &logits - &max.insert_axis(Axis(1));
        let log_sum = shifted.mapv(T::exp).sum_axis(Axis(1)).mapv(T::ln).insert_axis(Axis(1));
        // The minus logarithms of the probabilities: infinite for a logit of -∞, whose product with a
        // target of 0 would be NaN.
        let surprise = log_sum - shifted;
        let cost = Zip::from(target)
            .and(&surprise)
            .map_collect(|&y, &s| if y == T::zero() { y } else { y * s });
        cost.sum() / T::of(target.nrows() as f64)
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    pub(crate) fn backward<T: Scalar>(
        target: ArrayView2<'_, T>,
        logits: ArrayView2<'_, T>,
    ) -> Array2<T> {
        let m = T::of(target.nrows() as f64);
        (SoftMax::forward(&logits) - target) / m
    }
    // ANCHOR_END: backward
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_target_must_not_have_a_logit_of_minus_infinity_nor_another_be_infinite() {
        let target = array![[0.0, 1.0, 0.0]];
        let logits = array![[0.0, f64::NEG_INFINITY, 0.0]];
        let loss = SoftmaxCrossEntropy::forward(target.view(), logits.view());
        assert_eq!(loss, f64::INFINITY);
        let gradient = SoftmaxCrossEntropy::backward(target.view(), logits.view());
        assert_eq!(gradient, array![[0.5, -1.0, 0.5]]);
        for logits in [array![[f64::NEG_INFINITY; 3]], array![[f64::INFINITY, 0.0, 0.0]]] {
            assert!(SoftmaxCrossEntropy::forward(target.view(), logits.view()).is_nan());
        }
    }
}
