//! Whole networks: the gradient of the loss with respect to every parameter of every layer.

use std::sync::Arc;

use activations::Activation;
use cnn::{Pad, PoolMode};
use ffnn::{FfnnError, NeuralNetwork};
use losses::Loss;
use ndarray::{Array2, ArrayD};
use numerics::Rng;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::layer::activation;
use crate::finite_difference::{Evaluation, Noise, Problem};
use crate::pieces::piece;
use crate::{Check, LayerSpec, NetworkSubject};

/// A network and the mini-batch that goes through it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    layers: Vec<LayerSpec>,
    loss: Loss,
    m: usize,
    seed: u64,
}

/// The finite-difference tests of networks, which are made of all layers at once.
pub(super) fn checks(implementation: &Arc<dyn NetworkSubject>) -> Vec<Check> {
    let problem = || {
        let implementation = Arc::clone(implementation);
        move |case: &Case| build(case, &implementation).map_err(|error| error.to_string())
    };
    vec![
        super::check("5", "NeuralNetwork", vec![], fully_connected_case, problem()),
        super::check("6.2", "ConvolutionalNetwork", vec![], convolutional_case, problem()),
    ]
}

fn build(
    case: &Case,
    implementation: &Arc<dyn NetworkSubject>,
) -> Result<Box<dyn Problem>, FfnnError> {
    let first = case.layers.first().ok_or(FfnnError::NoLayers)?;
    let configs: Vec<_> = case.layers.iter().map(LayerSpec::config).collect();
    let mut rng = Rng::new(case.seed);
    let mut network = NeuralNetwork::build(&configs, &first.input_shape(), case.loss, &mut rng)?;
    let x = rng.uniform_array([&[case.m], &*first.input_shape()].concat(), -2.0, 2.0);
    let mut variables = Vec::new();
    for (index, layer) in network.layers_mut().iter_mut().enumerate() {
        for (name, parameter) in layer.parameters_and_gradients().0.iter_mut() {
            *parameter = rng.uniform_array(parameter.raw_dim(), -1.0, 1.0);
            variables.push(Variable { layer: index, name, value: parameter.clone() });
        }
    }
    let output = implementation.forward(&mut network, x.clone())?;
    let target = target(case.loss, output.dim(), &mut rng);
    implementation.backward(&mut network, &target, &output)?;
    let gradient = |v: &Variable| network.layers()[v.layer].gradients()[v.name].clone();
    let gradients = variables.iter().map(gradient).collect();
    let layers = case.layers.clone();
    let implementation = Arc::clone(implementation);
    Ok(Box::new(NetworkProblem {
        implementation,
        layers,
        network,
        x,
        target,
        variables,
        gradients,
    }))
}

fn target(loss: Loss, shape: (usize, usize), rng: &mut Rng) -> Array2<f64> {
    if loss == Loss::L2 {
        return rng.uniform_array(shape, -2.0, 2.0);
    }
    let mut one_hot = Array2::zeros(shape);
    for mut row in one_hot.rows_mut() {
        row[rng.below(shape.1)] = 1.0;
    }
    one_hot
}

struct Variable {
    layer: usize,
    name: &'static str,
    value: ArrayD<f64>,
}

struct NetworkProblem {
    implementation: Arc<dyn NetworkSubject>,
    layers: Vec<LayerSpec>,
    network: NeuralNetwork<f64>,
    x: ArrayD<f64>,
    target: Array2<f64>,
    variables: Vec<Variable>,
    gradients: Vec<ArrayD<f64>>,
}

impl Problem for NetworkProblem {
    fn variables(&self) -> Vec<String> {
        self.variables.iter().map(|v| format!("{}.{}", v.layer, v.name)).collect()
    }

    fn value(&mut self, variable: usize) -> &mut ArrayD<f64> {
        &mut self.variables[variable].value
    }

    fn analytic(&self, variable: usize) -> &ArrayD<f64> {
        &self.gradients[variable]
    }

