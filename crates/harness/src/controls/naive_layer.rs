//! Layers of plain loops, into which a bug can be built.

use std::fmt::Debug;

use activations::Activation;
use layers::{Layer, LayerError, LayerState, Parameters};
use ndarray::ArrayD;

use crate::{LayerSpec, LayerSubject, Real};

/// The pre-activation of a layer and its derivatives.
pub(super) trait Model: Debug + Send + Sync {
    /// Z, from X and the parameters.
    fn forward(&self, x: &ArrayD<f64>, parameters: &Parameters<f64>) -> ArrayD<f64>;

    /// `dL/dX` and the gradients, from X, the parameters and `dL/dZ`.
    fn backward(
        &self,
        x: &ArrayD<f64>,
        parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>);
}

/// A bug in what every layer does around its formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StateBug {
    /// No bug.
    None,
    /// Gradients add up from one backward to the next.
    Accumulates,
    /// Backward takes `dL/dY` for `dL/dZ`.
    ForgetsActivation,
    /// Backward takes the derivative of the activation at Y.
    DerivativeAtOutput,
    /// Backward writes `dL/dZ` over the cached Z.
    OverwritesCache,
    /// Predict leaves out the activation.
    PredictsLinearly,
    /// Backward without a forward pass returns zeros.
    ForgivesMissingForward,
    /// Backward leaves the gradients of the parameters as they are.
    LeavesGradients,
    /// The layer has a bias even if it is declared without one.
    KeepsBias,
    /// Backward fills the gradients only where there is a bias.
    LeavesGradientsWithoutBias,
}

/// Builds layers of a [`Model`].
pub(super) struct Naive<F> {
    pub(super) model: F,
    pub(super) bug: StateBug,
}

impl<F, M> LayerSubject<f64> for Naive<F>
where
    F: Fn(&LayerSpec) -> M + Send + Sync,
    M: Model + 'static,
{
    fn build(
        &self,
        spec: &LayerSpec,
        rng: &mut numerics::Rng,
    ) -> Result<Box<dyn Layer<f64>>, LayerError> {
        // The real layer validates the specification and draws the parameters.
        let real: Box<dyn Layer<f64>> = match self.bug {
            StateBug::KeepsBias => Real.build(&spec.clone().with(true), rng)?,
            _ => Real.build(spec, rng)?,
        };
        let state = real.state().clone();
        Ok(Box::new(NaiveLayer { state, model: (self.model)(spec), bug: self.bug, cache: None }))
    }
}

#[derive(Debug)]
struct NaiveLayer<M> {
    state: LayerState<f64>,
    model: M,
    bug: StateBug,
    cache: Option<Cache>,
}

#[derive(Debug)]
struct Cache {
    x: ArrayD<f64>,
    z: ArrayD<f64>,
}

impl<M: Model> Layer<f64> for NaiveLayer<M> {
    fn state(&self) -> &LayerState<f64> {
        &self.state
    }

    fn state_mut(&mut self) -> &mut LayerState<f64> {
        &mut self.state
    }

    fn forward(&mut self, x: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(&x)?;
        let z = self.model.forward(&x, self.parameters());
        let y = self.activation().forward(&z);
        self.cache = Some(Cache { x, z });
        Ok(y)
    }

    fn backward(&mut self, dl_dy: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        let Some(Cache { x, z }) = &self.cache else {
            if self.bug == StateBug::ForgivesMissingForward {
                return Ok(ArrayD::zeros([&dl_dy.shape()[..1], self.input_shape()].concat()));
            }
            return Err(LayerError::BackwardBeforeForward { layer: self.kind() });
        };
        self.state.check_gradient(z.shape(), &dl_dy)?;
        let activation = self.activation();
        let dl_dz = match self.bug {
            StateBug::ForgetsActivation => dl_dy,
            StateBug::DerivativeAtOutput => activation.backward(&activation.forward(z), &dl_dy)?,
            _ => activation.backward(z, &dl_dy)?,
        };
        let (dl_dx, mut gradients) = self.model.backward(x, self.parameters(), &dl_dz);
        match self.bug {
            StateBug::Accumulates => {
                for ((_, new), (_, old)) in gradients.iter_mut().zip(self.gradients().iter()) {
                    *new += old;
                }
            }
            StateBug::LeavesGradients => gradients = self.gradients().clone(),
            StateBug::LeavesGradientsWithoutBias if gradients.get("b").is_none() => {
                gradients = self.gradients().clone();
            }
            _ => {}
        }
        if self.bug == StateBug::OverwritesCache
            && let Some(cache) = &mut self.cache
        {
            cache.z = dl_dz;
        }
        self.state.set_gradients(gradients)?;
        Ok(dl_dx)
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(x)?;
        let z = self.model.forward(x, self.parameters());
        let activation = match self.bug {
            StateBug::PredictsLinearly => Activation::Linear,
            _ => self.activation(),
        };
        Ok(activation.forward(&z))
    }

    fn clear_cache(&mut self) {
        self.cache = None;
    }
}
