//! Named arrays in a fixed order: the parameters of a layer, or their gradients.

use std::ops::Index;

use indexmap::IndexMap;
use ndarray::{Array2, ArrayD, CowArray, Ix2, Ix4};
use numerics::Scalar;

use crate::LayerError;

/// Arrays by name, in the order in which the layer declares them (`W` before `b`).
///
/// A layer has two of these with the same names and shapes: its parameters and its gradients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters<T>(IndexMap<&'static str, ArrayD<T>>);

impl<T: Scalar> Parameters<T> {
    /// Arrays in this order.
    pub fn new(arrays: impl IntoIterator<Item = (&'static str, ArrayD<T>)>) -> Self {
        Self(arrays.into_iter().collect())
    }

    /// The array of this name.
    pub fn get(&self, name: &str) -> Option<&ArrayD<T>> {
        self.0.get(name)
    }

    /// The array of this name, to change its elements.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut ArrayD<T>> {
        self.0.get_mut(name)
    }

    /// Sets an array of this layer, a parameter or a buffer as `what` says, to the elements of `value`.
    pub(crate) fn set(
        &mut self,
        layer: &'static str,
        what: &'static str,
        name: &str,
        value: &ArrayD<T>,
    ) -> Result<(), LayerError> {
        let Some((_, &name, array)) = self.0.get_full_mut(name) else {
            let (known, got) = (self.names().collect(), name.to_owned());
            return Err(LayerError::Unknown { layer, what, known, got });
        };
        if array.shape() != value.shape() {
            let (expected, got) = (array.shape().to_vec(), value.shape().to_vec());
            return Err(LayerError::Shape { layer, what, name, expected, got });
        }
        array.assign(value);
        Ok(())
    }

    /// Names and arrays in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ArrayD<T>)> {
        self.0.iter().map(|(&name, array)| (name, array))
    }

    /// Names and arrays in order, to change their elements.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut ArrayD<T>)> {
        self.0.iter_mut().map(|(&name, array)| (name, array))
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Whether these are arrays of these names and shapes, in this order.
    pub(crate) fn are<'a>(
        &'a self,
        declared: impl Iterator<Item = (&'static str, &'a [usize])>,
    ) -> bool {
        self.iter().map(|(name, array)| (name, array.shape())).eq(declared)
    }

    /// Names and shapes, for messages.
    pub(crate) fn description(&self) -> String {
        let each = self.iter().map(|(name, array)| format!("{name} {:?}", array.shape()));
        each.collect::<Vec<_>>().join(", ")
    }

    /// The number of scalars in all arrays together.
    pub fn scalar_count(&self) -> usize {
        self.0.values().map(ArrayD::len).sum()
    }

    /// A view of an array that its layer knows to be a matrix.
    ///
    /// # Panics
    /// If there is no such array or it is not a matrix: for layers, about their own parameters.
    pub fn matrix(&self, name: &str) -> ndarray::ArrayView2<'_, T> {
        self[name].view().into_dimensionality::<Ix2>().expect("the layer made it a matrix")
    }

    /// The row of this name, or `n` times `value` where the layer was declared without it: a bias is 0
    /// then, a scale 1.
    ///
    /// # Panics
    /// If the array is no matrix.
    pub fn row_or(&self, name: &str, n: usize, value: T) -> CowArray<'_, T, Ix2> {
        match self.get(name) {
            Some(_) => self.matrix(name).into(),
            None => Array2::from_elem((1, n), value).into(),
        }
    }

    /// A view of an array that its layer knows to have four axes, as [`matrix`](Self::matrix).
    ///
    /// # Panics
    /// If there is no such array or it has not four axes.
    pub fn kernel(&self, name: &str) -> ndarray::ArrayView4<'_, T> {
        self[name].view().into_dimensionality::<Ix4>().expect("the layer made it a 4-axis kernel")
    }
}

impl<T> Index<&str> for Parameters<T> {
    type Output = ArrayD<T>;

    /// The array of this name.
    ///
    /// # Panics
    /// If there is none; [`Parameters::get`] returns an option instead.
    fn index(&self, name: &str) -> &ArrayD<T> {
        &self.0[name]
    }
}
