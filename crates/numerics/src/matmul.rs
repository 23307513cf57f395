//! The matrix product, by faer.
//!
//! faer's own threads stay off. A large product is halved, and halved again, by its shape alone, so that
//! the order of every sum is the same for any number of threads; the layers that split a batch into
//! chunks of fixed size multiply within a chunk on one thread.

use faer::{Accum, MatMut, MatRef};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::Scalar;

/// A product with fewer multiplications is not split: they take some tens of microseconds.
const WORTH_A_THREAD: usize = 1 << 21;

/// A side of the result that is not split further.
const SHORTEST_SIDE: usize = 32;

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
pub fn matmul<T: Scalar>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<T> {
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    product(c.view_mut(), a, b, |c, a, b| replace_in_halves(c, a, b));
    c
}

/// `c = a b`, each half of a large `c` on a thread of its own.
fn replace_in_halves<T: Scalar>(c: MatMut<'_, T>, a: MatRef<'_, T>, b: MatRef<'_, T>) {
    let (m, k, n) = (a.nrows(), a.ncols(), b.ncols());
    if m * k * n < WORTH_A_THREAD || m.max(n) < 2 * SHORTEST_SIDE {
        return T::gemm(c, Accum::Replace, a, b);
    }
    // Whole vectors for either half, as far as that goes.
    let half = |side: usize| (side / 2).next_multiple_of(SHORTEST_SIDE);
    if n >= m {
        let ((c1, c2), (b1, b2)) = (c.split_at_col_mut(half(n)), b.split_at_col(half(n)));
        rayon::join(|| replace_in_halves(c1, a, b1), || replace_in_halves(c2, a, b2));
    } else {
        let ((c1, c2), (a1, a2)) = (c.split_at_row_mut(half(m)), a.split_at_row(half(m)));
        rayon::join(|| replace_in_halves(c1, a1, b), || replace_in_halves(c2, a2, b));
    }
}

/// `c += a b`, on one thread.
///
/// # Panics
/// If the shapes do not agree, or `c` is not contiguous in row-major order.
pub fn add_matmul<T: Scalar>(c: ArrayViewMut2<'_, T>, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) {
    product(c, a, b, |c, a, b| T::gemm(c, Accum::Add, a, b));
}

/// `c = a b`, whatever `c` held before, on one thread.
///
/// # Panics
/// As [`add_matmul`].
pub fn matmul_into<T: Scalar>(c: ArrayViewMut2<'_, T>, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) {
    product(c, a, b, |c, a, b| T::gemm(c, Accum::Replace, a, b));
}

fn product<T: Scalar>(
    mut c: ArrayViewMut2<'_, T>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    gemm: impl FnOnce(MatMut<'_, T>, MatRef<'_, T>, MatRef<'_, T>),
) {
    let (m, k) = a.dim();
    let (k_b, n) = b.dim();
    assert_eq!(k, k_b, "matmul: {m}x{k} times {k_b}x{n}");
    assert_eq!(c.dim(), (m, n), "matmul: the output of {m}x{k} times {k}x{n}");
    let c = c.as_slice_mut().expect("the output of a product is row-major");
    let c = MatMut::from_row_major_slice_mut(c, m, n);
    with_mat_ref(a, |a| with_mat_ref(b, |b| gemm(c, a, b)));
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
    fn a_product_in_halves_is_the_product_of_rows_and_columns() {
        let mut rng = crate::Rng::new(5);
        // 5 and 7 halves deep, by columns, by rows and by both, with sides that are no multiple of 32.
        for (m, k, n) in [(3, 500, 2000), (2100, 400, 5), (300, 170, 290)] {
            let a = rng.uniform_array((m, k), -1.0, 1.0);
            let b: Array2<f64> = rng.uniform_array((k, n), -1.0, 1.0);
            for (a, b) in [
                (a.view(), b.view()),
                (a.t().as_standard_layout().t(), b.t().as_standard_layout().t()),
            ] {
                let c = matmul(a, b);
                for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 2), (m / 3, n - 1), (0, n / 5)] {
                    let expected = a.row(i).dot(&b.column(j));
                    // A sum of k terms of magnitude at most 1.
                    assert!((c[[i, j]] - expected).abs() < 2.0 * (k * k) as f64 * 1.2e-16);
                }
                let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
                assert_eq!(one_thread.install(|| matmul(a, b)), c);
            }
        }
    }

    #[test]
    fn a_product_replaces_or_adds_to_what_was_there() {
        let (a, b) = (array![[2.0]], array![[3.0, 4.0]]);
        let mut c = array![[f64::NAN, 1.0]];
        matmul_into(c.view_mut(), a.view(), b.view());
        assert_eq!(c, array![[6.0, 8.0]]);
        add_matmul(c.view_mut(), a.view(), b.view());
        assert_eq!(c, array![[12.0, 16.0]]);
        // An empty inner dimension gives zeros.
        let (a, b) = (Array2::zeros((1, 0)), Array2::zeros((0, 2)));
        matmul_into(c.view_mut(), a.view(), b.view());
        assert_eq!((&c, &matmul(a.view(), b.view())), (&array![[0.0, 0.0]], &c));
    }
}
