//! The standard normal distribution.
//!
//! In double precision by the functions of the C library. In single precision, where trainings wait for
//! it, as a few additions and multiplications that become vector instructions.

use std::f32::consts::{LN_2, LOG2_E};
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

// ANCHOR: exactly
/// `Φ(z) = ½ erfc(-z/√2)`, which cancels nothing in the left tail, where `½ (1 + erf(z/√2))` would be 0, and
/// `φ(z) = exp(-z²/2)/√(2π)`.
pub(crate) fn standard_normal_exactly(z: f64) -> (f64, f64) {
    (0.5 * libm::erfc(-z * FRAC_1_SQRT_2), (-0.5 * z * z).exp() / TAU.sqrt())
}
// ANCHOR_END: exactly

// ANCHOR: fast
/// `Φ(z)` and `φ(z)`, with a relative error below 1e-5 in the left tail and absolute errors below 2e-7
/// and 1e-7.
///
/// Divided by `exp(-z²/2)`, which falls by dozens of orders of magnitude, the tail `Φ(-|z|)` is a smooth
/// function of `t = 1/(1 + 0.3 |z|)`: the polynomial in `t` with the smallest relative error for
/// `|z| <= 14` is off by 1.5e-7. Nothing cancels, so the left tail stays positive until it underflows.
#[inline(always)]
pub(crate) fn standard_normal(z: f32) -> (f32, f32) {
    /// Coefficients of `t` to `t⁸`.
    const C: [f32; 8] = [
        0.119_629_3,
        0.120_753_96,
        0.099_913_49,
        0.128_561_63,
        -0.053_683_64,
        0.206_353_5,
        -0.157_203_08,
        0.035_674_773,
    ];
    /// `1/√(2π)`.
    const DENSITY_AT_ZERO: f32 = 0.398_942_3;
    let e = exp_of_negative(-0.5 * z * z);
    let t = 1.0 / (1.0 + 0.3 * z.abs());
    let high = C[4] + t * (C[5] + t * (C[6] + t * C[7]));
    let tail = t * e * (C[0] + t * (C[1] + t * (C[2] + t * (C[3] + t * high))));
    (if z >= 0.0 { 1.0 - tail } else { tail }, DENSITY_AT_ZERO * e)
}
// ANCHOR_END: fast

/// `exp(x)` for `x <= 0`, to an absolute error of 1e-7; 0 where that is below the normal numbers.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    /// Added to a number below 2²², it leaves the nearest integer in the last bits.
    const INTEGER: f32 = 12_582_912.0;
    /// The polynomial of degree 6 with the smallest relative error of `2^f` for `|f| <= ½`, 2e-9.
    const C: [f32; 7] =
        [1.0, LN_2, 0.24022647, 0.055503286, 0.009618489, 0.0013399931, 0.00015345811];
    let y = x * LOG2_E;
    let shifted = y.max(-126.0) + INTEGER;
    let f = y.max(-126.0) - (shifted - INTEGER);
    let power = C[0] + f * (C[1] + f * (C[2] + f * (C[3] + f * (C[4] + f * (C[5] + f * C[6])))));
    // 2^n is the float with the biased exponent n + 127; n stands in the last bits of `shifted`.
    let exponent = shifted.to_bits().wrapping_add(127) << 23;
    let e = power * f32::from_bits(exponent);
    if y < -126.0 {
        0.0
    } else if x.is_nan() {
        x
    } else {
        e
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_double_precision() {
        let (mut largest_p, mut largest_d, mut largest_relative) = (0.0_f64, 0.0_f64, 0.0_f64);
        for i in -80_000..=80_000 {
            let z = i as f32 * 1.5e-4;
            let wide = f64::from(z);
            let (p, d) = standard_normal(z);
            let (distribution, density) = standard_normal_exactly(wide);
            largest_p = largest_p.max((f64::from(p) - distribution).abs());
            largest_d = largest_d.max((f64::from(d) - density).abs());
            if z < 0.0 {
                let relative = (f64::from(p) / distribution - 1.0).abs();
                largest_relative = largest_relative.max(relative);
            }
        }
        assert!(largest_p < 2e-7, "{largest_p:e}");
        assert!(largest_relative < 1e-5, "{largest_relative:e}");
        assert!(largest_d < 1e-7, "{largest_d:e}");
    }

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for x in [-0.0_f32, -1e-8, -0.34657, -0.3466, -1.0, -20.0, -80.0, -87.0] {
            assert!((exp_of_negative(x) / x.exp() - 1.0).abs() < 1e-5, "{x}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
    }

    #[test]
    fn the_ends_are_certain_and_nan_stays() {
        assert_eq!(standard_normal(f32::INFINITY), (1.0, 0.0));
        assert_eq!(standard_normal(f32::NEG_INFINITY), (0.0, 0.0));
        assert_eq!(standard_normal(40.0), (1.0, 0.0));
        let (p, d) = standard_normal(f32::NAN);
        assert!(p.is_nan() && d.is_nan());
        assert!(standard_normal(-10.0).0 > 0.0);
    }
}
