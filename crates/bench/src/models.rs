//! The networks that are trained.

use activations::Activation;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use layers::{FullyConnectedConfig, WeightInit};
use training::{LayerSpec, airbench_layers};

/// A network to be timed.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchModel {
    /// What it is called.
    pub name: &'static str,
    /// What its widths are multiplied by.
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
        let convolution = |filters| {
            let activation = Activation::ReLU;
            LayerSpec::Conv2D(Conv2DConfig { activation, ..conv2d(filters, 3) })
        };
        let layers = vec![
            convolution(32),
            max_pool(2),
            convolution(64),
            max_pool(2),
            LayerSpec::Flatten,
            linear(128, Activation::ReLU),
            linear(CLASSES, Activation::Linear),
        ];
        let input_shape = vec![32, 32, 3];
        Self { name: "simple", width: 1.0, input_shape, layers, frozen_first_weights: false }
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

    /// The model of this name with its own widths.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::air(1.0), Self::simple(), Self::mlp()].into_iter().find(|model| model.name == name)
    }
}

fn conv2d(filters: usize, side: usize) -> Conv2DConfig {
    let weight_init = WeightInit::HeNormal;
    Conv2DConfig { weight_init, ..Conv2DConfig::new(filters, (side, side)) }
}

fn max_pool(side: usize) -> LayerSpec {
    LayerSpec::Pool2D(Pool2DConfig::new(PoolMode::Max, (side, side), side))
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
    fn every_model_has_its_name_and_ten_classes() {
        for name in ["air", "simple", "mlp"] {
            let model = BenchModel::named(name).unwrap();
            assert_eq!(shapes(&model, "FullyConnected").last(), Some(&vec![CLASSES]), "{name}");
        }
        assert_eq!(BenchModel::named("water"), None);
    }
}
