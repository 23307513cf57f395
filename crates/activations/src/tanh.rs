//! The hyperbolic tangent.

use numerics::Scalar;

use crate::ElementWise;

/// `σ(z) = tanh z`, with values in (-1, 1).
///
/// `dL/dZ = dL/dY ⊙ (1 - tanh² Z)`.
///
/// Question 4 (given by the course).
pub struct TanH;

impl ElementWise for TanH {
    #[inline(always)]
    fn value<T: Scalar>(z: T) -> T {
        z.tanh()
    }

    #[inline(always)]
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T {
        let y = z.tanh();
        dl_dy * (T::one() - y) * (T::one() + y)
    }
}
