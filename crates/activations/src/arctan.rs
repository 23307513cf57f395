//! The inverse tangent.

use ndarray::{Array, ArrayRef, Dimension};
use numerics::{Scalar, map, map2};

/// `σ(z) = arctan z`, with values in (-π/2, π/2).
///
/// `dL/dZ = dL/dY ⊙ 1 / (1 + Z²)`.
///
/// Question 4 (given by the course).
pub struct ArcTan;

impl ArcTan {
    /// `Y = σ(Z)`; the shapes agree.
    #[must_use]
    pub fn forward<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>) -> Array<T, D> {
        map(z, T::atan)
    }

    /// `dL/dZ`; `z` and `dl_dy` must have the same shape.
    #[must_use]
    pub fn backward<T: Scalar, D: Dimension>(
        z: &ArrayRef<T, D>,
        dl_dy: &ArrayRef<T, D>,
    ) -> Array<T, D> {
        map2(z, dl_dy, |z, dl_dy| dl_dy / (T::one() + z * z))
    }
}
