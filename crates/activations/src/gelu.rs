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
/// Question 7.
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
    use ndarray::array;

    use super::*;

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
