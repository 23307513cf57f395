//! The one number trait of the workspace.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;

use faer::{Accum, MatMut, MatRef, Par};
use ndarray::NdFloat;

use crate::{Element, normal};

/// A floating-point number that layers compute with: `f32` or `f64`.
///
/// The trait is sealed. It adds to [`NdFloat`] only what the layers need: conversion from and to
/// `f64`, the smallest positive normal number, the error function and the normal distribution, and the matrix
/// product.
pub trait Scalar: NdFloat + Element + Debug + Display + LowerExp + Sum + sealed::Gemm {
    /// The name of the type as NumPy spells it: `"f4"` or `"f8"`.
    const DTYPE: &'static str;

    /// The smallest positive normal number.
    const TINY: Self;

    /// The value nearest to `x`.
    fn of(x: f64) -> Self;

    /// This number as an `f64`, exactly.
    fn as_f64(self) -> f64;

    /// The complementary error function `1 - erf(x) = 2/√π ∫ₓ^∞ e^(-t²) dt`, to about one unit in
    /// the last place, in the tails too (`libm`, after FreeBSD's `s_erf.c`).
    #[must_use]
    fn complementary_error(self) -> Self;

    /// `Φ(z)` and `φ(z)`: the distribution function and the density of the standard normal
    /// distribution. In `f64` to the last bits; in `f32` to an absolute error of 2e-7 and 1e-7, by
    /// operations that become vector instructions.
    #[must_use]
    fn standard_normal(self) -> (Self, Self);
}

pub(crate) mod sealed {
    use super::{Accum, MatMut, MatRef};

    /// `c = alpha a b` or `c += alpha a b`, on one thread.
    pub trait Gemm: Sized {
        fn gemm(
            c: MatMut<'_, Self>,
            accumulate: Accum,
            a: MatRef<'_, Self>,
            b: MatRef<'_, Self>,
            alpha: Self,
        );
    }
}

macro_rules! scalar {
    ($t:ty, $dtype:literal, $erfc:path, $normal:path) => {
        impl Scalar for $t {
            const DTYPE: &'static str = $dtype;
            const TINY: Self = <$t>::MIN_POSITIVE;

            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }

            #[inline]
            fn as_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline]
            fn complementary_error(self) -> Self {
                $erfc(self)
            }

            #[inline(always)]
            fn standard_normal(self) -> (Self, Self) {
                $normal(self)
            }
        }

        impl sealed::Gemm for $t {
            fn gemm(
                c: MatMut<'_, Self>,
                accumulate: Accum,
                a: MatRef<'_, Self>,
                b: MatRef<'_, Self>,
                alpha: Self,
            ) {
                faer::linalg::matmul::matmul(c, accumulate, a, b, alpha, Par::Seq);
            }
        }
    };
}

scalar!(f32, "f4", libm::erfcf, normal::standard_normal);
scalar!(f64, "f8", libm::erfc, normal::standard_normal_exactly);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complementary_error_function_is_exact_to_the_last_bits_in_both_tails() {
        // Abramowitz and Stegun, table 7.1, and erfc(6) = 2.1519736712498913e-17.
        for (x, expected) in [
            (0.25_f64, 0.7236736098317631_f64),
            (0.0, 1.0),
            (0.5, 0.4795001221869535),
            (-1.0, 1.8427007929497148),
            (3.0, 2.209049699858544e-5),
            (6.0, 2.1519736712498913e-17),
        ] {
            assert!((Scalar::complementary_error(x) / expected - 1.0).abs() < 1e-15, "{x}");
            let narrow = (x as f32).complementary_error();
            assert!((f64::from(narrow) - expected).abs() <= 2e-7 * expected, "{x}");
        }
        assert!(f64::NAN.complementary_error().is_nan() && f32::NAN.complementary_error().is_nan());
    }
}
