//! The networks that are trained.

use activations::Activation;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use layers::{FullyConnectedConfig, WeightInit};
use training::{LayerSpec, airbench_layers};

/// A network to be timed.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchModel {
    /// Its name.
    pub name: &'static str,
    /// The factor of its widths.
    pub width: f64,
    /// The shape of an example.
    pub input_shape: Vec<usize>,
    /// The layers in order.
    pub layers: Vec<LayerSpec>,
    /// Whether the weights of the first layer are fixed, so that a training needs no gradient for
    /// them. PyTorch is told so. Our layers compute it all the same.
    pub frozen_first_weights: bool,
}

/// Classes that each network tells apart.
pub(crate) const CLASSES: usize = 10;

impl BenchModel {
    /// The network of the recipe "best": that of airbench94 (Jordan, 2024, arXiv 2404.00498), a whitening
    /// layer and six convolutions of 3 by 3, the widths of its three groups multiplied by `width`.
    #[must_use]
    pub fn air(width: f64) -> Self {
        let widths = [64.0, 256.0, 256.0].map(|filters: f64| (width * filters) as usize);
        let layers = airbench_layers(widths);
        let input_shape = vec![32, 32, 3];
        Self { name: "air", width, input_shape, layers, frozen_first_weights: true }
    }

    /// Two convolutions of 3 by 3 and two fully-connected layers.
    #[must_use]
    pub fn simple() -> Self {
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
    #[must_use]
    pub fn mlp() -> Self {
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
    use crate::AIR_CONVOLUTIONS;
    use crate::steps::network;

    fn shapes(model: &BenchModel, kind: &str) -> Vec<Vec<usize>> {
        let network = network(model).unwrap();
        let layers = network.layers().iter().filter(|layer| layer.kind() == kind);
        layers.map(|layer| layer.output_shape().to_vec()).collect()
    }

    #[test]
    fn air_has_the_convolutions_that_are_timed_by_themselves() {
        let outputs = shapes(&BenchModel::air(1.0), "Conv2D");
        let timed = AIR_CONVOLUTIONS.iter().flat_map(|convolution| {
            let side = convolution.output_side();
            vec![vec![side, side, convolution.filters]; convolution.times]
        });
        assert_eq!(outputs, timed.collect::<Vec<_>>());
    }

    #[test]
    fn widths_are_multiplied_but_for_the_whitening_layer() {
        let outputs = shapes(&BenchModel::air(0.5), "Conv2D");
        let filters: Vec<usize> = outputs.iter().map(|shape| shape[2]).collect();
        assert_eq!(filters, [24, 32, 32, 128, 128, 128, 128]);
    }

    #[test]
    fn every_model_has_ten_classes() {
        for model in [BenchModel::air(1.0), BenchModel::simple(), BenchModel::mlp()] {
            let outputs = shapes(&model, "FullyConnected");
            assert_eq!(outputs.last(), Some(&vec![CLASSES]), "{}", model.name);
        }
    }
}
