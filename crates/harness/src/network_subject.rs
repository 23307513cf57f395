//! What is checked of a network: the way it goes through its layers.

use ffnn::{FfnnError, NeuralNetwork};
use ndarray::{Array2, ArrayD};
use optim::Sgd;

/// The passes of a network under test, through layers that are right.
pub trait NetworkSubject: Send + Sync {
    /// What comes out of the last layer; writes the caches.
    ///
    /// # Errors
    /// As [`NeuralNetwork::forward`].
    fn forward(
        &self,
        network: &mut NeuralNetwork<f64>,
        x: ArrayD<f64>,
    ) -> Result<Array2<f64>, FfnnError> {
        network.forward(x)
    }

    /// The loss of what forward gave; fills the gradients of every layer.
    ///
    /// # Errors
    /// As [`NeuralNetwork::backward`].
    fn backward(
        &self,
        network: &mut NeuralNetwork<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
    ) -> Result<f64, FfnnError> {
        network.backward(target.view(), out.view())
    }

    /// One step of the optimiser for every parameter.
    ///
    /// # Errors
    /// As [`NeuralNetwork::update`].
    fn update(
        &self,
        network: &mut NeuralNetwork<f64>,
        optimiser: &mut Sgd<f64>,
        lr: f64,
    ) -> Result<(), FfnnError> {
        network.update(optimiser, lr)
    }

    /// The prediction: probabilities, if the loss is a cross-entropy.
    ///
    /// # Errors
    /// As [`NeuralNetwork::predict`].
    fn predict(
        &self,
        network: &NeuralNetwork<f64>,
        x: &ArrayD<f64>,
    ) -> Result<Array2<f64>, FfnnError> {
        network.predict(x)
    }
}

/// The passes that users run.
#[derive(Clone, Copy, Debug)]
pub struct RealNetwork;

impl NetworkSubject for RealNetwork {}
