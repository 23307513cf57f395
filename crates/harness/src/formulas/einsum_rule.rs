//! The meaning of the einsum strings of the exercises: question 6.1.

use std::sync::Arc;

use ndarray::{Array1, Array2, arr0};

use super::{EXACT, SUMS, formula};
use crate::{Check, EinsumSubject};

pub(super) fn checks(implementation: &Arc<dyn EinsumSubject>) -> Vec<Check> {
    let [product, trace, outer] = [(); 3].map(|()| Arc::clone(implementation));
    vec![
        // R[i] = Σⱼ A[i, j] B[j], for ij,j->i.
        formula("6.1", "einsum", SUMS, move |case| {
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
            let got = product.matrix_vector(a.view(), b.view())?;
            case.compare("R", &got, &expected)
        }),
        // R = Σᵢ A[i, i], for ii->.
        formula("6.1", "einsum-trace", SUMS, move |case| {
            let n = case.between(1, 6);
            case.describe(format!("A [{n}, {n}]"));
            let a: Array2<f64> = case.array(&[n, n]).into_dimensionality()?;
            let mut sum = 0.0;
            for i in 0..n {
                sum += a[[i, i]];
            }
            case.compare("R", &arr0(trace.trace(a.view())?), &arr0(sum))
        }),
        // R[i, j] = A[i] B[j], for i,j->ij.
        formula("6.1", "einsum-outer-product", EXACT, move |case| {
            let (rows, cols) = (case.between(1, 6), case.between(1, 6));
            case.describe(format!("A [{rows}], B [{cols}]"));
            let a: Array1<f64> = case.array(&[rows]).into_dimensionality()?;
            let b: Array1<f64> = case.array(&[cols]).into_dimensionality()?;
            let expected = Array2::from_shape_fn((rows, cols), |(i, j)| a[i] * b[j]);
            case.compare("R", &outer.outer_product(a.view(), b.view())?, &expected)
        }),
    ]
}
