//! Whole networks of a program.

use std::sync::Arc;

use activations::Activation;
use losses::Loss;
use ndarray::{Array2, ArrayD, Ix2, s};
use network::{NetworkError, NeuralNetwork};
use serde_json::json;
use subject::{Message, SubjectError};

use super::layer::{fitted_or_nan, handle};
use super::program::{Program, Shared, array, ask, sent, stop};
use crate::layer::Spec;
use crate::rooms;

/// A network that a program has built. Its parameters are those of a network of ours, which are sent with each
/// pass.
pub(crate) struct ProgramNetwork {
    process: Shared,
    handle: u64,
    /// What the program adds to a probability in the logarithm.
    epsilon: f64,
}

impl ProgramNetwork {
    pub(crate) fn build(program: &Arc<Program>, layers: &[Spec], loss: Loss) -> Self {
        let (process, handle) = (program.process(), handle());
        let declared = layers
            .iter()
            .map(|spec| json!({ "class": spec.room.name, "config": spec.config.fields() }));
        let class = rooms::losses().into_iter().find(|room| room.loss == loss);
        let request = json!({
            "op": "network.build",
            "layer": handle,
            "layers": declared.collect::<Vec<_>>(),
            "loss": class.map(|room| room.name),
            "input_shape": layers.first().map(|spec| &*spec.input_shape),
        });
        ask(&process, Message::new(request));
        let logarithm = loss == Loss::CrossEntropy;
        let epsilon = program.conventions().epsilon.filter(|_| logarithm).unwrap_or_default();
        Self { process, handle, epsilon }
    }

    /// A request of an operation on the network, with its parameters.
    fn request(&self, op: &str, network: &NeuralNetwork<f64>) -> Message {
        let request = Message::new(json!({ "op": op, "layer": self.handle }));
        network
            .parameters()
            .fold(request, |request, (name, value)| request.with(&name, value.clone()))
    }

    pub(crate) fn forward(&self, network: &NeuralNetwork<f64>, x: &ArrayD<f64>) -> Array2<f64> {
        let mut reply =
            ask(&self.process, self.request("network.forward", network).with("X", sent(x)));
        output(array(&mut reply, "Y_hat", None))
    }

    /// The loss; the gradients of the network become those of the program.
    pub(crate) fn backward(
        &self,
        network: &mut NeuralNetwork<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
    ) -> Result<f64, NetworkError> {
        let mut reply = self.ask_backward(target, out);
        for (index, layer) in network.layers_mut().iter_mut().enumerate() {
            let gradients = layer.parameters().iter().map(|(name, parameter)| {
                let own = format!("{index}.{name}");
                (name, fitted_or_nan(&self.process, reply.take(&own), &own, parameter))
            });
            let gradients = layers::Parameters::new(gradients.collect::<Vec<_>>());
            let set = layer.state_mut().set_gradients(gradients);
            set.map_err(|cause| NetworkError::Layer { index, cause })?;
        }
        Ok(self.loss(network, target, out, &mut reply, "backward"))
    }

    fn ask_backward(&self, target: &Array2<f64>, out: &Array2<f64>) -> Message {
        let request = Message::new(json!({ "op": "network.backward", "layer": self.handle }))
            .with("Y", target.clone().into_dyn())
            .with("Y_hat", out.clone().into_dyn());
        ask(&self.process, request)
    }

    /// Asks for the prediction of a labelled mini-batch, which has to be this output, or its softmax if the loss is
    /// the fused one, and the loss of this output.
    pub(crate) fn predict_labelled(
        &self,
        network: &NeuralNetwork<f64>,
        x: &ArrayD<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
    ) {
        let request = self.request("network.predict", network).with("X", sent(x));
        let mut reply = ask(&self.process, request.with("Y", target.clone().into_dyn()));
        let predicted = output(array(&mut reply, "Y_hat", Some(out.shape())));
        let (expected, of) = match network.loss() {
            Loss::SoftmaxCrossEntropy => (&Activation::SoftMax.forward(out), "the softmax of "),
            _ => (out, ""),
        };
        let off = &predicted - expected;
        // NaN is not close.
        if !off.iter().all(|d| d.abs() <= CLOSE) {
            let off = off.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
            stop(SubjectError::Refused(format!(
                "the output of predict is off {of}that of forward by {off:.1e}"
            )));
        }
        self.loss(network, target, out, &mut reply, "predict");
        // The loss of another target, and no longer that of the last.
        let other = target.slice(s![..;-1, ..;-1]).to_owned();
        let mut reply = self.ask_backward(&other, out);
        self.loss(network, &other, out, &mut reply, "backward");
    }

    pub(crate) fn predict(&self, network: &NeuralNetwork<f64>, x: &ArrayD<f64>) -> Array2<f64> {
        let classes = network.layers().last().map_or(0, |layer| layer.n_out());
        // Any target will do: only the output is looked at.
        let mut target = Array2::zeros((x.shape()[0], classes));
        target.column_mut(0).fill(1.0);
        let request = self.request("network.predict", network).with("X", sent(x));
        let mut reply = ask(&self.process, request.with("Y", target.into_dyn()));
        output(array(&mut reply, "Y_hat", None))
    }

    /// The protocol has no optimiser.
    pub(crate) fn update(&self) -> ! {
        stop(SubjectError::Unsupported("the protocol has no optimiser".to_owned()))
    }

    /// The loss of a reply, which has to be that of this target and output.
    fn loss(
        &self,
        network: &NeuralNetwork<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
        reply: &mut Message,
        pass: &str,
    ) -> f64 {
        let got = array::<f64>(reply, "L", Some(&[])).sum();
        let loss = |out: &Array2<f64>| {
            network.loss().forward(target.view(), out.view()).unwrap_or(f64::NAN)
        };
        // NaN is not close.
        let close = |expected: f64| (got - expected).abs() <= CLOSE * expected.abs().max(1.0);
        let expected = loss(out);
        if close(expected) || close(loss(&(out + self.epsilon))) {
            return got;
        }
        stop(SubjectError::Refused(format!(
            "{pass} gives the loss {got}, but the loss of this target and output is {expected}"
        )))
    }
}

/// What two ways to the same number may differ by.
const CLOSE: f64 = 1e-4;

fn output(y: ArrayD<f64>) -> Array2<f64> {
    let shape = y.shape().to_vec();
    y.into_dimensionality::<Ix2>().unwrap_or_else(|_| {
        stop(SubjectError::Refused(format!("Y_hat has shape {shape:?} instead of (m, k)")))
    })
}
