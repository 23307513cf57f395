//! What computes the answers.

use activations::{Activation, ActivationError};
use einsum::{EinsumError, by_einsum};
use layers::Layer;
use losses::{Loss, LossError};
use ndarray::{Array1, Array2, ArrayD};
use network::{NetworkError, NeuralNetwork};
use numerics::Rng;
use serde_json::Value;
use subject::Answer;

use crate::declared::layer_declared;
use crate::requests::refused;

/// The functions that requests are answered by: those of this workspace, unless a method is replaced.
#[expect(missing_docs, reason = "each is the function of its name")]
#[expect(clippy::missing_errors_doc, reason = "each fails as the function of its name")]
pub trait Implementation {
    fn activation_forward(&self, activation: Activation, z: &ArrayD<f64>) -> ArrayD<f64> {
        activation.forward(z)
    }

    fn activation_backward(
        &self,
        activation: Activation,
        z: &ArrayD<f64>,
        dl_dy: &ArrayD<f64>,
    ) -> Result<ArrayD<f64>, ActivationError> {
        activation.backward(z, dl_dy)
    }

    fn loss_forward(
        &self,
        loss: Loss,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<f64, LossError> {
        loss.forward(target.view(), output.view())
    }

    fn loss_backward(
        &self,
        loss: Loss,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        loss.backward(target.view(), output.view())
    }

    /// The layer of a class, as the `config` of the protocol declares it, for examples of this shape.
    fn layer(
        &self,
        class: &str,
        config: &Value,
        input_shape: &[usize],
    ) -> Result<Box<dyn Layer<f64>>, Answer> {
        layer_declared(class, config)?.build_boxed(input_shape, &mut Rng::new(0)).map_err(refused)
    }

    fn network_forward(
        &self,
        network: &mut NeuralNetwork<f64>,
        x: ArrayD<f64>,
    ) -> Result<Array2<f64>, NetworkError> {
        network.forward(x)
    }

    fn network_backward(
        &self,
        network: &mut NeuralNetwork<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
    ) -> Result<f64, NetworkError> {
        network.backward(target.view(), out.view())
    }

    fn network_predict(
        &self,
        network: &NeuralNetwork<f64>,
        x: &ArrayD<f64>,
    ) -> Result<Array2<f64>, NetworkError> {
        network.predict(x)
    }

    fn trace(&self, a: &Array2<f64>) -> Result<f64, EinsumError> {
        by_einsum::trace(a.view())
    }

    fn matrix_vector(&self, a: &Array2<f64>, b: &Array1<f64>) -> Result<Array1<f64>, EinsumError> {
        by_einsum::matrix_vector(a.view(), b.view())
    }

    fn outer_product(&self, a: &Array1<f64>, b: &Array1<f64>) -> Result<Array2<f64>, EinsumError> {
        by_einsum::outer_product(a.view(), b.view())
    }
}

/// The functions of this workspace.
#[derive(Clone, Copy, Debug)]
pub struct Ours;

impl Implementation for Ours {}
