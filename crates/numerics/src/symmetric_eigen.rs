//! Eigenvalues and eigenvectors of a symmetric matrix, by faer.

use faer::{MatRef, Side};
use ndarray::{Array1, Array2, ArrayView2};

/// Components whose magnitudes differ by less than this share count as equal.
const SAME: f64 = 1e-6;

/// The eigenvalues `λ` of a symmetric matrix `A` in falling order, and the matrix `U` whose columns are
/// their eigenvectors: `A = U diag(λ) Uᵀ` with `Uᵀ U = I`.
///
/// An eigenvector times -1 is one too. Of the two, this is the one whose largest component is positive;
/// of several components that are equally large up to rounding, the first counts. Eigenvectors of equal
/// eigenvalues are any orthonormal basis of the space that they share.
///
/// `None` if the iteration does not converge, which it does for every finite matrix that is known.
///
/// ```
/// use ndarray::array;
/// let (values, vectors) = numerics::symmetric_eigen(array![[2.0, 1.0], [1.0, 2.0]].view()).unwrap();
/// let r = 0.5_f64.sqrt();
/// assert!((values - array![3.0, 1.0]).iter().all(|d| d.abs() < 1e-15));
/// assert!((vectors - array![[r, r], [r, -r]]).iter().all(|d| d.abs() < 1e-15));
/// ```
///
/// # Panics
/// If the matrix is not square.
pub fn symmetric_eigen(a: ArrayView2<'_, f64>) -> Option<(Array1<f64>, Array2<f64>)> {
    let n = a.nrows();
    assert_eq!(a.dim(), (n, n), "a symmetric matrix is square");
    if a.iter().any(|x| !x.is_finite()) {
        return None;
    }
    if n == 0 {
        return Some((Array1::zeros(0), Array2::zeros((0, 0))));
    }
    let a = a.as_standard_layout();
    let a = MatRef::from_row_major_slice(a.as_slice().expect("it was made contiguous"), n, n);
    let eigen = a.self_adjoint_eigen(Side::Lower).ok()?;
    let (values, vectors) = (eigen.S().column_vector(), eigen.U());
    let falling = |k: usize| n - 1 - k;
    let values = Array1::from_shape_fn(n, |k| values[falling(k)]);
    let mut vectors = Array2::from_shape_fn((n, n), |(i, k)| vectors[(i, falling(k))]);
    for mut u in vectors.columns_mut() {
        let largest = u.iter().fold(0.0, |largest: f64, c| largest.max(c.abs()));
        let first = u.iter().find(|c| c.abs() >= (1.0 - SAME) * largest);
        if first.is_some_and(|&c| c < 0.0) {
            u.mapv_inplace(|c| -c);
        }
    }
    Some((values, vectors))
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use ndarray::array;

    use super::*;

    #[test]
    fn of_equally_large_components_the_first_is_positive() {
        let (_, u) = symmetric_eigen(array![[2.0, -1.0], [-1.0, 2.0]].view()).unwrap();
        let r = 0.5_f64.sqrt();
        assert_abs_diff_eq!(u, array![[r, r], [-r, r]], epsilon = 1e-15);
    }

    #[test]
    fn what_is_not_finite_has_no_eigenvalues() {
        assert_eq!(symmetric_eigen(array![[f64::NAN]].view()), None);
        assert_eq!(symmetric_eigen(Array2::zeros((0, 0)).view()).unwrap().0.len(), 0);
    }
}
