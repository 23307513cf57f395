//! Question 7: the sizes of the networks that are trained.

use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode, Window, conv2d_backward};
use layers::{FullyConnectedConfig, LayerConfig};
use ndarray::{Array1, Array4};
use numerics::Rng;

use super::Example;

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

/// The pixels that one cell sees through two layers of 3 × 3, and the number of ways to each.
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
