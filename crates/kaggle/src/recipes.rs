//! The recipes.

use activations::Activation;
use clap::ValueEnum;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use datasets::{Augmentation, CIFAR10_CLASSES, FASHION_MNIST_CLASSES, Flip};
use layers::{BatchNormConfig, DropoutConfig, FullyConnectedConfig, WeightInit};
use optim::{MuonConfig, OptimiserConfig, SgdConfig};
use training::{LayerSpec, ModelSpec, airbench_layers};

use crate::prediction::TestTimeAugmentation;
use crate::recipe::{RateShape, Recipe, RecipeGroup, Whitening};

/// The recipes for CIFAR-10, by the name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecipeName {
    /// Six convolutions, and nothing that is not in the usual textbook
    Plain,
    /// 74.8 % as soon as possible
    Fast,
    /// 93.9 %
    Best,
}

impl RecipeName {
    /// The recipe.
    pub(crate) fn recipe(self) -> Recipe {
        match self {
            Self::Plain => Recipe::cifar10_cnn(),
            Self::Fast => Recipe::cifar10_fast(),
            Self::Best => Recipe::cifar10_best(),
        }
    }

    /// The name of its record, unless another is asked for.
    pub(crate) fn record(self) -> &'static str {
        match self {
            Self::Plain => "cifar10",
            Self::Fast => "cifar10-fast",
            Self::Best => "cifar10-best",
        }
    }
}

impl Recipe {
    /// Question 7.1: three fully-connected layers on Fashion-MNIST.
    // ANCHOR: mlp
    pub(crate) fn fashion_mnist_mlp() -> Self {
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
            rate: RateShape::Triangular,
            sgd: SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 5e-5, clip_norm: None },
            groups: vec![],
            whitening: None,
            label_smoothing: 0.0,
            augmentation: Augmentation::default(),
            test_time_augmentation: TestTimeAugmentation::None,
            decoupled: false,
        }
    }
    // ANCHOR_END: mlp

    /// Question 7.2: six convolutions on CIFAR-10, in three groups of falling size and rising width.
    // ANCHOR: cnn
    pub(crate) fn cifar10_cnn() -> Self {
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
            rate: RateShape::Triangular,
            sgd: SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 5e-4, clip_norm: None },
            groups: vec![],
            whitening: None,
            label_smoothing: 0.1,
            augmentation: Augmentation { flip: Flip::Alternating, shift: 2 },
            test_time_augmentation: TestTimeAugmentation::None,
            decoupled: false,
        }
    }
    // ANCHOR_END: cnn

    /// Question 7.2, as good as can be: airbench94 in its form with Muon, which reaches 93.9 %.
    ///
    /// Source: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498 (2024), and the
    /// program that goes with it, in its form with Muon.
    pub(crate) fn cifar10_best() -> Self {
        Self { epochs: 8, ..Self::airbench("best", [64, 256, 256], 2000) }
    }

    /// Question 7.2, as soon as possible at the accuracy of the course's own solution, 74.8 %: the same
    /// recipe for a network of half the width in its first group and a quarter in the others, in smaller mini-batches, each image seen once.
    pub(crate) fn cifar10_fast() -> Self {
        Self::airbench("fast", [32, 64, 64], 500)
    }

    /// airbench94 with three groups of these widths.
    ///
    /// Two things are written in another way than there, and train the same network. Its loss is the
    /// sum over a mini-batch where ours is the mean, so rates of SGD are larger by the number of images.
    /// And it divides the logits by the number n of features; here the last weights are smaller by that
    /// factor, and their rate by the square of it.
    // ANCHOR: airbench
    fn airbench(name: &str, widths: [usize; 3], batch_size: usize) -> Self {
        let (images, n) = (batch_size as f64, widths[2] as f64);
        let head_lr = 0.67 * images / (n * n);
        let bias_lr = 0.053 * images;
        let layers = airbench_layers(widths);
        let named = |parameter: &str, wanted: fn(&LayerSpec) -> bool| -> Vec<String> {
            let found = layers.iter().enumerate().skip(1).filter(|(_, layer)| wanted(layer));
            found.map(|(index, _)| format!("{index}.{parameter}")).collect()
        };
        let sgd = |lr| SgdConfig {
            momentum: 0.85,
            nesterov: true,
            // In a step at the largest rate a parameter loses this share, whatever the rate.
            weight_decay: 2e-6 * images / lr,
            clip_norm: None,
        };
        let biases = |parameters, epochs| {
            let optimiser = OptimiserConfig::Sgd(sgd(bias_lr));
            RecipeGroup { parameters, optimiser, lr: bias_lr, epochs }
        };
        let groups = vec![
            RecipeGroup {
                parameters: named("W", |layer| matches!(layer, LayerSpec::Conv2D(_))),
                optimiser: OptimiserConfig::Muon(MuonConfig::default()),
                lr: 0.24,
                epochs: None,
            },
            biases(named("beta", |layer| matches!(layer, LayerSpec::BatchNorm(_))), None),
            biases(vec!["0.b".to_owned()], Some(3)),
            RecipeGroup {
                parameters: vec!["0.W".to_owned()],
                optimiser: OptimiserConfig::Frozen,
                lr: 0.0,
                epochs: None,
            },
        ];
        Self {
            model: ModelSpec { name: name.to_owned(), layers, ..Self::cifar10_cnn().model },
            epochs: 1,
            batch_size,
            lr: head_lr,
            rate: RateShape::Falling,
            sgd: sgd(head_lr),
            groups,
            whitening: Some(Whitening { images: 5000, eps: 5e-4 }),
            label_smoothing: 0.2,
            augmentation: Augmentation { flip: Flip::Alternating, shift: 2 },
            test_time_augmentation: TestTimeAugmentation::Shifts,
            decoupled: true,
        }
    }
    // ANCHOR_END: airbench
}

