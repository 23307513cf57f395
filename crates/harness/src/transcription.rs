//! What transcriptions of formulas are written with. Code that is generic in a term is compiled for each of the
//! hundreds that there are, so that it ends here in functions of a `dyn FnMut`.

use ndarray::{Array, ArrayD, Dimension, IntoDimension, ShapeBuilder};

use crate::cases::Failure;

/// The operands multiplied and summed as `subscripts` says.
pub(crate) fn einsum(subscripts: &str, operands: &[&ArrayD<f64>]) -> Result<ArrayD<f64>, Failure> {
    let operands: Vec<&dyn ndarray_einsum::ArrayLike<f64>> =
        operands.iter().map(|&operand| operand as _).collect();
    ndarray_einsum::einsum(subscripts, &operands)
        .map_err(|error| Failure::new(format!("einsum {subscripts}: {error}")))
}

/// The sum over all indices below these lengths.
pub(crate) fn sum<I: IntoDimension>(
    lengths: I,
    mut term: impl FnMut(<I::Dim as Dimension>::Pattern) -> f64,
) -> f64
where
    I::Dim: Dimension,
{
    let term: &mut dyn FnMut(_) -> f64 = &mut term;
    ndarray::indices(lengths).into_iter().map(term).sum()
}

/// An array of this shape, element by element.
pub(crate) fn array_of<S: ShapeBuilder>(
    shape: S,
    mut element: impl FnMut(<S::Dim as Dimension>::Pattern) -> f64,
) -> Array<f64, S::Dim> {
    let element: &mut dyn FnMut(_) -> f64 = &mut element;
    Array::from_shape_fn(shape, element)
}

/// An array of four axes, element by element.
pub(crate) fn four_axes(
    shape: [usize; 4],
    element: impl FnMut((usize, usize, usize, usize)) -> f64,
) -> ArrayD<f64> {
    array_of(shape, element).into_dyn()
}
