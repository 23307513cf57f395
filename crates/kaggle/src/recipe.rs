//! What is trained, and how.

use activations::Activation;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use datasets::{Augmentation, CIFAR10_CLASSES, FASHION_MNIST_CLASSES, Flip};
use layers::{BatchNormConfig, DropoutConfig, FullyConnectedConfig, WeightInit};
use optim::{ScheduleConfig, SgdConfig};
use training::{LayerSpec, ModelSpec};

/// A model and the way it is trained: everything but the data, the seed and the number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The model.
    pub model: ModelSpec,
    /// How often every image is seen.
    pub epochs: u64,
    /// The number of images in a mini-batch.
    pub batch_size: usize,
    /// The largest learning rate.
    pub lr: f64,
    /// Whether the learning rate rises and falls in straight lines; otherwise it is constant.
    pub triangular: bool,
    /// The optimiser.
    pub sgd: SgdConfig,
    /// The share of a target that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// How training images are changed.
    pub augmentation: Augmentation,
}

/// The share of the steps in which a triangular learning rate rises.
const RISE: f64 = 0.2;

/// Where it begins and ends, as a share of its peak.
const START: f64 = 0.1;
const END: f64 = 0.0;

impl Recipe {
    /// Question 7.1: three fully-connected layers on Fashion-MNIST.
    // ANCHOR: mlp
    #[must_use]
    pub fn fashion_mnist_mlp() -> Self {
        let hidden = |n_out| {
            [
                LayerSpec::FullyConnected(FullyConnectedConfig {
                    activation: Activation::ReLU,
                    weight_init: WeightInit::HeNormal,
                    ..FullyConnectedConfig::new(n_out)
                }),
                LayerSpec::Dropout(DropoutConfig { rate: 0.2 }),
            ]
        };
        let [first, first_dropout] = hidden(512);
        let [second, second_dropout] = hidden(256);
        let logits = LayerSpec::FullyConnected(FullyConnectedConfig::new(10));
        let layers = vec![LayerSpec::Flatten, first, first_dropout, second, second_dropout, logits];
        Self {
            model: ModelSpec {
                name: "mlp".to_owned(),
                input_shape: [28, 28, 1],
                class_names: FASHION_MNIST_CLASSES.map(str::to_owned).to_vec(),
                // Of the training set.
                mean: vec![0.2860],
                std: vec![0.3530],
                layers,
            },
            epochs: 15,
            batch_size: 64,
            lr: 0.05,
            triangular: true,
            sgd: SgdConfig {
                momentum: 0.9,
                nesterov: true,
                weight_decay: 5e-5,
                ..SgdConfig::default()
            },
            label_smoothing: 0.0,
            augmentation: Augmentation::default(),
        }
    }
    // ANCHOR_END: mlp

    /// Question 7.2: six convolutions on CIFAR-10, in three groups of falling size and rising width.
    // ANCHOR: cnn
    #[must_use]
    pub fn cifar10_cnn() -> Self {
        let conv = |n_out| {
            LayerSpec::Conv2D(Conv2DConfig {
                weight_init: WeightInit::HeNormal,
                ..Conv2DConfig::new(n_out, (3, 3))
            })
        };
        let norm = || {
            let activation = Activation::ReLU;
            LayerSpec::BatchNorm(BatchNormConfig { activation, ..BatchNormConfig::default() })
        };
        let halve = || LayerSpec::Pool2D(Pool2DConfig::new(PoolMode::Max, (2, 2), 2));
        // Pooling comes before normalisation, which then has a quarter of the work.
        let layers = vec![
            conv(32),
            halve(),
            norm(),
            conv(64),
            norm(),
            conv(64),
            halve(),
            norm(),
            conv(128),
            norm(),
            conv(128),
            halve(),
            norm(),
            conv(256),
            norm(),
            LayerSpec::GlobalAveragePool2D,
            LayerSpec::FullyConnected(FullyConnectedConfig::new(10)),
        ];
        Self {
            model: ModelSpec {
                name: "cnn".to_owned(),
                input_shape: [32, 32, 3],
                class_names: CIFAR10_CLASSES.map(str::to_owned).to_vec(),
                // Those of the course.
                mean: vec![0.49139968, 0.48215841, 0.44653091],
                std: vec![0.24703223, 0.24348513, 0.26158784],
                layers,
            },
            epochs: 10,
            batch_size: 128,
            lr: 0.1,
            triangular: true,
            sgd: SgdConfig {
                momentum: 0.9,
                nesterov: true,
                weight_decay: 5e-4,
                ..SgdConfig::default()
            },
            label_smoothing: 0.1,
            augmentation: Augmentation { flip: Flip::Alternating, shift: 2 },
        }
    }
    // ANCHOR_END: cnn

    /// The learning rate by step, for epochs of so many steps.
    // ANCHOR: schedule
    #[must_use]
    pub fn schedule(&self, steps_per_epoch: u64) -> ScheduleConfig {
        let total_steps = self.epochs * steps_per_epoch;
        // Below that there is no step between the first and the last.
        if !self.triangular || total_steps < 3 {
            return ScheduleConfig::Constant { lr: self.lr };
        }
        let peak_step = ((RISE * total_steps as f64) as u64).clamp(1, total_steps - 2);
        ScheduleConfig::Triangular {
            peak_lr: self.lr,
            total_steps,
            peak_step,
            start_fraction: START,
            end_fraction: END,
        }
    }
    // ANCHOR_END: schedule
}

#[cfg(test)]
mod tests {
    use numerics::Rng;
    use training::Model;

    use super::*;

    #[test]
    fn the_models_can_be_built_and_have_so_many_parameters() {
        let count = |recipe: Recipe| -> usize {
            let model = Model::build(recipe.model, &mut Rng::new(0)).unwrap();
            model.network().parameters().map(|(_, p)| p.len()).sum()
        };
        // 784 · 512 + 512, 512 · 256 + 256, 256 · 10 + 10.
        assert_eq!(count(Recipe::fashion_mnist_mlp()), 401_920 + 131_328 + 2_570);
        // 9 · n_in · n_out + n_out of each convolution, 2 n of each normalisation, 256 · 10 + 10.
        let convolutions = 896 + 18_496 + 36_928 + 73_856 + 147_584 + 295_168;
        let normalisations = 2 * (32 + 64 + 64 + 128 + 128 + 256);
        assert_eq!(count(Recipe::cifar10_cnn()), convolutions + normalisations + 2_570);
    }

    #[test]
    fn the_learning_rate_peaks_after_a_fifth_of_the_steps() {
        let recipe = Recipe { epochs: 10, lr: 0.5, ..Recipe::cifar10_cnn() };
        let schedule = recipe.schedule(100).build().unwrap();
        assert_eq!([schedule.lr(0), schedule.lr(200), schedule.lr(999)], [0.05, 0.5, 0.0]);
        let constant =
            Recipe { triangular: false, ..recipe.clone() }.schedule(100).build().unwrap();
        assert_eq!([constant.lr(0), constant.lr(999)], [0.5, 0.5]);
        for steps in 1..5 {
            assert!(Recipe { epochs: 1, ..recipe.clone() }.schedule(steps).build().is_ok());
        }
    }
}
