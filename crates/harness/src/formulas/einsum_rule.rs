//! The meaning of an einsum string: question 6.1.

use ndarray::{Array1, Array2};

use super::{SUMS, formula};
use crate::Check;

/// `R[i] = Σⱼ A[i, j] B[j]`, for `ij,j->i`.
pub(super) fn check() -> Check {
    formula("6.1", "einsum", SUMS, |case| {
        let (rows, cols) = (case.between(1, 6), case.between(1, 6));
        case.describe(format!("A [{rows}, {cols}], B [{cols}]"));
        let a: Array2<f64> = case.array(&[rows, cols]).into_dimensionality()?;
        let b: Array1<f64> = case.array(&[cols]).into_dimensionality()?;
        let expected = Array1::from_shape_fn(rows, |i| {
            let mut sum = 0.0;
            for j in 0..cols {
                sum += a[[i, j]] * b[j];
            }
            sum
        });
        let got = einsum::by_einsum::matrix_vector(a.view(), b.view())?;
        case.compare("R", &got, &expected)
    })
}
