//! The logistic function.

use numerics::Scalar;

use crate::ElementWise;

/// `σ(z) = 1 / (1 + e⁻ᶻ)`, with values in (0, 1).
///
/// `dL/dZ = dL/dY ⊙ σ(Z) (1 - σ(Z))`.
///
/// Both directions use only `e^-|z|`, which is at most 1, so nothing overflows.
///
/// Question 4 (optional in the assignment).
pub struct Sigmoid;

impl ElementWise for Sigmoid {
    // ANCHOR: forward
    #[inline(always)]
    fn value<T: Scalar>(z: T) -> T {
        let e = (-z.abs()).exp();
        // For negative z both sides of the fraction are multiplied by e^z.
        if z < T::zero() { e / (T::one() + e) } else { T::one() / (T::one() + e) }
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    #[inline(always)]
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T {
        // σ(z) (1 - σ(z)) = σ(|z|) σ(-|z|) = e / (1 + e)², without the cancellation in 1 - σ(z).
        let e = (-z.abs()).exp();
        dl_dy * e / ((T::one() + e) * (T::one() + e))
    }
    // ANCHOR_END: backward
}
