//! Einsum strings as formulas.

use ndarray::ArrayD;

use crate::cases::Failure;

/// The operands multiplied and summed as `subscripts` says.
pub(super) fn einsum(subscripts: &str, operands: &[&ArrayD<f64>]) -> Result<ArrayD<f64>, Failure> {
    let operands: Vec<&dyn ndarray_einsum::ArrayLike<f64>> =
        operands.iter().map(|&operand| operand as _).collect();
    ndarray_einsum::einsum(subscripts, &operands)
        .map_err(|error| Failure::new(format!("einsum {subscripts}: {error}")))
}
