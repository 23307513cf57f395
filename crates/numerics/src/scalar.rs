//! The one number trait of the workspace.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;

use faer::{Accum, MatMut, MatRef, Par};
use ndarray::NdFloat;

use crate::{Element, normal};

/// A floating-point number that layers compute with: `f32` or `f64`.
///
/// The trait is sealed. It adds to [`NdFloat`] only what the layers need: conversion from and to `f64`, the normal
/// distribution, and the matrix product.
pub trait Scalar: NdFloat + Element + Debug + Display + LowerExp + Sum + sealed::Gemm {
    /// The name of the type as NumPy spells it: `"f4"` or `"f8"`.
    const DTYPE: &'static str;

    /// The value nearest to `x`.
    fn of(x: f64) -> Self;

    /// This number as an `f64`, exactly.
    fn as_f64(self) -> f64;

    /// `Φ(z)` and `φ(z)`: the distribution function and the density of the standard normal
    /// distribution. In `f64` to the last bits; in `f32` to an absolute error of 2e-7 and 1e-7, by
    /// operations that become vector instructions.
    fn standard_normal(self) -> (Self, Self);
}

pub(crate) mod sealed {
    use super::{Accum, MatMut, MatRef};

    /// `c = a b` or `c += a b`, on one thread.
    pub trait Gemm: Sized {
        fn gemm(c: MatMut<'_, Self>, how: Accum, a: MatRef<'_, Self>, b: MatRef<'_, Self>);
    }
}

macro_rules! scalar {
    ($t:ty, $dtype:literal, $normal:path) => {
        impl Scalar for $t {
            const DTYPE: &'static str = $dtype;

            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }

            #[inline]
            fn as_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn standard_normal(self) -> (Self, Self) {
                $normal(self)
            }
        }

        impl sealed::Gemm for $t {
            fn gemm(c: MatMut<'_, Self>, how: Accum, a: MatRef<'_, Self>, b: MatRef<'_, Self>) {
                faer::linalg::matmul::matmul(c, how, a, b, 1.0, Par::Seq);
            }
        }
    };
}

scalar!(f32, "f4", normal::standard_normal);
scalar!(f64, "f8", normal::standard_normal_exactly);
