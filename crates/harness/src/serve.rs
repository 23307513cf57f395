//! The workspace's own implementation as a program that speaks the protocol, right or with a deliberate bug: the
//! reference of the protocol, and what the verification of programs is tested with.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use layers::{Layer, Parameters};
use losses::Loss;
use ndarray::{Array1, Array2, ArrayD, Dimension, arr0};
use network::NeuralNetwork;
use numerics::Rng;
use serde_json::{Value, json};
use subject::{Answer, Message};

use crate::foreign::EXERCISES;
use crate::layer::Spec;
use crate::loss::LossSubject;
use crate::oracle::listed::Listed;
use crate::rooms::einsum::Exercises;
use crate::rooms::network::Passes;
use crate::{HarnessError, Result, activation, loss, rooms};

/// Answers requests on standard input, with a bug named by its room and its id, such as `ReLU.relu-sign`.
pub(crate) fn serve(bug: Option<&str>) -> Result<()> {
    let bug = bug.map(known).transpose()?;
    let mut served = Served { bug, layers: HashMap::new(), networks: HashMap::new() };
    subject::serve(|request| served.answer(request).map_or_else(|reason| reason, Answer::Results))
        .map_err(|error| HarnessError::Stopped(format!("the protocol was broken: {error}")))
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

struct Served {
    /// The room of the bug, and its id.
    bug: Option<(&'static str, &'static str)>,
    layers: HashMap<u64, Box<dyn Layer<f64>>>,
    networks: HashMap<u64, NeuralNetwork<f64>>,
}

/// Why there is no result.
type Refusal = Answer;

fn refused(error: impl Display) -> Refusal {
    Answer::Error(error.to_string())
}

/// An array of the request.
fn take(request: &mut Message, name: &str) -> Result<ArrayD<f64>, Refusal> {
    let array = request.take(name).map(subject::Array::into_double);
    array.ok_or_else(|| refused(format!("the request has no array {name}")))
}

/// An array of the request with so many axes.
fn of_rank<D: Dimension>(
    request: &mut Message,
    name: &str,
) -> Result<ndarray::Array<f64, D>, Refusal> {
    take(request, name)?.into_dimensionality().map_err(|error| refused(format!("{name}: {error}")))
}

fn result(name: &str, array: ArrayD<f64>) -> Message {
    Message::default().with(name, array)
}

fn named(message: Message, parameters: &Parameters<f64>) -> Message {
    parameters.iter().fold(message, |message, (name, array)| message.with(name, array.clone()))
}

impl Served {
    /// The bug of this room, if it is the one that is served.
    fn bug_of(&self, room: &str) -> Option<&'static str> {
        self.bug.filter(|(own, _)| *own == room).map(|(_, id)| id)
    }

    fn answer(&mut self, mut request: Message) -> Result<Message, Refusal> {
        let (op, class) = (request.text("op").to_owned(), request.text("class").to_owned());
        let unknown = |what: &str| Answer::Unsupported(format!("there is no {what} {class:?}"));
        let handle = request.fields.get("layer").and_then(Value::as_u64).unwrap_or_default();
        match op.split_once('.').unwrap_or((&op, "")) {
            ("describe", _) => Ok(Message::new(description())),
            ("activation", pass) => {
                let room = rooms::activations().into_iter().find(|room| room.name == class);
                let room = room.ok_or_else(|| unknown("activation"))?;
                let subject = match self.bug_of(room.name) {
                    Some(bug) => room.with_bug(bug),
                    None => activation::real(room.activation),
                };
                let z = take(&mut request, "Z")?;
                if pass == "forward" {
                    return Ok(result("Y", (subject.forward)(&z)));
                }
                let dl_dy = take(&mut request, "dY")?;
                Ok(result("dZ", (subject.backward)(&z, &dl_dy).map_err(refused)?))
            }
            ("loss", pass) => {
                let room = rooms::losses().into_iter().find(|room| room.name == class);
                let room = room.ok_or_else(|| unknown("loss"))?;
                let subject: Arc<LossSubject<f64>> = match self.bug_of(room.name) {
                    Some(bug) => room.with_bug(bug),
                    None => loss::real(room.loss),
                };
                let (target, output): (Array2<f64>, Array2<f64>) =
                    (of_rank(&mut request, "Y")?, of_rank(&mut request, "Y_hat")?);
                if pass == "forward" {
                    let loss = (subject.forward)(&target, &output).map_err(refused)?;
                    return Ok(result("L", arr0(loss).into_dyn()));
                }
                let gradient = (subject.backward)(&target, &output).map_err(refused)?;
                Ok(result("dY_hat", gradient.into_dyn()))
            }
            ("layer", "build") => {
                let config = request.fields.get("config").cloned().unwrap_or_default();
                let layer = self.built(&class, &config, &shape(&request))?;
                let reply = named(Message::default(), layer.parameters());
                self.layers.insert(handle, layer);
                Ok(reply)
            }
            ("layer", pass) => {
                let layer = self.layers.get_mut(&handle).ok_or_else(|| unknown("layer"))?;
                let names: Vec<_> = layer.parameters().names().collect();
                for name in names {
                    if let Some(value) = request.take(name) {
                        layer.set_parameter(name, &value.into_double()).map_err(refused)?;
                    }
                }
                match pass {
                    "forward" => {
                        let y = layer.forward(take(&mut request, "X")?).map_err(refused)?;
                        Ok(result("Y", y))
                    }
                    "predict" => {
                        let y = layer.predict(&take(&mut request, "X")?).map_err(refused)?;
                        Ok(result("Y", y))
                    }
                    _ => {
                        let dl_dx = layer.backward(take(&mut request, "dY")?).map_err(refused)?;
                        Ok(named(result("dX", dl_dx), layer.gradients()))
                    }
                }
            }
            ("network", "build") => {
                let (loss, mut shape) = (request.text("loss").to_owned(), shape(&request));
                let room = rooms::losses().into_iter().find(|room| room.name == loss);
                let loss: Loss = room.ok_or_else(|| unknown("loss"))?.loss;
                let declared = request.fields.get("layers").and_then(Value::as_array).cloned();
                let mut layers = Vec::new();
                for declared in declared.unwrap_or_default() {
                    let class = declared["class"].as_str().unwrap_or_default();
                    let layer = self.built(class, &declared["config"], &shape)?;
                    shape = layer.output_shape().to_vec();
                    layers.push(layer);
                }
                let network = NeuralNetwork::new(layers, loss).map_err(refused)?;
                let parameters = network.parameters();
                let reply =
                    parameters.fold(Message::default(), |m, (name, p)| m.with(&name, p.clone()));
                self.networks.insert(handle, network);
                Ok(reply)
            }
            ("network", pass) => {
                let passes = self.bug_of("NeuralNetwork").map_or(Passes::Ours, Passes::Faulty);
                let network = self.networks.get_mut(&handle).ok_or_else(|| unknown("network"))?;
                for (index, layer) in network.layers_mut().iter_mut().enumerate() {
                    for (name, own) in layer.parameters_and_gradients().0.iter_mut() {
                        if let Some(value) = request.take(&format!("{index}.{name}")) {
                            own.assign(&value.into_double());
                        }
                    }
                }
                match pass {
                    "forward" => {
                        let out =
                            passes.forward(network, take(&mut request, "X")?).map_err(refused)?;
                        Ok(result("Y_hat", out.into_dyn()))
                    }
                    "predict" => {
                        let x = take(&mut request, "X")?;
                        let target: Array2<f64> = of_rank(&mut request, "Y")?;
                        let out = network.infer(&x).map_err(refused)?;
                        let loss = network.loss().forward(target.view(), out.view());
                        let loss = arr0(loss.map_err(refused)?).into_dyn();
                        let predicted = passes.predict(network, &x).map_err(refused)?;
                        Ok(result("Y_hat", predicted.into_dyn()).with("L", loss))
                    }
                    _ => {
                        let target = of_rank(&mut request, "Y")?;
                        let out = of_rank(&mut request, "Y_hat")?;
                        let loss = passes.backward(network, &target, &out).map_err(refused)?;
                        let layers = network.layers().iter().enumerate();
                        Ok(layers.fold(
                            result("L", arr0(loss).into_dyn()),
                            |reply, (index, layer)| {
                                layer.gradients().iter().fold(reply, |reply, (name, gradient)| {
                                    reply.with(&format!("{index}.{name}"), gradient.clone())
                                })
                            },
                        ))
                    }
                }
            }
            ("einsum", _) => {
                let own = self.bug_of("Einsum").map_or(Exercises::Ours, Exercises::with_bug);
                let result_of = match request.text("exercise") {
                    "trace" => {
                        own.trace(&of_rank(&mut request, "A")?).map(|sum| arr0(sum).into_dyn())
                    }
                    "matrix_vector" => {
                        let (a, b) = (of_rank(&mut request, "A")?, of_rank(&mut request, "B")?);
                        own.matrix_vector(&a, &b).map(Array1::into_dyn)
                    }
                    _ => {
                        let (a, b) = (of_rank(&mut request, "A")?, of_rank(&mut request, "B")?);
                        own.outer_product(&a, &b).map(Array2::into_dyn)
                    }
                };
                Ok(result("R", result_of.map_err(refused)?))
            }
            _ => Err(refused(format!("there is no operation {op:?}"))),
        }
    }

    /// The layer that a request declares.
    fn built(
        &self,
        class: &str,
        config: &Value,
        input_shape: &[usize],
    ) -> Result<Box<dyn Layer<f64>>, Refusal> {
        let room = rooms::layers().into_iter().find(|room| room.name == class);
        let room =
            room.ok_or_else(|| Answer::Unsupported(format!("there is no layer {class:?}")))?;
        let listed = Listed::of_request(config).map_err(refused)?;
        let spec: Spec = Spec {
            room,
            config: (room.declared)(&listed).map_err(refused)?,
            input_shape: input_shape.to_vec(),
        };
        let rng = &mut Rng::new(0);
        let built = match self.bug_of(class) {
            Some(bug) => (room.faulty)(bug)(&spec, rng),
            None => spec.build(rng),
        };
        built.map_err(refused)
    }
}

/// The shape of an example.
fn shape(request: &Message) -> Vec<usize> {
    let axes = request.fields.get("input_shape").and_then(Value::as_array).into_iter().flatten();
    axes.filter_map(Value::as_u64).map(|axis| axis as usize).collect()
}

fn description() -> Value {
    json!({
        "protocol": subject::VERSION,
        "name": "the workspace's own implementation",
        "activations": rooms::activations().map(|room| room.name),
        "losses": rooms::losses().map(|room| room.name),
        // Those without buffers: the protocol has none.
        "layers": ["FullyConnected", "Flatten", "Conv2D", "Pool2D", "GlobalAveragePool2D"],
        "network": true,
        "einsum": EXERCISES,
        "dtypes": ["f8"],
    })
}
