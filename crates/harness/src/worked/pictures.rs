//! Question 7: a small picture through a perceptron, and the sizes of the networks that are trained.

use activations::Activation;
use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode, Window, conv2d_backward};
use ffnn::NeuralNetwork;
use layers::{FullyConnectedConfig, LayerConfig};
use losses::Loss;
use ndarray::{Array1, Array4, array};
use numerics::Rng;

use super::Example;

/// A picture of four pixels, two hidden units with ReLU, three classes.
pub(super) fn perceptron(example: &mut Example<'_>) {
    let (bytes, mean, std) = (array![[102.0, 204.0, 0.0, 51.0]], 0.4, 0.2);
    let x = (&bytes / 255.0 - mean) / std;
    let hidden =
        FullyConnectedConfig { activation: Activation::ReLU, ..FullyConnectedConfig::new(2) };
    let configs: [Box<dyn LayerConfig<f64>>; 2] =
        [Box::new(hidden), Box::new(FullyConnectedConfig::new(3))];
    let mut network =
        NeuralNetwork::build(&configs, &[4], Loss::SoftmaxCrossEntropy, &mut Rng::new(0))
            .expect("two units feed three");
    let patterns = array![[-1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]];
    let votes = array![[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]];
    for (layer, weights) in network.layers_mut().iter_mut().zip([&patterns, &votes]) {
        let w = layer.parameters_and_gradients().0.get_mut("W").expect("the layer has weights");
        w.assign(&weights.view().into_dyn());
    }
    let y = array![[1.0, 0.0, 0.0]];
    let logits = network.infer(&x.clone().into_dyn()).expect("four pixels for four weights");
    let h = network.layers()[0].predict(&x.clone().into_dyn()).expect("four pixels");
    let p = network.predict(&x.clone().into_dyn()).expect("four pixels for four weights");
    let loss = Loss::SoftmaxCrossEntropy.forward(y.view(), logits.view());
    example.array("bytes", &bytes);
    example.number("mean", mean);
    example.number("std", std);
    example.array("x", &x);
    example.array("w1", &patterns);
    example.array("w2", &votes);
    example.array("h", &h);
    example.array("logits", &logits);
    example.array("p", &p);
    example.number("loss", loss.expect("a truth for every logit"));
}

/// The parameters of the first layer for pictures of 28 × 28 pixels.
pub(super) fn perceptron_sizes(example: &mut Example<'_>) {
    let layer = built(&FullyConnectedConfig::new(512), &[28 * 28]);
    example.number("pixels", layer.n_in() as f64);
    example.number("units", layer.n_out() as f64);
    example.number("parameters", layer.parameters().scalar_count() as f64);
}

/// The first two layers for pictures of 32 × 32 pixels in colour.
pub(super) fn convolution_sizes(example: &mut Example<'_>) {
    let conv = built(&Conv2DConfig::new(32, (3, 3)), &[32, 32, 3]);
    let pool = built(&Pool2DConfig::new(PoolMode::Max, (2, 2), 2), conv.output_shape());
    let lengths = |shape: &[usize]| shape.iter().map(|&n| n as f64).collect::<Array1<f64>>();
    example.array("input", &lengths(conv.input_shape()));
    example.array("conv", &lengths(conv.output_shape()));
    example.array("pool", &lengths(pool.output_shape()));
    example.number("parameters", conv.parameters().scalar_count() as f64);
}

/// Which pixels one cell sees through two layers of 3 × 3, and by how many ways each.
pub(super) fn field_of_view(example: &mut Example<'_>) {
    let ones = Array4::<f64>::ones((3, 3, 1, 1));
    let mut ways = Array4::<f64>::ones((1, 1, 1, 1));
    for (layer, side) in [3, 5].into_iter().enumerate() {
        let window = Window::new("Conv2D", (side, side), (3, 3), 1, Pad::Valid)
            .expect("the kernel fits the image");
        let x = Array4::<f64>::zeros((1, side, side, 1));
        ways = conv2d_backward(x.view(), ones.view(), ways.view(), window).dl_dx;
        example.image(&format!("ways{}", layer + 1), &ways);
    }
}

fn built<C: LayerConfig<f64>>(config: &C, input: &[usize]) -> Box<dyn layers::Layer<f64>> {
    config.build_boxed(input, &mut Rng::new(0)).expect("the layer fits its input")
}