    fn evaluate(&mut self) -> Evaluation {
        for variable in &self.variables {
            let layer = &mut self.network.layers_mut()[variable.layer];
            layer.set_parameter(variable.name, &variable.value).expect("its own parameter");
        }
        let mut pieces = Vec::new();
        let mut x = self.x.clone();
        for (spec, layer) in self.layers.iter().zip(self.network.layers()) {
            let parameters: Vec<_> = layer.parameters().iter().map(|(_, p)| p.clone()).collect();
            pieces.extend(piece(spec, &x, &parameters));
            x = layer.predict(&x).expect("the same mini-batch went through before");
        }
        let output = self.implementation.forward(&mut self.network, self.x.clone());
        let output = output.expect("as before");
        Evaluation { terms: vec![self.loss_of(&output)], piece: pieces }
    }

    /// A loss of probabilities is the logarithm of a number that may be near 1.
    fn cancelled(&self) -> f64 {
        1.0
    }

    /// Through the real layers, with noise in every output: a saturated layer hides what is before it.
    fn evaluate_with(&mut self, noise: &mut Noise) -> f64 {
        for variable in &self.variables {
            let mut value = variable.value.clone();
            noise.add_to(&mut value);
            let layer = &mut self.network.layers_mut()[variable.layer];
            layer.set_parameter(variable.name, &value).expect("its own parameter");
        }
        let mut x = self.x.clone();
        for layer in self.network.layers() {
            noise.add_to(&mut x);
            x = layer.predict(&x).expect("the same mini-batch went through before");
        }
        noise.add_to(&mut x);
        let loss = self.loss_of(&x.into_dimensionality().expect("as before"));
        loss + noise.of(loss + self.cancelled())
    }
}

impl NetworkProblem {
    fn loss_of(&self, output: &Array2<f64>) -> f64 {
        let loss = self.network.loss().forward(self.target.view(), output.view());
        loss.expect("the loss fits the last layer and its targets")
    }
}

fn loss() -> impl Strategy<Value = Loss> {
    prop::sample::select(Loss::ALL.to_vec())
}

/// The activation that a loss wants of the last layer.
fn last_activation(loss: Loss, drawn: Activation) -> Activation {
    match (loss, drawn) {
        (Loss::CrossEntropy, _) => Activation::SoftMax,
        (Loss::SoftmaxCrossEntropy, Activation::SoftMax) => Activation::Linear,
        _ => drawn,
    }
}

fn fully_connected_case() -> impl Strategy<Value = Case> {
    let hidden = prop::collection::vec((1..=5_usize, activation()), 0..=3);
    let ends = (1..=5_usize, 2..=4_usize, activation());
    (hidden, ends, loss(), 1..=4_usize, 0..1_000_000_u64).prop_map(
        |(mut widths, (mut n_in, n_out, last), loss, m, seed)| {
            widths.push((n_out, last_activation(loss, last)));
            let layers = widths
                .into_iter()
                .map(|(n_out, activation)| {
                    let layer = LayerSpec::FullyConnected { n_in, n_out, activation, bias: true };
                    n_in = n_out;
                    layer
                })
                .collect();
            Case { layers, loss, m, seed }
        },
    )
}

