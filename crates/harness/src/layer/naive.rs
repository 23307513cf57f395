//! Layers of plain loops, into which a bug can be built; not the reference versions of `cnn::reference`.

use std::fmt::Debug;

use activations::Activation;
use layers::{Layer, LayerError, LayerState, Parameters};
use ndarray::ArrayD;

use super::{Build, Spec};

/// The pre-activation of a layer and its derivatives.
pub(crate) trait Model: Debug + Send + Sync {
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

/// Layers of a model. The bug may be one of the model, or one in what every layer does around its formula.
pub(crate) fn naive<M: Model + 'static>(
    bug: &'static str,
    model: impl Fn(&Spec) -> M + Send + Sync + 'static,
) -> Build {
    Box::new(move |spec, rng| {
        // The real layer validates the specification and draws the parameters.
        let state = spec.build(rng)?.state().clone();
        Ok(Box::new(NaiveLayer { state, model: model(spec), bug, cache: None }))
    })
}

#[derive(Debug)]
struct NaiveLayer<M> {
    state: LayerState<f64>,
    model: M,
    bug: &'static str,
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
            if self.bug == "backward-first" {
                return Ok(ArrayD::zeros([&dl_dy.shape()[..1], self.input_shape()].concat()));
            }
            return Err(LayerError::BackwardBeforeForward { layer: self.kind() });
        };
        self.state.check_gradient(z.shape(), &dl_dy)?;
        let activation = self.activation();
        let dl_dz = match self.bug {
            "activation-forgotten" => dl_dy,
            "derivative-at-output" => activation.backward(&activation.forward(z), &dl_dy)?,
            _ => activation.backward(z, &dl_dy)?,
        };
        let (dl_dx, mut gradients) = self.model.backward(x, self.parameters(), &dl_dz);
        match self.bug {
            "gradients-accumulate" => {
                for ((_, new), (_, old)) in gradients.iter_mut().zip(self.gradients().iter()) {
                    *new += old;
                }
            }
            "gradients-left" => gradients = self.gradients().clone(),
            "gradients-left-without-bias" if gradients.get("b").is_none() => {
                gradients = self.gradients().clone();
            }
            _ => {}
        }
        if self.bug == "cache-overwritten"
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
            "predict-linear" => Activation::Linear,
            _ => self.activation(),
        };
        Ok(activation.forward(&z))
    }

    fn clear_cache(&mut self) {
        self.cache = None;
    }
}
