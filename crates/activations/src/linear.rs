//! The identity.

use ndarray::{Array, ArrayRef, Dimension};
use numerics::Scalar;

/// `σ(z) = z`: a layer without an activation.
///
/// `dL/dZ = dL/dY`.
///
/// Question 4 (given by the course).
pub struct Linear;

impl Linear {
    /// `Y = σ(Z)`; the shapes agree.
    #[must_use]
    pub fn forward<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>) -> Array<T, D> {
        z.to_owned()
    }

    /// `dL/dZ`; `z` and `dl_dy` must have the same shape.
    #[must_use]
    pub fn backward<T: Scalar, D: Dimension>(
        z: &ArrayRef<T, D>,
        dl_dy: &ArrayRef<T, D>,
    ) -> Array<T, D> {
        debug_assert_eq!(z.shape(), dl_dy.shape());
        dl_dy.to_owned()
    }
}
