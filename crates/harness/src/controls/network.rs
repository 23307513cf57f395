//! Bugs of a network: every layer is right, and the way through them is wrong.

use std::sync::Arc;

use activations::Activation;
use ffnn::{FfnnError, NeuralNetwork};
use layers::LayerError;
use losses::Loss;
use ndarray::{Array2, ArrayD, Ix2};
use optim::{Sgd, Step};

use super::Control;
use crate::Kind::{Formula, Gradient, Oracle, Property};
use crate::{Kind, NetworkSubject, Subject};

/// A mistake in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NetworkBug {
    None,
    LeavesOutTheLast,
    FrontToBack,
    StopsBeforeTheFirst,
    DividesAgain,
    LossOfTheSum,
    OneVelocity,
    UpdatesTheFirstOnly,
    Ascends,
    PredictsLogits,
    PredictsSoftmaxTwice,
}

impl NetworkSubject for NetworkBug {
    fn forward(
        &self,
        network: &mut NeuralNetwork<f64>,
        x: ArrayD<f64>,
    ) -> Result<Array2<f64>, FfnnError> {
        let mut out = x;
        let last = network.layers().len() - 1;
        for (index, layer) in network.layers_mut().iter_mut().enumerate() {
            let before = out.clone();
            out = layer.forward(out).map_err(at(index))?;
            if *self == Self::LeavesOutTheLast && index == last && before.shape() == out.shape() {
                out = before;
            }
        }
        Ok(matrix(out))
    }

    fn backward(
        &self,
        network: &mut NeuralNetwork<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
    ) -> Result<f64, FfnnError> {
        let loss = network.loss().forward(target.view(), out.view())?;
        let mut dl_dy = network.loss().backward(target.view(), out.view())?.into_dyn();
        let examples = target.nrows() as f64;
        if *self == Self::DividesAgain {
            dl_dy /= examples;
        }
        let mut order: Vec<usize> = (0..network.layers().len()).rev().collect();
        match self {
            Self::FrontToBack => order.reverse(),
            Self::StopsBeforeTheFirst => order.retain(|&index| index > 0),
            _ => {}
        }
        for index in order {
            dl_dy = network.layers_mut()[index].backward(dl_dy).map_err(at(index))?;
        }
        Ok(if *self == Self::LossOfTheSum { loss * examples } else { loss })
    }

    fn update(
        &self,
        network: &mut NeuralNetwork<f64>,
        optimiser: &mut Sgd<f64>,
        lr: f64,
    ) -> Result<(), FfnnError> {
        for (index, layer) in network.layers_mut().iter_mut().enumerate() {
            if *self == Self::UpdatesTheFirstOnly && index > 0 {
                break;
            }
            let decaying = layer.decaying_parameters();
            let (parameters, gradients) = layer.parameters_and_gradients();
            for (name, parameter) in parameters.iter_mut() {
                let step = Step { lr, decays: decaying.contains(&name) };
                let gradient = match self {
                    Self::Ascends => -&gradients[name],
                    _ => gradients[name].clone(),
                };
                // By their shape, so that the bug is no error.
                let known = match self {
                    Self::OneVelocity => format!("{name} {:?}", parameter.shape()),
                    _ => format!("{index}.{name}"),
                };
                optimiser.update(&known, parameter, &gradient, step)?;
            }
        }
        Ok(())
    }

    fn predict(
        &self,
        network: &NeuralNetwork<f64>,
        x: &ArrayD<f64>,
    ) -> Result<Array2<f64>, FfnnError> {
        let out = network.infer(x)?;
        let softmax = |z: &Array2<f64>| Activation::SoftMax.forward(z);
        Ok(match (self, network.loss()) {
            (Self::PredictsLogits, _) => out,
            (Self::PredictsSoftmaxTwice, Loss::SoftmaxCrossEntropy) => softmax(&softmax(&out)),
            (_, Loss::SoftmaxCrossEntropy) => softmax(&out),
            _ => out,
        })
    }
}

fn at(index: usize) -> impl FnOnce(LayerError) -> FfnnError {
    move |cause| FfnnError::Layer { index, cause }
}

fn matrix(out: ArrayD<f64>) -> Array2<f64> {
    out.into_dimensionality::<Ix2>().expect("the last layer gives each example one axis")
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![Subject::Network(Arc::new(NetworkBug::None))]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, bug, expected: &'static [Kind], network: NetworkBug| Control {
        id,
        bug,
        expected,
        subject: Subject::Network(Arc::new(network)),
    };
    vec![
        control(
            "network-last-layer",
            "a last layer that keeps the shape is left out of the forward pass",
            &[Gradient, Formula],
            NetworkBug::LeavesOutTheLast,
        ),
        control(
            "network-front-to-back",
            "the backward pass goes through the layers in the order of the forward pass",
            &[Oracle, Gradient],
            NetworkBug::FrontToBack,
        ),
        control(
            "network-first-layer",
            "the backward pass stops before the first layer, whose gradients stay 0",
            &[Oracle, Gradient],
            NetworkBug::StopsBeforeTheFirst,
        ),
        control(
            "network-mean-twice",
            "the gradient of the loss is divided by m once more",
            &[Oracle, Gradient],
            NetworkBug::DividesAgain,
        ),
        control(
            "network-loss-of-sum",
            "the loss that is reported is the sum over the examples; the gradients are right",
            &[Oracle],
            NetworkBug::LossOfTheSum,
        ),
        control(
            "network-one-velocity",
            "parameters of one name and shape in different layers share a velocity",
            &[Property],
            NetworkBug::OneVelocity,
        ),
        control(
            "network-first-layer-only",
            "only the first layer is updated",
            &[Oracle, Property],
            NetworkBug::UpdatesTheFirstOnly,
        ),
        control(
            "network-ascends",
            "the parameters move along the gradient, not against it",
            &[Oracle, Property],
            NetworkBug::Ascends,
        ),
        control(
            "network-predicts-logits",
            "the prediction of a network whose loss has the softmax is logits",
            &[Formula],
            NetworkBug::PredictsLogits,
        ),
        control(
            "network-softmax-twice",
            "the prediction goes through the softmax twice; the class stays the same",
            &[Formula],
            NetworkBug::PredictsSoftmaxTwice,
        ),
    ]
}
