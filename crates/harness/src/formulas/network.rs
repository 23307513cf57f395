//! Networks of fully-connected layers: section 2.3 of the assignment and question 5.

use std::sync::Arc;

use activations::Activation;
use ffnn::NeuralNetwork;
use layers::{FullyConnectedConfig, Layer, LayerConfig};
use losses::Loss;
use ndarray::{Array2, ArrayD, IxDyn};
use optim::{SgdConfig, Step};

use super::formula;
use crate::cases::{Case, Failure};
use crate::{Check, NetworkSubject};

/// With `u = 2⁻⁵³`: 4 products and a bias of magnitude 1 are off by `5 · 5 u = 2.8e-15`; tanh does not
/// enlarge that. The next layer adds as much to the error of its 4 inputs, the third again: 5.9e-14,
/// and twice that between two implementations.
const THREE_LAYERS: f64 = 2e-13;

/// 4 inputs and a bias as above, 2.8e-15; 7 hidden units and a bias `7 · 2.8e-15 + 8 · 8 u = 2.7e-14`,
/// twice that between two implementations; softmax does not enlarge it and adds 1e-14 of its own.
const TWO_LAYERS_AND_SOFTMAX: f64 = 1e-13;

/// A product, a sum and a difference of magnitude below 4.
const ONE_STEP: f64 = 2e-15;

pub(super) fn checks(implementation: &Arc<dyn NetworkSubject>) -> Vec<Check> {
    let (first, second) = (Arc::clone(implementation), Arc::clone(implementation));
    vec![
        formula("5", "layer", THREE_LAYERS, move |case| layer(first.as_ref(), case)),
        formula("5", "iris-network", TWO_LAYERS_AND_SOFTMAX, move |case| {
            iris_network(second.as_ref(), case)
        }),
    ]
}

pub(super) fn gradient_descent_check() -> Check {
    formula("5", "gradient-descent", ONE_STEP, gradient_descent)
}

/// `h[l] = σ[l](h[l-1] W[l] + b[l])`, from `h[0] = x` on, for σ = tanh.
fn layer(implementation: &dyn NetworkSubject, case: &mut Case) -> Result<(), Failure> {
    let depth = case.between(1, 3);
    let units = case.shape(depth + 1, 4);
    case.describe(format!("units {units:?}"));
    let mut network = network(case, &units, Activation::TanH, Loss::L2)?;
    let m = case.between(1, 4);
    let x = case.array(&[m, units[0]]);
    let mut h = x.clone().into_dimensionality()?;
    for (w, b) in parameters(&network) {
        h = affine(&h, &w, &b).mapv(f64::tanh);
    }
    case.compare("the last h", &implementation.forward(&mut network, x)?, &h)
}

/// `P = softmax(σ(X W[1] + b[1]) W[2] + b[2])`, for σ = tanh.
fn iris_network(implementation: &dyn NetworkSubject, case: &mut Case) -> Result<(), Failure> {
    let units = [4, case.between(1, 7), 3];
    case.describe(format!("units {units:?}"));
    let network = network(case, &units, Activation::TanH, Loss::SoftmaxCrossEntropy)?;
    let m = case.between(1, 4);
    let x = case.array(&[m, 4]);
    let [(w1, b1), (w2, b2)] = &parameters(&network)[..] else {
        return Err(Failure::new("the network has not two layers"));
    };
    let hidden = affine(&x.clone().into_dimensionality()?, w1, b1).mapv(f64::tanh);
    let logits = affine(&hidden, w2, b2);
    let p = Array2::from_shape_fn(logits.raw_dim(), |(n, i)| {
        logits[[n, i]].exp() / logits.row(n).mapv(f64::exp).sum()
    });
    let count: usize = network.parameters().map(|(_, array)| array.len()).sum();
    crate::cases::claim(count == 8 * units[1] + 3, || format!("{count} parameters"))?;
    case.compare("P", &implementation.predict(&network, &x)?, &p)
}

/// `θ ← θ - η ∂L/∂θ`.
fn gradient_descent(case: &mut Case) -> Result<(), Failure> {
    let axes = case.between(1, 3);
    let shape = case.shape(axes, 4);
    case.describe(format!("θ {shape:?}"));
    let (theta, gradient, lr) = (case.array(&shape), case.array(&shape), case.rng.uniform());
    let mut moved = theta.clone();
    let mut sgd = SgdConfig::default().build()?;
    sgd.update("θ", &mut moved, &gradient, Step { lr, decays: true })?;
    let expected = ArrayD::from_shape_fn(IxDyn(&shape), |at| theta[&at] - lr * gradient[&at]);
    case.compare("θ", &moved, &expected)
}

/// A network of these units whose hidden layers, and with [`Loss::L2`] also the last, have this
/// activation; all parameters from `[-1, 1)`.
fn network(
    case: &mut Case,
    units: &[usize],
    activation: Activation,
    loss: Loss,
) -> Result<NeuralNetwork<f64>, Failure> {
    let last = units.len() - 1;
    let mut configs: Vec<Box<dyn LayerConfig<f64>>> = Vec::new();
    for (layer, &n_out) in units.iter().enumerate().skip(1) {
        let bent = layer < last || loss == Loss::L2;
        let activation = if bent { activation } else { Activation::Linear };
        configs.push(Box::new(FullyConnectedConfig {
            activation,
            ..FullyConnectedConfig::new(n_out)
        }));
    }
    let mut network = NeuralNetwork::build(&configs, &units[..1], loss, &mut case.rng)?;
    for layer in network.layers_mut() {
        for (_, parameter) in layer.parameters_and_gradients().0.iter_mut() {
            let drawn = case.array(parameter.shape());
            parameter.assign(&drawn);
        }
    }
    Ok(network)
}

/// Weights and biases, layer by layer.
fn parameters(network: &NeuralNetwork<f64>) -> Vec<(Array2<f64>, Array2<f64>)> {
    let of = |layer: &dyn Layer<f64>, name| layer.parameters().matrix(name).to_owned();
    let layers = network.layers().iter().map(AsRef::as_ref);
    layers.map(|layer| (of(layer, "W"), of(layer, "b"))).collect()
}

/// `X W + b`, index by index.
fn affine(x: &Array2<f64>, w: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn((x.nrows(), w.ncols()), |(n, j)| {
        let mut sum = b[[0, j]];
        for i in 0..x.ncols() {
            sum += x[[n, i]] * w[[i, j]];
        }
        sum
    })
}
