//! Layers with a deliberate bug, or with none: formulas that are given, and around them what every layer does.

use activations::Activation;
use layers::{Layer, LayerError, LayerState, Parameters};
use ndarray::ArrayD;

use super::{Build, Spec};

/// `dL/dX`, and the gradient of each parameter; those of parameters that the layer lacks are left out.
pub(crate) type Gradients = (ArrayD<f64>, Vec<(&'static str, ArrayD<f64>)>);

/// The pre-activation Z of a layer and its derivatives, in which [`Faulty::bug`] is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Formulas {
    /// The declaration of the layer that is really built.
    pub(crate) built: fn(&'static str, &Spec) -> Spec,
    /// Z of X.
    pub(crate) forward: fn(&Faulty, &ArrayD<f64>) -> ArrayD<f64>,
    /// What a forward pass of X does to the buffers.
    pub(crate) step: fn(&mut Faulty, &ArrayD<f64>),
    /// Of X and `dL/dZ`.
    pub(crate) backward: fn(&Faulty, &ArrayD<f64>, &ArrayD<f64>) -> Gradients,
    /// Z of X in a prediction.
    pub(crate) predict: fn(&Faulty, &ArrayD<f64>) -> ArrayD<f64>,
}

impl Formulas {
    /// Those of a layer without buffers.
    pub(crate) const fn new(
        forward: fn(&Faulty, &ArrayD<f64>) -> ArrayD<f64>,
        backward: fn(&Faulty, &ArrayD<f64>, &ArrayD<f64>) -> Gradients,
    ) -> Self {
        Self { built: |_, spec| spec.clone(), forward, step: |_, _| (), backward, predict: forward }
    }

    /// Layers of these formulas. The bug may be one of theirs, or one in what every layer does around them.
    pub(crate) fn build(self, bug: &'static str) -> Build {
        Box::new(move |spec, rng| {
            let spec = (self.built)(bug, spec);
            // The real layer validates the specification and makes parameters and buffers.
            let real = spec.build(rng)?;
            let (state, before) = (real.state().clone(), real.buffers().clone());
            let (formulas, steps, cache) = (self, 0, None);
            Ok(Box::new(Faulty { spec, bug, before, steps, state, formulas, cache }))
        })
    }
}

/// A layer with a bug, or with none.
#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) spec: Spec,
    pub(crate) bug: &'static str,
    /// The buffers before the last forward pass.
    pub(crate) before: Parameters<f64>,
    /// Forward passes so far.
    pub(crate) steps: u64,
    state: LayerState<f64>,
    formulas: Formulas,
    /// X and Z of the last forward pass.
    cache: Option<(ArrayD<f64>, ArrayD<f64>)>,
}

impl Layer<f64> for Faulty {
    layers::state_of!(f64);

    fn forward(&mut self, x: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(&x)?;
        let z = (self.formulas.forward)(self, &x);
        let y = self.activation().forward(&z);
        self.before = self.buffers().clone();
        (self.formulas.step)(self, &x);
        self.steps += 1;
        if self.bug != "first-batch-kept" || self.cache.is_none() {
            self.cache = Some((x, z));
        }
        Ok(y)
    }

    fn backward(&mut self, dl_dy: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        let Some((x, z)) = &self.cache else {
            if self.bug == "backward-first" {
                return Ok(ArrayD::zeros([&dl_dy.shape()[..1], self.input_shape()].concat()));
            }
            return Err(LayerError::BackwardBeforeForward { layer: self.kind() });
        };
        self.state.check_gradient(z.shape(), &dl_dy)?;
        let (activation, raw) = (self.activation(), dl_dy.clone());
        let dl_dz = match self.bug {
            "activation-forgotten" => dl_dy,
            "derivative-at-output" => activation.backward(&activation.forward(z), &dl_dy)?,
            _ => activation.backward(z, &dl_dy)?,
        };
        let (dl_dx, mut gradients) = (self.formulas.backward)(self, x, &dl_dz);
        let without_activation = match self.bug {
            "weight-gradient-without-activation" => "W",
            "bias-gradient-without-activation" => "b",
            _ => "",
        };
        if !without_activation.is_empty() {
            let wrong = (self.formulas.backward)(self, x, &raw).1.into_iter();
            let wrong = wrong.filter(|(name, _)| *name == without_activation);
            gradients.retain(|(name, _)| *name != without_activation);
            gradients.extend(wrong);
            gradients.sort_by_key(|(name, _)| *name);
        }
        gradients.retain(|(name, _)| self.parameters().get(name).is_some());
        match self.bug {
            "gradients-accumulate" => {
                gradients.iter_mut().for_each(|(name, new)| *new += &self.gradients()[name]);
            }
            "gradients-left-without-bias" if self.parameters().get("b").is_some() => {}
            "gradients-left" | "gradients-left-without-bias" => return Ok(dl_dx),
            "cache-overwritten" => self.cache = Some((x.clone(), dl_dz)),
            _ => {}
        }
        self.state.set_gradients(Parameters::new(gradients))?;
        Ok(dl_dx)
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(x)?;
        let z = (self.formulas.predict)(self, x);
        let linear = self.bug == "predict-linear";
        Ok(if linear { Activation::Linear } else { self.activation() }.forward(&z))
    }
}
