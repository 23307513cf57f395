//! Question 6.1.

use einsum::by_einsum;
use ndarray::array;

use super::Example;

/// The trace of a matrix of two rows.
pub(super) fn trace(example: &mut Example<'_>) {
    let a = array![[1.0, 2.0], [3.0, 4.0]];
    example.number("result", by_einsum::trace(a.view()).expect("the matrix is square"));
    example.array("a", &a);
}

/// The same matrix times a vector.
pub(super) fn matrix_vector(example: &mut Example<'_>) {
    let (a, b) = (array![[1.0, 2.0], [3.0, 4.0]], array![10.0, -1.0]);
    let product = by_einsum::matrix_vector(a.view(), b.view());
    example.array("result", &product.expect("the matrix has a column for each element"));
    example.array("a", &a);
    example.array("b", &b);
}

/// The products of two vectors, each element with each.
pub(super) fn outer_product(example: &mut Example<'_>) {
    let (a, b) = (array![1.0, 2.0, 3.0], array![10.0, -1.0]);
    let product = by_einsum::outer_product(a.view(), b.view());
    example.array("result", &product.expect("any two vectors have an outer product"));
    example.array("a", &a);
    example.array("b", &b);
}
