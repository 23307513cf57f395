//! The one number trait of the workspace.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;

use faer::{Accum, MatMut, MatRef, Par};
use ndarray::NdFloat;

use crate::{Element, normal};

/// A number that kernels compute with. Layers are built for `f32` and `f64`; the harness has a type that rounds nothing.
///
/// The trait adds to [`NdFloat`] only what the layers need: conversion from and to `f64`, the normal
/// distribution, and the matrix product.
pub trait Scalar: NdFloat + Element + Debug + Display + LowerExp + Sum + Gemm {
    /// The name of the type as NumPy spells it: `"f4"` or `"f8"`.
    const DTYPE: &'static str;

    /// The value nearest to `x`.
    fn of(x: f64) -> Self;

    /// This number as an `f64`, exactly.
    fn as_f64(self) -> f64;

    /// `Φ(z)` and `φ(z)`: the distribution function and the density of the standard normal
    /// distribution. In `f64` to the last bits; in `f32` to an absolute error of 2.2e-7 and 1e-7, by
    /// operations that become vector instructions.
    fn standard_normal(self) -> (Self, Self);
}

/// The matrix product of a type of number: by rows and columns, and of `f32` and `f64` by faer.
pub trait Gemm: NdFloat + Sum {
    /// `c = a b` or `c += a b`, on one thread.
    fn gemm(mut c: MatMut<'_, Self>, how: Accum, a: MatRef<'_, Self>, b: MatRef<'_, Self>) {
        for (i, j) in ndarray::indices((c.nrows(), c.ncols())) {
            let product: Self = (0..a.ncols()).map(|k| a[(i, k)] * b[(k, j)]).sum();
            let before = if how == Accum::Add { c[(i, j)] } else { Self::zero() };
            c[(i, j)] = before + product;
        }
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

        impl Gemm for $t {
            fn gemm(c: MatMut<'_, Self>, how: Accum, a: MatRef<'_, Self>, b: MatRef<'_, Self>) {
                faer::linalg::matmul::matmul(c, how, a, b, 1.0, Par::Seq);
            }
        }
    };
}

scalar!(f32, "f4", normal::standard_normal);
scalar!(f64, "f8", normal::standard_normal_exactly);
