//! The inverse tangent.

use numerics::Scalar;

use crate::ElementWise;

/// `σ(z) = arctan z`, with values in (-π/2, π/2).
///
/// `dL/dZ = dL/dY ⊙ 1 / (1 + Z²)`.
///
/// Question 4 (given by the course).
pub struct ArcTan;

impl ElementWise for ArcTan {
    #[inline(always)]
    fn value<T: Scalar>(z: T) -> T {
        z.atan()
    }

    #[inline(always)]
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T {
        dl_dy / (T::one() + z * z)
    }
}
