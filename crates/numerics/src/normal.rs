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
/// `Φ(z)` and `φ(z)`, with a relative error below 1e-5 in the left tail down to -13 and absolute errors below 2.2e-7
/// and 1e-7, at every number.
///
/// Divided by `exp(-z²/2)`, which falls by dozens of orders of magnitude, the tail `Φ(-|z|)` is a smooth
/// function of `t = 1/(1 + 0.3 |z|)`. The polynomial in `t` is off by a share of 1.6e-7 for `|z| <= 14`, and
/// ten times less than that where the tail is large: it has the smallest relative error with the weight
/// `max(2 Φ(-|z|), 0.2)`. Nothing cancels, so the left tail stays positive until it underflows.
#[inline(always)]
pub(crate) fn standard_normal(z: f32) -> (f32, f32) {
    /// Coefficients of `t` to `t⁸`.
    const C: [f32; 8] = [
        0.119_627_29,
        0.120_789_08,
        0.099_663_75,
        0.129_496_01,
        -0.055_671_75,
        0.208_763_81,
        -0.158_749_09,
        0.036_080_886,
    ];
    /// `1/√(2π)`.
    const DENSITY_AT_ZERO: f32 = 0.398_942_3;
    let e = exp_of_negative(-0.5 * z * z);
    let t = 1.0 / z.abs().mul_add(0.3, 1.0);
    let (factor, sum) = (t * e, polynomial(C, t));
    let distribution = if z >= 0.0 { (-factor).mul_add(sum, 1.0) } else { factor * sum };
    (distribution, DENSITY_AT_ZERO * e)
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
    let power = polynomial(C, f);
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

/// `Σ cₖ tᵏ`. Each step waits for the one before, so it is one operation where the processor has fused ones,
/// and elsewhere a slow function with the same result.
#[inline(always)]
fn polynomial<const N: usize>(c: [f32; N], t: f32) -> f32 {
    let (mut sum, lower) = (c[N - 1], &c[..N - 1]);
    for &c in lower.iter().rev() {
        sum = sum.mul_add(t, c);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_double_precision() {
        let (mut largest_p, mut largest_d, mut largest_relative) = (0.0_f64, 0.0_f64, 0.0_f64);
        // Of all numbers, the last two have the largest errors of Φ, absolute and in the left tail relative.
        for z in (-80_000..=80_000).map(|i| i as f32 * 1.5e-4).chain([0.042_408_11, -12.857_375]) {
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
        assert!(largest_p < 2.2e-7, "{largest_p:e}");
        assert!(largest_relative < 1e-5, "{largest_relative:e}");
        assert!(largest_d < 1e-7, "{largest_d:e}");
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
