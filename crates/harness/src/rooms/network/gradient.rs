//! The function that finite differences see: the loss of every parameter of every layer.

use activations::Activation;
use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode};
use layers::FullyConnectedConfig;
use losses::Loss;
use ndarray::{Array2, ArrayD};
use network::NeuralNetwork;
use numerics::Rng;

use super::Passes;
use crate::cases::{Case, Failure};
use crate::finite_difference::{Evaluation, Noise, Problem};
use crate::layer::Spec;
use crate::loss::one_hot;
use crate::room::Checks;
use crate::rooms::{conv2d, flatten, fully_connected, pool2d};

/// Adds the finite-difference tests of networks, which are made of all layers at once.
pub(super) fn add(own: &mut Checks<Passes>) {
    own.gradient("5", "NeuralNetwork", 0, |passes, case| {
        let (layers, loss, m) = fully_connected(case);
        problem(layers, loss, m, passes, &mut case.rng)
    });
    own.gradient("6.2", "ConvolutionalNetwork", 0, |passes, case| {
        let (layers, loss, m) = convolutional(case)?;
        problem(layers, loss, m, passes, &mut case.rng)
    });
}

/// Layers, a loss and the number of examples.
type Drawn = (Vec<Spec>, Loss, usize);

fn fully_connected(case: &mut Case) -> Drawn {
    let loss = case.one_of(&Loss::ALL);
    let (depth, mut n_in) = (case.between(1, 4), case.between(1, 5));
    let mut layers = Vec::new();
    for layer in 1..=depth {
        let drawn = case.one_of(&Activation::ALL);
        let (n_out, activation) = match layer == depth {
            true => (case.between(2, 4), last_activation(loss, drawn)),
            false => (case.between(1, 5), drawn),
        };
        layers.push(dense(n_in, n_out, activation));
        n_in = n_out;
    }
    (layers, loss, case.between(1, 4))
}

/// Convolution, pooling, flattening, fully-connected.
fn convolutional(case: &mut Case) -> Result<Drawn, Failure> {
    let loss = case.one_of(&Loss::ALL);
    let image = [case.between(3, 6), case.between(3, 6), case.between(1, 2)];
    let conv = conv(
        image,
        case.between(1, 3),
        (case.between(1, 3), case.between(1, 3)),
        case.between(1, 2),
        case.one_of(&Activation::ALL),
    );
    let (mode, k) = (case.one_of(&[PoolMode::Average, PoolMode::Max]), case.between(1, 2));
    let rows_cols = output_shape(&conv)?;
    let kernel = (k.min(rows_cols[0]), k.min(rows_cols[1]));
    let pool = pool2d::ROOM.spec(Pool2DConfig::new(mode, kernel, case.between(1, 2)), &rows_cols);
    let pooled = output_shape(&pool)?;
    let last = dense(pooled.iter().product(), 3, last_activation(loss, Activation::Linear));
    Ok((vec![conv, pool, flatten::spec(&pooled), last], loss, case.between(1, 3)))
}

/// The activation that a loss wants of the last layer.
fn last_activation(loss: Loss, drawn: Activation) -> Activation {
    match (loss, drawn) {
        (Loss::CrossEntropy, _) => Activation::SoftMax,
        (Loss::SoftmaxCrossEntropy, Activation::SoftMax) => Activation::Linear,
        _ => drawn,
    }
}

pub(super) fn dense(n_in: usize, n_out: usize, activation: Activation) -> Spec {
    let config = FullyConnectedConfig { activation, ..FullyConnectedConfig::new(n_out) };
    fully_connected::ROOM.spec(config, &[n_in])
}

fn conv(
    image: [usize; 3],
    n_out: usize,
    kernel: (usize, usize),
    stride: usize,
    activation: Activation,
) -> Spec {
    let (pad, plain) = (Pad::Same, Conv2DConfig::new(n_out, kernel));
    conv2d::ROOM.spec(Conv2DConfig { stride, pad, activation, ..plain }, &image)
}

fn output_shape(spec: &Spec) -> Result<Vec<usize>, Failure> {
    Ok(spec.build(&mut Rng::new(0))?.output_shape().to_vec())
}

/// The reason why no layer refuses its input.
const BEFORE: &str = "the same mini-batch went through before";

