//! A network that more than one program trains.

use activations::Activation;
use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode};
use layers::{BatchNormConfig, FullyConnectedConfig, WeightInit};

use crate::LayerSpec;

/// The network of airbench94 with three groups of these widths, for images of 32 by 32 pixels.
///
/// Its convolutions but the first have no bias and its normalisations no scale; the weights of the last
/// layer are drawn with the standard deviation `1 / widths[2]`.
///
/// Source: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498 (2024).
// ANCHOR: airbench_layers
pub fn airbench_layers(widths: [usize; 3]) -> Vec<LayerSpec> {
    let mut layers = vec![LayerSpec::Conv2D(Conv2DConfig {
        pad: Pad::Valid,
        activation: Activation::GELU,
        ..Conv2DConfig::new(24, (2, 2))
    })];
    let conv = |n_out| {
        LayerSpec::Conv2D(Conv2DConfig {
            bias: false,
            weight_init: WeightInit::Dirac,
            ..Conv2DConfig::new(n_out, (3, 3))
        })
    };
    let norm = || {
        LayerSpec::BatchNorm(BatchNormConfig {
            eps: 1e-12,
            momentum: 0.4,
            activation: Activation::GELU,
            scale: false,
        })
    };
    let pool = |n| LayerSpec::Pool2D(Pool2DConfig::new(PoolMode::Max, (n, n), n));
    for width in widths {
        layers.extend([conv(width), pool(2), norm(), conv(width), norm()]);
    }
    layers.extend([pool(3), LayerSpec::Flatten]);
    layers.push(LayerSpec::FullyConnected(FullyConnectedConfig {
        bias: false,
        weight_init: WeightInit::Normal { mean: 0.0, std: 1.0 / widths[2] as f64 },
        ..FullyConnectedConfig::new(10)
    }));
    layers
}
// ANCHOR_END: airbench_layers
