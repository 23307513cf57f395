//! The memory of an optimiser with momentum.

use std::collections::BTreeMap;

use ndarray::ArrayD;
use numerics::Scalar;

use crate::OptimError;
use crate::error::check_shape;

/// A velocity for each parameter tensor, by its name; 0 for one that has not been seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Velocities<T>(BTreeMap<String, ArrayD<T>>);

impl<T: Scalar> Velocities<T> {
    /// None so far.
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The velocity of this parameter.
    ///
    /// # Errors
    /// [`OptimError::Shape`] if it has another shape than the parameter.
    pub(crate) fn of(
        &mut self,
        name: &str,
        parameter: &ArrayD<T>,
    ) -> Result<&mut ArrayD<T>, OptimError> {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), ArrayD::zeros(parameter.raw_dim()));
        }
        let v = self.0.get_mut(name).expect("it was there or has just been inserted");
        check_shape("the velocity", name, parameter, v)?;
        Ok(v)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &ArrayD<T>)> {
        self.0.iter().map(|(name, v)| (name.as_str(), v))
    }

    pub(crate) fn set(&mut self, name: String, velocity: ArrayD<T>) {
        self.0.insert(name, velocity);
    }
}
