//! The logistic function.

use ndarray::{Array, ArrayRef, Dimension};
use numerics::{Scalar, map, map2};

/// `σ(z) = 1 / (1 + e⁻ᶻ)`, with values in (0, 1).
///
/// `dL/dZ = dL/dY ⊙ σ(Z) (1 - σ(Z))`.
///
/// Both directions use only `e^-|z|`, which is at most 1, so nothing overflows.
///
/// Question 4 (optional in the assignment).
pub struct Sigmoid;

impl Sigmoid {
    // ANCHOR: forward
    /// `Y = σ(Z)`; the shapes agree.
    #[must_use]
    pub fn forward<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>) -> Array<T, D> {
        map(z, |z| {
            let e = (-z.abs()).exp();
            // For negative z both sides of the fraction are multiplied by e^z.
            if z < T::zero() { e / (T::one() + e) } else { T::one() / (T::one() + e) }
        })
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    /// `dL/dZ`; `z` and `dl_dy` must have the same shape.
    #[must_use]
    pub fn backward<T: Scalar, D: Dimension>(
        z: &ArrayRef<T, D>,
        dl_dy: &ArrayRef<T, D>,
    ) -> Array<T, D> {
        map2(z, dl_dy, |z, dl_dy| {
            // σ(z) (1 - σ(z)) = σ(|z|) σ(-|z|) = e / (1 + e)², without the cancellation in 1 - σ(z).
            let e = (-z.abs()).exp();
            dl_dy * e / ((T::one() + e) * (T::one() + e))
        })
    }
    // ANCHOR_END: backward
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;

    #[test]
    fn the_value_at_zero_is_a_half_and_its_slope_a_quarter() {
        assert_eq!(Sigmoid::forward(&array![0.0]), array![0.5]);
        assert_eq!(Sigmoid::backward(&array![0.0], &array![8.0]), array![2.0]);
    }

    #[test]
    fn the_tails_keep_their_relative_accuracy() {
        let z = array![-700.0, 40.0];
        let e = [(-700.0_f64).exp(), (-40.0_f64).exp()];
        assert_relative_eq!(Sigmoid::forward(&z)[0], e[0], max_relative = 1e-15);
        let slope = Sigmoid::backward(&z, &array![1.0, 1.0]);
        assert_relative_eq!(slope[1], e[1], max_relative = 1e-15);
    }
}
