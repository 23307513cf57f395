//! The workspace's own implementation as a program that speaks the protocol, right or with a deliberate bug: the
//! reference of the protocol, and what the verification of programs is tested with.

use std::sync::Arc;

use activations::{Activation, ActivationError};
use einsum::EinsumError;
use layers::Layer;
use losses::{Loss, LossError};
use ndarray::{Array1, Array2, ArrayD};
use network::{NetworkError, NeuralNetwork};
use numerics::Rng;
use serde_json::Value;
use served::{Implementation, Ours};
use subject::Answer;

use crate::activation::ActivationSubject;
use crate::layer::Spec;
use crate::loss::LossSubject;
use crate::oracle::listed::Listed;
use crate::rooms::einsum::Exercises;
use crate::rooms::network::Passes;
use crate::{HarnessError, Result, activation, loss, rooms};

/// Answers requests on standard input, with a bug named by its room and its id, such as `ReLU.relu-sign`.
pub(crate) fn serve(bug: Option<&str>) -> Result<()> {
    let served = match bug.map(known).transpose()? {
        None => served::serve(&Ours),
        Some((room, bug)) => served::serve(&Faulty { room, bug }),
    };
    served.map_err(|error| HarnessError::Stopped(format!("the protocol was broken: {error}")))
}

/// The room and the id of a bug.
///
/// # Errors
/// [`HarnessError::Usage`] if there is none of this name.
pub(crate) fn known(name: &str) -> Result<(&'static str, &'static str)> {
    let all = rooms::all();
    let mut bugs = all.iter().flat_map(|room| room.bugs.iter().map(|bug| (room.name, bug.id)));
    bugs.find(|(room, id)| format!("{room}.{id}") == name).ok_or_else(|| {
        HarnessError::Usage(format!(
            "no deliberate bug is called {name:?}; cargo xtask test --list controls lists them"
        ))
    })
}

/// Our implementation with this bug of this room.
struct Faulty {
    room: &'static str,
    bug: &'static str,
}

impl Faulty {
    fn activation(&self, activation: Activation) -> Arc<ActivationSubject<f64>> {
        let rooms = rooms::activations().into_iter();
        let mut rooms = rooms.filter(|room| room.activation == activation);
        match rooms.find(|room| room.name == self.room) {
            Some(room) => room.with_bug(self.bug),
            None => activation::real(activation),
        }
    }

    fn loss(&self, loss: Loss) -> Arc<LossSubject<f64>> {
        let mut rooms = rooms::losses().into_iter().filter(|room| room.loss == loss);
        match rooms.find(|room| room.name == self.room) {
            Some(room) => room.with_bug(self.bug),
            None => loss::real(loss),
        }
    }

    fn passes(&self) -> Passes {
        if self.room == "NeuralNetwork" { Passes::Faulty(self.bug) } else { Passes::Ours }
    }

    fn exercises(&self) -> Exercises {
        if self.room == "Einsum" { Exercises::with_bug(self.bug) } else { Exercises::Ours }
    }
}

impl Implementation for Faulty {
    fn activation_forward(&self, activation: Activation, z: &ArrayD<f64>) -> ArrayD<f64> {
        (self.activation(activation).forward)(z)
    }

    fn activation_backward(
        &self,
        activation: Activation,
        z: &ArrayD<f64>,
        dl_dy: &ArrayD<f64>,
    ) -> Result<ArrayD<f64>, ActivationError> {
        (self.activation(activation).backward)(z, dl_dy)
    }

    fn loss_forward(
        &self,
        loss: Loss,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<f64, LossError> {
        (self.loss(loss).forward)(target, output)
    }

    fn loss_backward(
        &self,
        loss: Loss,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        (self.loss(loss).backward)(target, output)
    }

    fn layer(
        &self,
        class: &str,
        config: &Value,
        input_shape: &[usize],
    ) -> Result<Box<dyn Layer<f64>>, Answer> {
        let mut rooms = rooms::layers().into_iter();
        let Some(room) = rooms.find(|room| room.name == class && class == self.room) else {
            return Ours.layer(class, config, input_shape);
        };
        let refused = |error: HarnessError| Answer::Error(error.to_string());
        let listed = Listed::of_request(config).map_err(refused)?;
        let config = (room.declared)(&listed).map_err(refused)?;
        let spec = Spec { room, config, input_shape: input_shape.to_vec() };
        let built = (room.faulty)(self.bug)(&spec, &mut Rng::new(0));
        built.map_err(|error| refused(error.into()))
    }

    fn network_forward(
        &self,
        network: &mut NeuralNetwork<f64>,
        x: ArrayD<f64>,
    ) -> Result<Array2<f64>, NetworkError> {
        self.passes().forward(network, x)
    }

    fn network_backward(
        &self,
        network: &mut NeuralNetwork<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
    ) -> Result<f64, NetworkError> {
        self.passes().backward(network, target, out)
    }

    fn network_predict(
        &self,
        network: &NeuralNetwork<f64>,
        x: &ArrayD<f64>,
    ) -> Result<Array2<f64>, NetworkError> {
        self.passes().predict(network, x)
    }

    fn trace(&self, a: &Array2<f64>) -> Result<f64, EinsumError> {
        self.exercises().trace(a)
    }

    fn matrix_vector(&self, a: &Array2<f64>, b: &Array1<f64>) -> Result<Array1<f64>, EinsumError> {
        self.exercises().matrix_vector(a, b)
    }

    fn outer_product(&self, a: &Array1<f64>, b: &Array1<f64>) -> Result<Array2<f64>, EinsumError> {
        self.exercises().outer_product(a, b)
    }
}
