//! The memory of an optimiser with momentum.

use std::collections::BTreeMap;

use ndarray::ArrayD;
use numerics::Scalar;

use crate::OptimError;
use crate::error::check_shape;

/// A velocity for each parameter tensor, by its name; 0 for one that has not been seen.
pub type Velocities<T> = BTreeMap<String, ArrayD<T>>;

/// The velocity of this parameter.
///
/// # Errors
/// [`OptimError::Shape`] if it has another shape than the parameter.
pub(crate) fn velocity_of<'a, T: Scalar>(
    velocities: &'a mut Velocities<T>,
    name: &str,
    parameter: &ArrayD<T>,
) -> Result<&'a mut ArrayD<T>, OptimError> {
    let at_rest = || ArrayD::zeros(parameter.raw_dim());
    let v = velocities.entry(name.to_owned()).or_insert_with(at_rest);
    check_shape("the velocity", name, parameter, v)?;
    Ok(v)
}
