//! Orthogonalisation by Newton-Schulz steps.

use ndarray::{Array2, ArrayView2};
use numerics::{Scalar, matmul};

use crate::norm::l2_norm;

// ANCHOR: coefficients
/// a, b and c of `p(s) = a s + b s³ + c s⁵` (Jordan, 2024), which a step applies to every singular
/// value s: the slope at 0 is large, and what has come near 1 stays near it.
pub const NEWTON_SCHULZ: [f64; 3] = [3.4445, -4.7750, 2.0315];

/// The number added to the norm that a matrix is divided by, so that 0 stays 0.
pub const NORM_EPS: f64 = 1e-7;
// ANCHOR_END: coefficients

/// The matrix `g` with its singular vectors, and singular values that are nearly equal: about
/// `U Vᵀ`, where `g = U S Vᵀ`.
///
/// Divides by `‖g‖ + 1e-7`, where `‖g‖ = √Σ g²`, which brings every singular value into `[0, 1]`. Then
/// each step replaces X by `a X + (b A + c A²) X` with `A = X Xᵀ`, which replaces each singular value
/// s by `a s + b s³ + c s⁵`. Values do not converge to 1: three steps bring those that are above 0.018
/// after the division into `[0.68, 1.21]`, and smaller ones below that.
///
/// The matrix 0 stays 0. Where an element is NaN or infinite, all elements of the result are NaN.
///
/// # Shapes
/// `g` and the result: `(m, n)`. A is square with the shorter side; of a tall matrix,
/// `X (b A + c A²)` with `A = Xᵀ X` is the same as the step of the transposed matrix, transposed.
pub fn orthogonalise<T: Scalar>(g: ArrayView2<'_, T>, steps: u32) -> Array2<T> {
    // ANCHOR: orthogonalise
    let norm = l2_norm(&g) + NORM_EPS;
    let mut x = g.mapv(|g| T::of(g.as_f64() / norm));
    for _ in 0..steps {
        x = newton_schulz_step(&x);
    }
    x
    // ANCHOR_END: orthogonalise
}

// ANCHOR: step
/// `a X + (b A + c A²) X` with `A = X Xᵀ`.
fn newton_schulz_step<T: Scalar>(x: &Array2<T>) -> Array2<T> {
    let [a, b, c] = NEWTON_SCHULZ.map(T::of);
    let is_wide = x.nrows() <= x.ncols();
    let gram = if is_wide { matmul(x.view(), x.t()) } else { matmul(x.t(), x.view()) };
    let mut polynomial = matmul(gram.view(), gram.view());
    polynomial.zip_mut_with(&gram, |square, &gram| *square = b * gram + c * *square);
    let (left, right) =
        if is_wide { (polynomial.view(), x.view()) } else { (x.view(), polynomial.view()) };
    let mut next = matmul(left, right);
    next.zip_mut_with(x, |next, &x| *next += a * x);
    next
}
// ANCHOR_END: step

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;

    #[test]
    fn numbers_whose_squares_overflow_or_vanish_have_a_direction_too() {
        let g = array![[3e30_f32, 0.0], [0.0, 4e30]];
        let expected = orthogonalise(array![[3.0_f32, 0.0], [0.0, 4.0]].view(), 3);
        assert_relative_eq!(orthogonalise(g.view(), 3), expected, max_relative = 1e-5);
        // At 1e-7 the norm is half of what is divided by.
        let g = array![[1e-7_f64]];
        assert_relative_eq!(orthogonalise(g.view(), 0), array![[0.5]], max_relative = 1e-12);
    }
}
