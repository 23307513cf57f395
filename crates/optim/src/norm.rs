//! The length of a gradient.

use ndarray::{ArrayRef, Dimension};
use numerics::Scalar;

/// `√Σ g²`, summed in `f64` and relative to the largest element, so that no square overflows.
pub(crate) fn l2_norm<T: Scalar, D: Dimension>(gradient: &ArrayRef<T, D>) -> f64 {
    let largest = gradient.iter().fold(0.0_f64, |max, g| max.max(g.as_f64().abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * gradient.iter().map(|g| (g.as_f64() / largest).powi(2)).sum::<f64>().sqrt()
}
