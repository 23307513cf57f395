//! The same three exercises without einsum.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use numerics::Scalar;

// ANCHOR: directly
/// `tr A`: the sum of the diagonal.
pub fn trace<T: Scalar>(a: ArrayView2<'_, T>) -> T {
    a.diag().iter().copied().sum()
}

/// `A b`: the dot product of each row with `b`.
///
/// # Panics
/// As [`ndarray`] does, if `b` has not as many elements as `a` has columns.
pub fn matrix_vector<T: Scalar>(a: ArrayView2<'_, T>, b: ArrayView1<'_, T>) -> Array1<T> {
    a.dot(&b)
}

/// `a bᵀ`: a column times a row, both broadcast to a matrix.
pub fn outer_product<T: Scalar>(a: ArrayView1<'_, T>, b: ArrayView1<'_, T>) -> Array2<T> {
    &a.insert_axis(Axis(1)) * &b.insert_axis(Axis(0))
}
// ANCHOR_END: directly