fn problem(
    layers: Vec<Spec>,
    loss: Loss,
    m: usize,
    passes: &Passes,
    rng: &mut Rng,
) -> Result<Problem, Failure> {
    let built: Result<_, _> = layers.iter().map(|spec| spec.build(rng)).collect();
    let mut network = NeuralNetwork::new(built?, loss)?;
    let passes = passes.of_layers(&layers, loss);
    let x: ArrayD<f64> = rng.uniform_array([&[m], &*layers[0].input_shape].concat(), -2.0, 2.0);
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (index, layer) in network.layers_mut().iter_mut().enumerate() {
        for (name, parameter) in layer.parameters_and_gradients().0.iter_mut() {
            *parameter = rng.uniform_array(parameter.raw_dim(), -1.0, 1.0);
            names.push(format!("{index}.{name}"));
            values.push(parameter.clone());
        }
    }
    let output = passes.forward(&mut network, x.clone())?;
    let target: Array2<f64> = match loss {
        Loss::L2 => rng.uniform_array(output.dim(), -2.0, 2.0),
        _ => one_hot(output.dim(), rng),
    };
    passes.backward(&mut network, &target, &output)?;
    if let Passes::Built(own) = &passes {
        own.predict_labelled(&network, &x, &target, &output);
    }
    let of_layers = network.layers().iter().flat_map(|layer| layer.gradients().iter());
    let gradients = of_layers.map(|(_, gradient)| gradient.clone()).collect();
    let evaluate = move |values: &[ArrayD<f64>], noise: Option<&mut Noise>| {
        let layers_mut = network.layers_mut().iter_mut();
        let own = layers_mut.flat_map(|layer| layer.parameters_and_gradients().0.iter_mut());
        own.zip(values).for_each(|((_, own), value)| own.assign(value));
        let (mut piece, mut y) = (Vec::new(), x.clone());
        let output = if let Some(noise) = noise {
            // In every output of a real layer: a saturated one hides what is before it.
            for layer in network.layers() {
                noise.add_to(&mut y);
                y = layer.predict(&y).expect(BEFORE);
            }
            noise.add_to(&mut y);
            y.into_dimensionality().expect("rows of outputs")
        } else {
            for (spec, layer) in layers.iter().zip(network.layers()) {
                let x = std::mem::take(&mut y);
                y = layer.predict(&x).expect(BEFORE);
                piece.extend(spec.piece(&**layer, &x, &y));
            }
            passes.forward(&mut network, x.clone()).expect(BEFORE)
        };
        let loss = network.loss().forward(target.view(), output.view());
        Evaluation {
            terms: vec![loss.expect("the loss fits the last layer and its targets")],
            piece,
        }
    };
    // A loss of probabilities is the logarithm of a number that may be near 1.
    Ok(Problem { names, values, gradients, cancelled: 1.0, evaluate: Box::new(evaluate) })
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use super::*;
    use crate::finite_difference::{BOUND, compare};

    /// Networks so confident that the probability of the target is 1 up to 1e-12 or 1e-6: the difference
    /// is 0 in the first, and has lost more digits than the loss has in the others.
    pub(crate) fn a_confident_network_is_inconclusive() {
        use Activation::{Linear, Sigmoid, SoftMax};
        let (composed, fused) = (Loss::CrossEntropy, Loss::SoftmaxCrossEntropy);
        for (image, filters, kernel, activation, mode, k, last, loss, m, seed) in [
            ([6, 6, 2], 2, (2, 2), Linear, PoolMode::Average, 1, SoftMax, composed, 1, 685_344),
            ([6, 6, 1], 3, (1, 3), Sigmoid, PoolMode::Average, 1, SoftMax, composed, 1, 500_109),
            ([4, 3, 2], 1, (3, 3), Linear, PoolMode::Max, 2, Linear, fused, 2, 887_560),
        ] {
            let conv = conv(image, filters, kernel, 1, activation);
            let images = output_shape(&conv).unwrap();
            let pool = pool2d::ROOM.spec(Pool2DConfig::new(mode, (k, k), 1), &images);
            let pooled = output_shape(&pool).unwrap();
            let dense = dense(pooled.iter().product(), 3, last);
            let layers = vec![conv, pool, flatten::spec(&pooled), dense];
            let rng = &mut Rng::new(seed);
            let mut problem = problem(layers, loss, m, &Passes::Ours, rng).unwrap();
            let expected = Failure::Inconclusive("the error of the difference exceeds the bound");
            assert_eq!(compare(&mut problem, 64, BOUND, &mut |n| rng.below(n)), Err(expected));
        }
    }
}