#[cfg(test)]
mod tests {
    use losses::Loss;
    use ndarray::{Array2, ArrayD, Ix2};
    use numerics::Rng;
    use optim::Step;
    use training::Model;

    use super::*;

    fn model(recipe: Recipe) -> Model {
        Model::build(recipe.model, &mut Rng::new(0)).unwrap()
    }

    #[test]
    fn the_models_can_be_built_and_have_so_many_parameters() {
        let count = |recipe: Recipe| -> usize {
            model(recipe).network().parameters().map(|(_, p)| p.len()).sum()
        };
        // 784 · 512 + 512, 512 · 256 + 256, 256 · 10 + 10.
        assert_eq!(count(Recipe::fashion_mnist_mlp()), 401_920 + 131_328 + 2_570);
        // 9 · n_in · n_out + n_out of each convolution, 2 n of each normalisation, 256 · 10 + 10.
        let convolutions = 896 + 18_496 + 36_928 + 73_856 + 147_584 + 295_168;
        let normalisations = 2 * (32 + 64 + 64 + 128 + 128 + 256);
        assert_eq!(count(Recipe::cifar10_cnn()), convolutions + normalisations + 2_570);
        // 12 · 24 + 24, 9 · n_in · n_out of each convolution, n of each normalisation, 256 · 10.
        let convolutions = 312 + 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256);
        let normalisations = 2 * (64 + 256 + 256);
        assert_eq!(count(Recipe::cifar10_best()), convolutions + normalisations + 2_560);
    }

    #[test]
    fn every_parameter_of_airbench_is_trained_in_its_way() {
        for recipe in [Recipe::cifar10_best(), Recipe::cifar10_fast()] {
            let config = recipe.run_config(0, 10, "");
            let model = model(recipe);
            let names = model.network().parameters().map(|(name, _)| name);
            let (grouped, others): (Vec<_>, Vec<_>) = names.partition(|name| {
                config.groups.iter().any(|group| group.parameters.contains(name))
            });
            assert_eq!(others, ["18.W"]);
            // Seven convolutions, one with a bias, and six normalisations without a scale.
            assert_eq!(grouped.len(), 7 + 1 + 6);
            let muon = &config.groups[0];
            assert_eq!(muon.parameters, ["1.W", "4.W", "6.W", "9.W", "11.W", "14.W"]);
        }
    }

    /// The last layer as airbench94 has it, z = h W' / n with the sum of the losses, and as it is here:
    /// after some steps W = W' / n.
    #[test]
    fn the_last_layer_is_trained_as_in_the_program_it_comes_from() {
        let recipe = Recipe::cifar10_best();
        let (m, n) = (recipe.batch_size, 256.0);
        let mut rng = Rng::new(5);
        let h: Array2<f64> = rng.normal_array((m, 256), 0.0, 1.0);
        let labels: Vec<usize> = (0..m).map(|_| rng.below(10)).collect();
        let target = datasets::one_hot::<f64>(&labels, 10).unwrap();
        let dl_dz =
            |z: &Array2<f64>| Loss::SoftmaxCrossEntropy.backward(target.view(), z.view()).unwrap();
        let theirs = SgdConfig { weight_decay: 2e-6 * m as f64 / 0.67, ..recipe.sgd };
        let mut theirs = theirs.build().unwrap();
        let mut ours = recipe.sgd.build().unwrap();
        let mut w_theirs = rng.normal_array((256, 10), 0.0, 1.0).into_dyn();
        let mut w = &w_theirs / n;
        for _ in 0..3 {
            let of = |w: &ArrayD<f64>| w.view().into_dimensionality::<Ix2>().unwrap().to_owned();
            let dz = dl_dz(&(h.dot(&of(&w_theirs)) / n)) * m as f64;
            let g = (h.t().dot(&dz) / n).into_dyn();
            theirs.update("W", &mut w_theirs, &g, Step { lr: 0.67, decays: true }).unwrap();
            let g = h.t().dot(&dl_dz(&h.dot(&of(&w)))).into_dyn();
            ours.update("W", &mut w, &g, Step { lr: recipe.lr, decays: true }).unwrap();
        }
        approx::assert_relative_eq!(w, w_theirs / n, max_relative = 1e-10);
    }
}
