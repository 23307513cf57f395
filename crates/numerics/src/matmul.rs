//! The matrix product, by faer on one thread.
//!
//! Parallelism belongs to the layers, which split a batch into chunks of fixed size; a sequential
//! product keeps the order of every sum the same for any number of threads.

use faer::{Accum, MatMut, MatRef};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::Scalar;

/// The matrix product `a b`, of shape `(rows of a, columns of b)`.
///
/// ```
/// use ndarray::array;
/// let a = array![[1.0, 2.0]];
/// let b = array![[3.0], [4.0]];
/// assert_eq!(numerics::matmul(a.view(), b.view()), array![[11.0]]);
/// // A transposed view costs nothing.
/// assert_eq!(numerics::matmul(a.t(), b.t()), array![[3.0, 4.0], [6.0, 8.0]]);
/// ```
///
/// # Panics
/// If `a` has not as many columns as `b` has rows; layers check shapes before they multiply.
#[must_use]
pub fn matmul<T: Scalar>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<T> {
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    product(c.view_mut(), Accum::Replace, a, b);
    c
}

/// `c += a b`.
///
/// # Panics
/// If the shapes do not agree, or `c` is not contiguous in row-major order.
pub fn add_matmul<T: Scalar>(c: ArrayViewMut2<'_, T>, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) {
    product(c, Accum::Add, a, b);
}

/// `c = a b`, whatever `c` held before.
///
/// # Panics
/// As [`add_matmul`].
pub fn matmul_into<T: Scalar>(c: ArrayViewMut2<'_, T>, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) {
    product(c, Accum::Replace, a, b);
}

fn product<T: Scalar>(
    mut c: ArrayViewMut2<'_, T>,
    accumulate: Accum,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
) {
    let (m, k) = a.dim();
    let (k_b, n) = b.dim();
    assert_eq!(k, k_b, "matmul: {m}x{k} times {k_b}x{n}");
    assert_eq!(c.dim(), (m, n), "matmul: the output of {m}x{k} times {k}x{n}");
    let c = c.as_slice_mut().expect("the output of a product is row-major");
    let c = MatMut::from_row_major_slice_mut(c, m, n);
    with_mat_ref(a, |a| with_mat_ref(b, |b| T::gemm(c, accumulate, a, b, T::one())));
}

/// Lends `view` to `f` as a faer matrix: without a copy if it is row-major or column-major.
fn with_mat_ref<T: Scalar, R>(view: ArrayView2<'_, T>, f: impl FnOnce(MatRef<'_, T>) -> R) -> R {
    let (rows, columns) = view.dim();
    if let Some(slice) = view.as_slice() {
        f(MatRef::from_row_major_slice(slice, rows, columns))
    } else if let Some(slice) = view.t().as_slice() {
        f(MatRef::from_column_major_slice(slice, rows, columns))
    } else {
        let copy = view.as_standard_layout();
        let slice = copy.as_slice().expect("the standard layout is contiguous");
        f(MatRef::from_row_major_slice(slice, rows, columns))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{array, s};

    use super::*;

    #[test]
    fn strided_views_are_multiplied_as_their_elements() {
        let a = array![[1.0, 9.0, 2.0], [3.0, 9.0, 4.0]];
        let every_other_column = a.slice(s![.., ..;2]);
        let identity = Array2::<f64>::eye(2);
        assert_eq!(matmul(every_other_column, identity.view()), array![[1.0, 2.0], [3.0, 4.0]]);
    }

    #[test]
    fn an_empty_inner_dimension_gives_zeros() {
        let a = Array2::<f32>::zeros((2, 0));
        let b = Array2::<f32>::zeros((0, 3));
        assert_eq!(matmul(a.view(), b.view()), Array2::<f32>::zeros((2, 3)));
    }

    #[test]
    fn matmul_into_keeps_nothing_of_what_was_there() {
        let mut c = array![[f64::NAN, 1.0]];
        matmul_into(c.view_mut(), array![[2.0]].view(), array![[3.0, 4.0]].view());
        assert_eq!(c, array![[6.0, 8.0]]);
        let (a, b) = (Array2::zeros((1, 0)), Array2::zeros((0, 2)));
        matmul_into(c.view_mut(), a.view(), b.view());
        assert_eq!(c, array![[0.0, 0.0]]);
    }

    #[test]
    fn add_matmul_keeps_what_was_there() {
        let mut c = array![[1.0, 1.0]];
        add_matmul(c.view_mut(), array![[2.0]].view(), array![[3.0, 4.0]].view());
        assert_eq!(c, array![[7.0, 9.0]]);
    }
}
