//! Squared error.

use ndarray::{Array2, ArrayView2};
use numerics::Scalar;

/// `L = (1/(2 m)) Σ (Ŷ - Y)²`: half the squared error of an example, averaged over the m examples.
///
/// `dL/dŶ = (Ŷ - Y) / m`.
///
/// # Shapes
/// Target and output: `(m, k)`.
///
/// Question 4.4 (optional in the assignment).
pub struct L2;

impl L2 {
    // ANCHOR: forward
    pub(crate) fn forward<T: Scalar>(target: ArrayView2<'_, T>, output: ArrayView2<'_, T>) -> T {
        let m = T::of(target.nrows() as f64);
        let difference = &output - &target;
        (&difference * &difference).sum() / (T::of(2.0) * m)
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    pub(crate) fn backward<T: Scalar>(
        target: ArrayView2<'_, T>,
        output: ArrayView2<'_, T>,
    ) -> Array2<T> {
        let m = T::of(target.nrows() as f64);
        (&output - &target) / m
    }
    // ANCHOR_END: backward
}
