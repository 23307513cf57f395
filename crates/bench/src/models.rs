//! The networks that are trained.

use activations::Activation;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use layers::{FullyConnectedConfig, WeightInit};
use training::{LayerSpec, airbench_layers};

/// A network to be timed.
pub(crate) struct BenchModel {
    pub(crate) name: &'static str,
    /// The factor of its widths.
    pub(crate) width: f64,
    /// The shape of an example.
    pub(crate) input_shape: Vec<usize>,
    pub(crate) layers: Vec<LayerSpec>,
    /// Whether the weights of the first layer are fixed, so that a training needs no gradient for
    /// them. PyTorch is told so. Our layers compute it all the same.
    pub(crate) frozen_first_weights: bool,
}

/// Classes that each network tells apart.
pub(crate) const CLASSES: usize = 10;

impl BenchModel {
    /// The network of the recipe "best": that of airbench94 (Jordan, 2024, arXiv 2404.00498), a whitening
    /// layer and six convolutions of 3 by 3, the widths of its three groups multiplied by `width`.
    pub(crate) fn air(width: f64) -> Self {
        let widths = [64.0, 256.0, 256.0].map(|filters: f64| (width * filters) as usize);
        let layers = airbench_layers(widths);
        let input_shape = vec![32, 32, 3];
        Self { name: "air", width, input_shape, layers, frozen_first_weights: true }
    }

    /// Two convolutions of 3 by 3 and two fully-connected layers.
    pub(crate) fn simple() -> Self {
        let conv2d = |filters| {
            let config = Conv2DConfig::new(filters, (3, 3));
            let (activation, weight_init) = (Activation::ReLU, WeightInit::HeNormal);
            LayerSpec::Conv2D(Conv2DConfig { activation, weight_init, ..config })
        };
        let max_pool = || LayerSpec::Pool2D(Pool2DConfig::new(PoolMode::Max, (2, 2), 2));
        let layers = vec![
            conv2d(32),
            max_pool(),
            conv2d(64),
            max_pool(),
            LayerSpec::Flatten,
            linear(128, Activation::ReLU),
            linear(CLASSES, Activation::Linear),
        ];
        Self { name: "simple", input_shape: vec![32, 32, 3], layers, ..Self::mlp() }
    }

    /// Fully-connected layers: 784-256-128-10.
    pub(crate) fn mlp() -> Self {
        let layers = vec![
            linear(256, Activation::ReLU),
            linear(128, Activation::ReLU),
            linear(CLASSES, Activation::Linear),
        ];
        let input_shape = vec![784];
        Self { name: "mlp", width: 1.0, input_shape, layers, frozen_first_weights: false }
    }
}

fn linear(n_out: usize, activation: Activation) -> LayerSpec {
    let weight_init = WeightInit::HeNormal;
    let config = FullyConnectedConfig::new(n_out);
    LayerSpec::FullyConnected(FullyConnectedConfig { activation, weight_init, ..config })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolutions::AIR_CONVOLUTIONS;
    use crate::steps::network;

    fn shapes(model: &BenchModel, kind: &str) -> Vec<Vec<usize>> {
        let network = network(model).unwrap();
        let layers = network.layers().iter().filter(|layer| layer.kind() == kind);
        layers.map(|layer| layer.output_shape().to_vec()).collect()
    }

    #[test]
    fn air_has_the_convolutions_that_are_timed_by_themselves_and_widths_are_multiplied() {
        let mut outputs = shapes(&BenchModel::air(1.0), "Conv2D");
        // All but the whitening layer.
        let filters =
            |outputs: &[Vec<usize>]| outputs.iter().map(|shape| shape[2]).collect::<Vec<_>>();
        assert_eq!(filters(&outputs), [24, 64, 64, 256, 256, 256, 256]);
        let half = shapes(&BenchModel::air(0.5), "Conv2D");
        assert_eq!(filters(&half), [24, 32, 32, 128, 128, 128, 128]);
        outputs.dedup();
        let timed = AIR_CONVOLUTIONS.map(|convolution| {
            let side = bench::output_side(convolution.side, convolution.kernel);
            vec![side, side, convolution.filters]
        });
        assert_eq!(outputs, timed);
    }
}
