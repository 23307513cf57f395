//! Arrays of another shape with the same elements.

use ndarray::{Array, Array2, ArrayD, Dimension, IntoDimension};
use numerics::Scalar;

/// The elements of `x` in row-major order, whatever their order in memory, as an array of this shape.
///
/// # Panics
/// If the shape has another number of elements.
pub(crate) fn reshaped<T: Scalar, D: Dimension, S: IntoDimension>(
    x: Array<T, D>,
    shape: S,
) -> Array<T, S::Dim> {
    let x = if x.is_standard_layout() { x } else { x.as_standard_layout().into_owned() };
    x.into_shape_with_order(shape.into_dimension()).expect("as many elements as before")
}

/// The elements of `x` as rows of so many, at least 1.
pub(crate) fn rows<T: Scalar>(x: ArrayD<T>, columns: usize) -> Array2<T> {
    let count = x.len() / columns;
    reshaped(x, (count, columns))
}
