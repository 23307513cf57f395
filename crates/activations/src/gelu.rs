//! The Gaussian error linear unit.

use numerics::Scalar;

use crate::ElementWise;

/// `σ(z) = z Φ(z)`, with Φ the distribution function of the standard normal distribution.
///
/// `dL/dZ = dL/dY ⊙ (Φ(Z) + Z ⊙ φ(Z))`, with its density `φ(z) = e^(-z²/2) / √(2π)`.
///
/// This is the function itself, not its approximation by tanh; Hendrycks and Gimpel (2016) have
/// both. At ±∞ value and slope are their limits.
///
/// Question 7 (layers for training).
pub struct GELU;

impl ElementWise for GELU {
    // ANCHOR: forward
    #[inline(always)]
    fn value<T: Scalar>(z: T) -> T {
        let (distribution, _) = z.standard_normal();
        // At -∞ the product would be NaN.
        if distribution == T::zero() { -T::zero() } else { z * distribution }
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    #[inline(always)]
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T {
        let (distribution, density) = z.standard_normal();
        // At ±∞ the product would be NaN.
        let slope = if density == T::zero() { distribution } else { distribution + z * density };
        dl_dy * slope
    }
    // ANCHOR_END: backward
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;

    #[test]
    fn values_and_slopes_of_a_table_of_the_normal_distribution() {
        // Φ(0) = 1/2; Φ(1) = 0.841344746068543, Φ(-1) = 1 - Φ(1); Φ(2) = 0.977249868051821.
        let y = GELU::forward(&array![0.0, 1.0, -1.0, 2.0]);
        let expected = array![0.0, 0.841344746068543, -0.158655253931457, 1.954499736103642];
        assert_relative_eq!(y, expected, max_relative = 1e-14);
        // Φ(0) + 0 = 1/2. φ(1) = 0.241970724519143, so 0.841344746068543 ± 0.241970724519143.
        let dl_dz = GELU::backward(&array![0.0, 1.0, -1.0], array![4.0, 1.0, -2.0]);
        let expected =
            array![2.0, 1.083315470587686, -2.0 * (0.158655253931457 - 0.241970724519143)];
        assert_relative_eq!(dl_dz, expected, max_relative = 1e-13);
    }

    #[test]
    fn at_infinity_it_is_flat_on_the_left_and_the_identity_on_the_right() {
        fn holds<T: Scalar>() {
            let z = array![T::neg_infinity(), T::infinity()];
            assert_eq!(GELU::forward(&z), array![T::zero(), T::infinity()]);
            let ones = array![T::one(), T::one()];
            assert_eq!(GELU::backward(&z, ones), array![T::zero(), T::one()]);
        }
        holds::<f32>();
        holds::<f64>();
        // Φ(-10) = 7.6e-24, where 1 + erf is 0.
        assert!(GELU::forward(&array![-10.0_f32])[0] < 0.0);
    }
}
