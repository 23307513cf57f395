//! The shapes of a layer, before there is one.

#[cfg(doc)]
use numerics::MOST_ELEMENTS;
use numerics::element_count;

use crate::LayerError;

/// Shapes of all that a layer takes, gives and keeps, each of at most [`MOST_ELEMENTS`] elements.
///
/// They follow from a configuration alone, so that a layer can be compared with a file, or refused, before
/// memory is taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerShapes {
    pub(crate) kind: &'static str,
    pub(crate) input: Vec<usize>,
    pub(crate) output: Vec<usize>,
    parameters: Vec<(&'static str, Vec<usize>)>,
    buffers: Vec<(&'static str, Vec<usize>)>,
    /// The parameters on which weight decay acts.
    pub(crate) decaying: Vec<&'static str>,
}

impl LayerShapes {
    /// A layer of this kind between examples of these shapes, which have at least one axis.
    ///
    /// # Errors
    /// [`LayerError::Size`].
    pub fn new(kind: &'static str, input: &[usize], output: &[usize]) -> Result<Self, LayerError> {
        checked_size(kind, "an input example", input)?;
        checked_size(kind, "an output example", output)?;
        let (input, output) = (input.to_vec(), output.to_vec());
        let (parameters, buffers, decaying) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { kind, input, output, parameters, buffers, decaying })
    }

    /// The same with one more parameter, on which weight decay acts; refused if it is too large.
    pub fn weight(mut self, name: &'static str, shape: &[usize]) -> Result<Self, LayerError> {
        self.decaying.push(name);
        self.offset(name, shape)
    }

    /// The same with one more parameter, on which weight decay does not act: a bias, or the scale or offset of
    /// a normalisation.
    pub fn offset(mut self, name: &'static str, shape: &[usize]) -> Result<Self, LayerError> {
        checked_size(self.kind, name, shape)?;
        self.parameters.push((name, shape.to_vec()));
        Ok(self)
    }

    /// The same with one more buffer, see [`Layer::buffers`](crate::Layer::buffers).
    pub fn buffer(mut self, name: &'static str, shape: &[usize]) -> Result<Self, LayerError> {
        checked_size(self.kind, name, shape)?;
        self.buffers.push((name, shape.to_vec()));
        Ok(self)
    }

    /// The shape of one output example.
    pub fn output(&self) -> &[usize] {
        &self.output
    }

    /// Names and shapes of the parameters in order.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &[usize])> {
        self.parameters.iter().map(|(name, shape)| (*name, shape.as_slice()))
    }

    /// Names and shapes of the buffers in order.
    pub fn buffers(&self) -> impl Iterator<Item = (&'static str, &[usize])> {
        self.buffers.iter().map(|(name, shape)| (*name, shape.as_slice()))
    }
}

/// The number of elements of an array that a layer would make.
///
/// # Errors
/// [`LayerError::Size`] if there are more than [`MOST_ELEMENTS`].
pub fn checked_size(
    layer: &'static str,
    what: &'static str,
    shape: &[usize],
) -> Result<usize, LayerError> {
    let too_large = || LayerError::Size { layer, what, shape: shape.to_vec() };
    element_count(shape).ok_or_else(too_large)
}