/// Convolution, pooling, flattening, fully-connected.
fn convolutional_case() -> impl Strategy<Value = Case> {
    let image = [3..=6_usize, 3..=6_usize, 1..=2_usize];
    let conv = (1..=3_usize, (1..=3_usize, 1..=3_usize), 1..=2_usize, activation());
    let pool = (prop::bool::ANY, 1..=2_usize, 1..=2_usize);
    (image, conv, pool, loss(), 1..=3_usize, 0..1_000_000_u64).prop_map(
        |(input_shape, (n_out, kernel_shape, stride, activation), (max, k, s), loss, m, seed)| {
            let conv = LayerSpec::Conv2D {
                input_shape,
                n_out,
                kernel_shape,
                stride,
                pad: Pad::Same,
                activation,
                bias: true,
            };
            let size =
                |side: usize, kernel: usize| (side + (kernel - 1) / 2 * 2 - kernel) / stride + 1;
            let (rows, cols) =
                (size(input_shape[0], kernel_shape.0), size(input_shape[1], kernel_shape.1));
            let kernel_shape = (k.min(rows), k.min(cols));
            let pool = LayerSpec::Pool2D {
                input_shape: [rows, cols, n_out],
                mode: if max { PoolMode::Max } else { PoolMode::Average },
                kernel_shape,
                stride: s,
                pad: Pad::Valid,
            };
            let pooled = [(rows - kernel_shape.0) / s + 1, (cols - kernel_shape.1) / s + 1, n_out];
            let last = LayerSpec::FullyConnected {
                n_in: pooled.iter().product(),
                n_out: 3,
                activation: last_activation(loss, Activation::Linear),
                bias: true,
            };
            let layers =
                vec![conv, pool, LayerSpec::Flatten { input_shape: pooled.to_vec() }, last];
            Case { layers, loss, m, seed }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Outcome, RealNetwork, Status};

    fn replay(index: usize, case: &Case) -> Outcome {
        let case = Some(serde_json::to_string(case).unwrap());
        let context = Context { fixtures: "".into(), course_data: None, seed: 0, case };
        checks(&(Arc::new(RealNetwork) as Arc<dyn NetworkSubject>))[index].outcome(&context)
    }

    /// Networks so confident that the probability of the target is 1 up to 1e-12 or 1e-6: the difference
    /// is 0 in the first, and has lost more digits than the loss has in the others.
    #[test]
    fn a_confident_network_is_inconclusive() {
        let conv = |input_shape, n_out, kernel_shape, activation| LayerSpec::Conv2D {
            input_shape,
            n_out,
            kernel_shape,
            stride: 1,
            pad: Pad::Same,
            activation,
            bias: true,
        };
        let pool = |input_shape, mode, k| LayerSpec::Pool2D {
            input_shape,
            mode,
            kernel_shape: (k, k),
            stride: 1,
            pad: Pad::Valid,
        };
        let flat = |shape: [usize; 3]| LayerSpec::Flatten { input_shape: shape.to_vec() };
        let last =
            |n_in, activation| LayerSpec::FullyConnected { n_in, n_out: 3, activation, bias: true };
        let (composed, fused) = (Loss::CrossEntropy, Loss::SoftmaxCrossEntropy);
        let cases = [
            Case {
                layers: vec![
                    conv([6, 6, 2], 2, (2, 2), Activation::Linear),
                    pool([5, 5, 2], PoolMode::Average, 1),
                    flat([5, 5, 2]),
                    last(50, Activation::SoftMax),
                ],
                loss: composed,
                m: 1,
                seed: 685_344,
            },
            Case {
                layers: vec![
                    conv([6, 6, 1], 3, (1, 3), Activation::Sigmoid),
                    pool([6, 6, 3], PoolMode::Average, 1),
                    flat([6, 6, 3]),
                    last(108, Activation::SoftMax),
                ],
                loss: composed,
                m: 1,
                seed: 500_109,
            },
            Case {
                layers: vec![
                    conv([4, 3, 2], 1, (3, 3), Activation::Linear),
                    pool([4, 3, 1], PoolMode::Max, 2),
                    flat([3, 2, 1]),
                    last(6, Activation::Linear),
                ],
                loss: fused,
                m: 2,
                seed: 887_560,
            },
        ];
        for case in cases {
            let outcome = replay(1, &case);
            assert_eq!(outcome.status, Status::Error, "{outcome:?}");
            assert!(
                outcome.detail.starts_with("inconclusive: the error of the difference"),
                "{outcome:?}"
            );
        }
    }
}
