//! The hyperbolic tangent.

use ndarray::{Array, ArrayRef, Dimension};
use numerics::{Scalar, map, map2};

/// `σ(z) = tanh z`, with values in (-1, 1).
///
/// `dL/dZ = dL/dY ⊙ (1 - tanh² Z)`.
///
/// Question 4 (given by the course).
pub struct TanH;

impl TanH {
    /// `Y = σ(Z)`; the shapes agree.
    #[must_use]
    pub fn forward<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>) -> Array<T, D> {
        map(z, T::tanh)
    }

    /// `dL/dZ`; `z` and `dl_dy` must have the same shape.
    #[must_use]
    pub fn backward<T: Scalar, D: Dimension>(
        z: &ArrayRef<T, D>,
        dl_dy: &ArrayRef<T, D>,
    ) -> Array<T, D> {
        map2(z, dl_dy, |z, dl_dy| {
            let y = z.tanh();
            dl_dy * (T::one() - y) * (T::one() + y)
        })
    }
}
