//! The rectified linear unit.

use numerics::Scalar;

use crate::ElementWise;

/// `σ(z) = 0` if `z < 0`, `z` otherwise.
///
/// `dL/dZ = dL/dY ⊙ 1[Z >= 0]`.
///
/// At the kink, z = 0, the assignment's formula takes the branch "otherwise", so the derivative
/// there is 1. PyTorch says 0. Both are subgradients; which one is taken matters only where an
/// input is exactly 0.
///
/// Question 4.1.
pub struct ReLU;

impl ElementWise for ReLU {
    // ANCHOR: forward
    #[inline(always)]
    fn value<T: Scalar>(z: T) -> T {
        // The comparison is false for NaN, which therefore passes through.
        if z < T::zero() { T::zero() } else { z }
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    #[inline(always)]
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T {
        dl_dy * derivative(z)
    }
    // ANCHOR_END: backward
}

// ANCHOR: derivative
/// `σ'(z)`: 0 to the left of the kink, 1 from the kink on, NaN for NaN.
#[inline(always)]
fn derivative<T: Scalar>(z: T) -> T {
    if z < T::zero() {
        T::zero()
    } else if z >= T::zero() {
        T::one()
    } else {
        z
    }
}
// ANCHOR_END: derivative
