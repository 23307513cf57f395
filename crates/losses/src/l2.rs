//! Mean squared error.

use ndarray::{Array2, ArrayView2};
use numerics::Scalar;

/// `L = (1/(m k)) Σ (Ŷ - Y)²`, the mean over all elements.
///
/// `dL/dŶ = (2/(m k)) (Ŷ - Y)`.
///
/// # Shapes
/// Target and output: `(m, k)`.
///
/// Question 4.4 (optional in the assignment).
pub struct L2;

impl L2 {
    // ANCHOR: forward
    pub(crate) fn forward<T: Scalar>(target: ArrayView2<'_, T>, output: ArrayView2<'_, T>) -> T {
        let difference = &output - &target;
        (&difference * &difference).sum() / T::of(output.len() as f64)
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    pub(crate) fn backward<T: Scalar>(
        target: ArrayView2<'_, T>,
        output: ArrayView2<'_, T>,
    ) -> Array2<T> {
        (&output - &target) * T::of(2.0 / output.len() as f64)
    }
    // ANCHOR_END: backward
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_mean_is_over_all_elements() {
        let target = array![[1.0, 2.0], [3.0, 4.0]];
        let output = array![[1.0, 4.0], [0.0, 4.0]];
        // (0 + 4 + 9 + 0) / 4, and half of each difference.
        assert_eq!(L2::forward(target.view(), output.view()), 3.25);
        let gradient = L2::backward(target.view(), output.view());
        assert_eq!(gradient, array![[0.0, 1.0], [-1.5, 0.0]]);
    }
}
