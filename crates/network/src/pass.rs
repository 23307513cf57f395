//! A layer of a network in a forward or backward pass.

use layers::{Layer, LayerError};
use ndarray::{ArrayD, IxDyn};
use numerics::Scalar;

use crate::{NetworkError, Part, Profiler};

/// A layer whose time is taken, and whose errors say which layer it is.
pub(crate) struct Pass<'a, T: Scalar> {
    pub(crate) index: usize,
    pub(crate) layer: &'a mut dyn Layer<T>,
    /// Nobody needs the gradient of what goes into the first layer of a backward pass.
    pub(crate) is_first: bool,
    pub(crate) profiler: &'a Profiler,
}

impl<T: Scalar> Pass<'_, T> {
    pub(crate) fn forward(self, x: ArrayD<T>) -> Result<ArrayD<T>, NetworkError> {
        let Self { index, layer, profiler, .. } = self;
        profiler.time(Part::Forward(index), || layer.forward(x)).map_err(at(index))
    }

    /// `dL/dX`; nothing of it for the first layer.
    pub(crate) fn backward(self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, NetworkError> {
        let Self { index, layer, is_first, profiler } = self;
        let backward = || match is_first {
            true => layer.backward_parameters(dl_dy).map(|()| ArrayD::zeros(IxDyn(&[0]))),
            false => layer.backward(dl_dy),
        };
        profiler.time(Part::Backward(index), backward).map_err(at(index))
    }
}

/// The error of a layer as one of the network.
pub(crate) fn at(index: usize) -> impl FnOnce(LayerError) -> NetworkError {
    move |cause| NetworkError::Layer { index, cause }
}
