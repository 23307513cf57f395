//! The same three exercises without einsum.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use numerics::Scalar;

use crate::{EinsumError, operands};

// ANCHOR: directly
/// `tr A`: the sum of the diagonal.
///
/// # Errors
/// [`EinsumError::Shape`] if `a` is not square or has no element.
pub fn trace<T: Scalar>(a: ArrayView2<'_, T>) -> Result<T, EinsumError> {
    operands::of_trace(a)?;
    Ok(a.diag().iter().copied().sum())
}

/// `A b`: the dot product of each row with `b`.
///
/// # Errors
/// [`EinsumError::Shape`] if `b` has not as many elements as `a` has columns, or one is empty.
pub fn matrix_vector<T: Scalar>(
    a: ArrayView2<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<Array1<T>, EinsumError> {
    operands::of_matrix_vector(a, b)?;
    Ok(a.dot(&b))
}

/// `a bᵀ`: a column times a row, both broadcast to a matrix.
///
/// # Errors
/// [`EinsumError::Shape`] if one of them has no element.
pub fn outer_product<T: Scalar>(
    a: ArrayView1<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<Array2<T>, EinsumError> {
    operands::of_outer_product(a, b)?;
    Ok(&a.insert_axis(Axis(1)) * &b.insert_axis(Axis(0)))
}
// ANCHOR_END: directly

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_three_exercises_by_hand() {
        let a = array![[1.0, 2.0], [3.0, 4.0]];
        let b = array![10.0, -1.0];
        assert_eq!(trace(a.view()), Ok(5.0));
        assert_eq!(matrix_vector(a.view(), b.view()), Ok(array![8.0, 26.0]));
        assert_eq!(
            outer_product(array![1.0, 2.0, 3.0].view(), b.view()),
            Ok(array![[10.0, -1.0], [20.0, -2.0], [30.0, -3.0]])
        );
    }
}
