//! The one number trait of the workspace.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;

use faer::{Accum, MatMut, MatRef, Par};
use ndarray::NdFloat;

/// A floating-point number that layers compute with: `f32` or `f64`.
///
/// The trait is sealed. It adds to [`NdFloat`] only what the layers need: conversion from and to
/// `f64`, the smallest positive normal number, and the matrix product.
pub trait Scalar:
    NdFloat + Default + Debug + Display + LowerExp + Sum + sealed::Gemm + 'static
{
    /// The name of the type as NumPy spells it: `"f4"` or `"f8"`.
    const DTYPE: &'static str;

    /// The smallest positive normal number.
    const TINY: Self;

    /// The value nearest to `x`.
    fn of(x: f64) -> Self;

    /// This number as an `f64`, exactly.
    fn as_f64(self) -> f64;
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
    ($t:ty, $dtype:literal) => {
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

scalar!(f32, "f4");
scalar!(f64, "f8");
