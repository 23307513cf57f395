//! The identity.

use numerics::Scalar;

use crate::ElementWise;

/// `σ(z) = z`: a layer without an activation.
///
/// `dL/dZ = dL/dY`.
///
/// Question 4 (given by the course).
pub struct Linear;

impl ElementWise for Linear {
    #[inline(always)]
    fn value<T: Scalar>(z: T) -> T {
        z
    }

    #[inline(always)]
    fn gradient<T: Scalar>(_z: T, dl_dy: T) -> T {
        dl_dy
    }
}
