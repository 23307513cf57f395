//! The rectified linear unit.

use ndarray::{Array, ArrayRef, Dimension};
use numerics::{Scalar, map, map2};

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

impl ReLU {
    // ANCHOR: forward
    /// `Y = σ(Z)`; the shapes agree.
    #[must_use]
    pub fn forward<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>) -> Array<T, D> {
        map(z, Self::value)
    }

    /// `σ(z)`.
    #[inline(always)]
    pub fn value<T: Scalar>(z: T) -> T {
        // The comparison is false for NaN, which therefore passes through.
        if z < T::zero() { T::zero() } else { z }
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    /// `dL/dZ`; `z` and `dl_dy` must have the same shape.
    #[must_use]
    pub fn backward<T: Scalar, D: Dimension>(
        z: &ArrayRef<T, D>,
        dl_dy: &ArrayRef<T, D>,
    ) -> Array<T, D> {
        map2(z, dl_dy, Self::gradient)
    }

    /// `dL/dz` of a single number.
    #[inline(always)]
    pub fn gradient<T: Scalar>(z: T, dl_dy: T) -> T {
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

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn negative_inputs_are_cut_and_the_rest_passes() {
        let z = array![[-2.0, -0.5], [0.0, 3.0]];
        assert_eq!(ReLU::forward(&z), array![[0.0, 0.0], [0.0, 3.0]]);
    }

    #[test]
    fn the_gradient_passes_where_the_input_is_not_negative() {
        let z = array![[-2.0, -0.5], [0.0, 3.0]];
        let dl_dy = array![[10.0, 20.0], [30.0, -40.0]];
        assert_eq!(ReLU::backward(&z, &dl_dy), array![[0.0, 0.0], [30.0, -40.0]]);
    }

    #[test]
    fn negative_zero_is_not_negative() {
        assert_eq!(ReLU::backward(&array![-0.0], &array![1.0]), array![1.0]);
    }
}
