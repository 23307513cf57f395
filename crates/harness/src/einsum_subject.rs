//! What is checked of the einsum exercises.

use einsum::{EinsumError, by_einsum};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// The three exercises of question 6.1 under test.
pub trait EinsumSubject: Send + Sync {
    /// `Σᵢ A[i,i]`.
    ///
    /// # Errors
    /// As [`by_einsum::trace`].
    fn trace(&self, a: ArrayView2<'_, f64>) -> Result<f64, EinsumError> {
        by_einsum::trace(a)
    }

    /// `Σⱼ A[i,j] b[j]` for every i.
    ///
    /// # Errors
    /// As [`by_einsum::matrix_vector`].
    fn matrix_vector(
        &self,
        a: ArrayView2<'_, f64>,
        b: ArrayView1<'_, f64>,
    ) -> Result<Array1<f64>, EinsumError> {
        by_einsum::matrix_vector(a, b)
    }

    /// `a[i] b[j]` for every i and j.
    ///
    /// # Errors
    /// As [`by_einsum::outer_product`].
    fn outer_product(
        &self,
        a: ArrayView1<'_, f64>,
        b: ArrayView1<'_, f64>,
    ) -> Result<Array2<f64>, EinsumError> {
        by_einsum::outer_product(a, b)
    }
}

/// The exercises that users run.
#[derive(Clone, Copy, Debug)]
pub struct RealEinsum;

impl EinsumSubject for RealEinsum {}
