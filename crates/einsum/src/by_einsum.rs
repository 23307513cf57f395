//! The three exercises, each as one einsum string.

use ndarray::{Array1, Array2, ArrayD, ArrayView1, ArrayView2};
use ndarray_einsum::{ArrayLike, einsum};
use numerics::Scalar;

/// A string that does not parse, or does not fit the operands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("einsum {subscripts:?} cannot be applied to operands of shapes {shapes:?}: {reason}")]
pub struct EinsumError {
    /// The einsum string.
    pub subscripts: String,
    /// The shape of each operand.
    pub shapes: Vec<Vec<usize>>,
    /// The message of the einsum implementation.
    pub reason: &'static str,
}

// ANCHOR: trace
/// The einsum string of [`trace`].
pub const TRACE: &str = "ii->";

/// `tr A = Σᵢ A[i,i]`: the repeated letter walks along the diagonal, the empty output sums it.
///
/// # Errors
/// [`EinsumError`] if `a` is not square or has no element.
pub fn trace<T: Scalar>(a: ArrayView2<'_, T>) -> Result<T, EinsumError> {
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
/// [`EinsumError`] if `b` has not as many elements as `a` has columns, or one is empty.
pub fn matrix_vector<T: Scalar>(
    a: ArrayView2<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<Array1<T>, EinsumError> {
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
/// [`EinsumError`] if one of them has no element.
pub fn outer_product<T: Scalar>(
    a: ArrayView1<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<Array2<T>, EinsumError> {
    let product = contract(OUTER_PRODUCT, &[&a, &b])?;
    Ok(product.into_dimensionality().expect("the output has two letters"))
}
// ANCHOR_END: outer_product

/// The operands multiplied and summed as `subscripts` says, in the notation of [`ndarray_einsum`]:
/// lower-case letters, commas and an arrow, nothing else.
///
/// # Errors
/// [`EinsumError`] if the string does not parse or does not fit the operands, or if an operand has no
/// element, since `ndarray_einsum` panics on some of those.
pub fn contract<T: Scalar>(
    subscripts: &str,
    operands: &[&dyn ArrayLike<T>],
) -> Result<ArrayD<T>, EinsumError> {
    let shapes: Vec<Vec<usize>> =
        operands.iter().map(|operand| operand.into_dyn_view().shape().to_vec()).collect();
    let result = if shapes.iter().flatten().any(|&length| length == 0) {
        Err("expected operands with at least one element")
    } else {
        einsum(subscripts, operands)
    };
    result.map_err(|reason| EinsumError { subscripts: subscripts.to_owned(), shapes, reason })
}
