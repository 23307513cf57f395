//! Requests, and what answers each.

use std::collections::HashMap;
use std::fmt::Display;

use layers::{Layer, Parameters};
use ndarray::{Array, Array1, Array2, ArrayD, Dimension, arr0};
use network::NeuralNetwork;
use serde_json::Value;
use subject::{Answer, Message};

use crate::Implementation;
use crate::declared::{activation_named, description, loss_named, unsupported};

/// The layers and networks that requests have built, by their handles.
pub(crate) struct Requests<'a> {
    implementation: &'a dyn Implementation,
    layers: HashMap<u64, Box<dyn Layer<f64>>>,
    networks: HashMap<u64, NeuralNetwork<f64>>,
}

/// An answer with the reason why there is no result.
pub(crate) fn refused(error: impl Display) -> Answer {
    Answer::Error(error.to_string())
}

/// An array of the request.
fn take(request: &mut Message, name: &str) -> Result<ArrayD<f64>, Answer> {
    let array = request.take(name).map(subject::Array::into_double);
    array.ok_or_else(|| refused(format!("the request has no array {name}")))
}

/// An array of the request with so many axes.
fn of_rank<D: Dimension>(request: &mut Message, name: &str) -> Result<Array<f64, D>, Answer> {
    take(request, name)?.into_dimensionality().map_err(|error| refused(format!("{name}: {error}")))
}

/// The shape of an example.
fn input_shape(request: &Message) -> Vec<usize> {
    let axes = request.fields.get("input_shape").and_then(Value::as_array).into_iter().flatten();
    axes.filter_map(Value::as_u64).map(|axis| axis as usize).collect()
}

fn result(name: &str, array: ArrayD<f64>) -> Message {
    Message::default().with(name, array)
}

fn named(message: Message, parameters: &Parameters<f64>) -> Message {
    parameters.iter().fold(message, |message, (name, array)| message.with(name, array.clone()))
}

impl<'a> Requests<'a> {
    pub(crate) fn new(implementation: &'a dyn Implementation) -> Self {
        Self { implementation, layers: HashMap::new(), networks: HashMap::new() }
    }

    pub(crate) fn answer(&mut self, mut request: Message) -> Result<Message, Answer> {
        let (op, class) = (request.text("op").to_owned(), request.text("class").to_owned());
        let handle = request.fields.get("layer").and_then(Value::as_u64).unwrap_or_default();
        let own = self.implementation;
        match op.split_once('.').unwrap_or((&op, "")) {
            ("describe", _) => Ok(Message::new(description())),
            ("activation", pass) => {
                let activation = activation_named(&class)?;
                let z = take(&mut request, "Z")?;
                if pass == "forward" {
                    return Ok(result("Y", own.activation_forward(activation, &z)));
                }
                let dl_dy = take(&mut request, "dY")?;
                let dl_dz = own.activation_backward(activation, &z, &dl_dy);
                Ok(result("dZ", dl_dz.map_err(refused)?))
            }
            ("loss", pass) => {
                let loss = loss_named(&class)?;
                let (target, output): (Array2<f64>, Array2<f64>) =
                    (of_rank(&mut request, "Y")?, of_rank(&mut request, "Y_hat")?);
                if pass == "forward" {
                    let loss = own.loss_forward(loss, &target, &output).map_err(refused)?;
                    return Ok(result("L", arr0(loss).into_dyn()));
                }
                let gradient = own.loss_backward(loss, &target, &output).map_err(refused)?;
                Ok(result("dY_hat", gradient.into_dyn()))
            }
            ("layer", "build") => {
                let config = request.fields.get("config").cloned().unwrap_or_default();
                let layer = own.layer(&class, &config, &input_shape(&request))?;
                let reply = named(Message::default(), layer.parameters());
                self.layers.insert(handle, layer);
                Ok(reply)
            }
            ("layer", pass) => {
                let layer = self.layers.get_mut(&handle);
                let layer = layer.ok_or_else(|| unsupported("layer", &class))?;
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
                let (loss, mut shape) = (loss_named(request.text("loss"))?, input_shape(&request));
                let declared = request.fields.get("layers").and_then(Value::as_array);
                let mut layers = Vec::new();
                for declared in declared.into_iter().flatten() {
                    let class = declared["class"].as_str().unwrap_or_default();
                    let layer = own.layer(class, &declared["config"], &shape)?;
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
                let network = self.networks.get_mut(&handle);
                let network = network.ok_or_else(|| unsupported("network", &class))?;
                for (index, layer) in network.layers_mut().iter_mut().enumerate() {
                    for (name, own) in layer.parameters_and_gradients().0.iter_mut() {
                        if let Some(value) = request.take(&format!("{index}.{name}")) {
                            own.assign(&value.into_double());
                        }
                    }
                }
                match pass {
                    "forward" => {
                        let x = take(&mut request, "X")?;
                        let out = own.network_forward(network, x).map_err(refused)?;
                        Ok(result("Y_hat", out.into_dyn()))
                    }
                    "predict" => {
                        let x = take(&mut request, "X")?;
                        let target: Array2<f64> = of_rank(&mut request, "Y")?;
                        let out = network.infer(&x).map_err(refused)?;
                        let loss = network.loss().forward(target.view(), out.view());
                        let loss = arr0(loss.map_err(refused)?).into_dyn();
                        let predicted = own.network_predict(network, &x).map_err(refused)?;
                        Ok(result("Y_hat", predicted.into_dyn()).with("L", loss))
                    }
                    _ => {
                        let target = of_rank(&mut request, "Y")?;
                        let out = of_rank(&mut request, "Y_hat")?;
                        let loss = own.network_backward(network, &target, &out).map_err(refused)?;
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
}
