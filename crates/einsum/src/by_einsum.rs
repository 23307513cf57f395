//! The three exercises, each as one einsum string.

use ndarray::{Array1, Array2, ArrayD, ArrayView1, ArrayView2};
use ndarray_einsum::{ArrayLike, einsum};
use numerics::Scalar;

use crate::{EinsumError, operands};

// ANCHOR: trace
/// The einsum string of [`trace`].
pub const TRACE: &str = "ii->";

/// `tr A = Σᵢ A[i,i]`: the repeated letter walks along the diagonal, the empty output sums it.
///
/// # Errors
/// [`EinsumError::Shape`] if `a` is not square or has no element.
pub fn trace<T: Scalar>(a: ArrayView2<'_, T>) -> Result<T, EinsumError> {
    operands::of_trace(a)?;
    Ok(contract(TRACE, &[&a])?[[]])
}
// ANCHOR_END: trace

// ANCHOR: matrix_vector
/// The einsum string of [`matrix_vector`].
pub const MATRIX_VECTOR: &str = "ij,j->i";

/// `(A b)[i] = Σⱼ A[i,j] b[j]`: `A` and `b` share the letter j, so they are multiplied along it; j
/// is not in the output, so the products are summed.
///
/// # Errors
/// [`EinsumError::Shape`] if `b` has not as many elements as `a` has columns, or one is empty.
pub fn matrix_vector<T: Scalar>(
    a: ArrayView2<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<Array1<T>, EinsumError> {
    operands::of_matrix_vector(a, b)?;
    let product = contract(MATRIX_VECTOR, &[&a, &b])?;
    Ok(product.into_dimensionality().expect("the output has one letter"))
}
// ANCHOR_END: matrix_vector

// ANCHOR: outer_product
/// The einsum string of [`outer_product`].
pub const OUTER_PRODUCT: &str = "i,j->ij";

/// `(a bᵀ)[i,j] = a[i] b[j]`: both letters are in the output, so nothing is summed.
///
/// # Errors
/// [`EinsumError::Shape`] if one of them has no element.
pub fn outer_product<T: Scalar>(
    a: ArrayView1<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<Array2<T>, EinsumError> {
    operands::of_outer_product(a, b)?;
    let product = contract(OUTER_PRODUCT, &[&a, &b])?;
    Ok(product.into_dimensionality().expect("the output has two letters"))
}
// ANCHOR_END: outer_product

/// The operands multiplied and summed as `subscripts` says, in the notation of [`ndarray_einsum`]:
/// lower-case letters, commas and an arrow, nothing else.
///
/// # Errors
/// [`EinsumError::Refused`] if the string does not parse or does not fit the operands;
/// [`EinsumError::Shape`] if an operand has no element, since `ndarray_einsum` panics on some.
pub fn contract<T: Scalar>(
    subscripts: &str,
    operands: &[&dyn ArrayLike<T>],
) -> Result<ArrayD<T>, EinsumError> {
    let shapes: Vec<Vec<usize>> =
        operands.iter().map(|operand| operand.into_dyn_view().shape().to_vec()).collect();
    if shapes.iter().flatten().any(|&length| length == 0) {
        let expected = "operands with at least one element";
        return Err(EinsumError::Shape { operation: "einsum", expected, got: shapes });
    }
    einsum(subscripts, operands).map_err(|reason| EinsumError::Refused {
        subscripts: subscripts.to_owned(),
        shapes,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{array, s};

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

    #[test]
    fn strided_and_reversed_views_are_read_as_their_elements() {
        let a = array![[1.0, 9.0, 2.0], [9.0, 9.0, 9.0], [3.0, 9.0, 4.0]];
        assert_eq!(trace(a.slice(s![..;2, ..;2])), Ok(5.0));
        assert_eq!(trace(a.slice(s![..;-2, ..;-2])), Ok(5.0));
        assert_eq!(trace(a.t()), Ok(14.0));
        let b = array![10.0, 0.0, -1.0];
        let product = matrix_vector(a.slice(s![..;2, ..;2]), b.slice(s![..;2]));
        assert_eq!(product, Ok(array![8.0, 26.0]));
    }
}
