//! What transcriptions of formulas are written with.

use ndarray::{Array4, ArrayD, Dimension, IntoDimension};

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
    term: impl FnMut(<I::Dim as Dimension>::Pattern) -> f64,
) -> f64
where
    I::Dim: Dimension,
{
    ndarray::indices(lengths).into_iter().map(term).sum()
}

/// An array of four axes, element by element.
pub(crate) fn four_axes(
    shape: [usize; 4],
    element: impl FnMut((usize, usize, usize, usize)) -> f64,
) -> ArrayD<f64> {
    Array4::from_shape_fn(shape, element).into_dyn()
}
