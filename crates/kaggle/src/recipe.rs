//! A recipe: a model, and the way it is trained.

use anyhow::{Context, Result, bail};
use datasets::{Augmentation, ImageSet};
use ndarray::Ix4;
use numerics::Rng;
use optim::{Cycle, OptimiserConfig, ParameterGroup, Schedule, SgdConfig};
use serde::Serialize;
use training::{Model, ModelSpec, RunConfig};

use crate::prediction::TestTimeAugmentation;

/// A model and the way it is trained: everything but the data, the seed and the number of threads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recipe {
    pub(crate) model: ModelSpec,
    pub(crate) epochs: u64,
    pub(crate) batch_size: usize,
    /// The largest learning rate of the parameters in no group.
    pub(crate) lr: f64,
    /// The course of learning rates over time, those of groups too.
    pub(crate) rate: RateShape,
    /// The optimiser of the parameters in no group.
    pub(crate) sgd: SgdConfig,
    /// Parameters that are trained in another way.
    pub(crate) groups: Vec<RecipeGroup>,
    /// The making of the first layer's filters from images; `None` if they are drawn.
    pub(crate) whitening: Option<Whitening>,
    /// The share of a target that is spread evenly over all classes.
    pub(crate) label_smoothing: f64,
    /// The random change of training images.
    pub(crate) augmentation: Augmentation,
    /// The change of test images.
    pub(crate) test_time_augmentation: TestTimeAugmentation,
    /// Whether the hyperparameters of SGD are in decoupled form (Jordan 2024): its rates are in proportion to
    /// the number of images in a mini-batch, and the share that weight decay takes in a step does not
    /// depend on them.
    pub(crate) decoupled: bool,
}

/// The learning rate over a training, as a share of its peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateShape {
    /// The peak at every step.
    Constant,
    /// Up in a straight line over the first fifth of the steps, then down to 0.
    Triangular,
    /// The peak at the first step, from there down to 0 in a straight line.
    Falling,
}

/// Some parameters of a [`Recipe`], and how they are trained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecipeGroup {
    /// Their names, `"{layer}.{parameter}"` with layers counted from 0.
    pub(crate) parameters: Vec<String>,
    pub(crate) optimiser: OptimiserConfig,
    /// The largest learning rate; that of something frozen is not used.
    pub(crate) lr: f64,
    /// The number of epochs after which the learning rate is 0, if not all of them.
    pub(crate) epochs: Option<u64>,
}

/// The making of a first layer's filters: see [`cnn::whitening_filters`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Whitening {
    /// The number of training images that they are made from; all, if there are fewer.
    pub(crate) images: usize,
    /// ε, which is added to an eigenvalue.
    pub(crate) eps: f64,
}

/// The share of the steps in which a triangular learning rate rises.
const RISE: f64 = 0.2;

/// Its beginning and end, as a share of its peak.
const START: f64 = 0.1;
const END: f64 = 0.0;

impl Recipe {
    /// Sets the number of images in a mini-batch, and the rates that depend on it.
    pub(crate) fn set_batch_size(&mut self, batch_size: usize) {
        let factor = batch_size as f64 / self.batch_size as f64;
        self.batch_size = batch_size;
        if self.decoupled {
            self.lr *= factor;
            let by_sgd =
                |group: &&mut RecipeGroup| matches!(group.optimiser, OptimiserConfig::Sgd(_));
            self.groups.iter_mut().filter(by_sgd).for_each(|group| group.lr *= factor);
        }
    }

    /// Sets the largest learning rate; those of groups change in proportion.
    pub(crate) fn set_lr(&mut self, lr: f64) {
        let factor = lr / self.lr;
        self.lr = lr;
        self.groups.iter_mut().for_each(|group| group.lr *= factor);
        if self.decoupled {
            self.sgds().for_each(|sgd| sgd.weight_decay /= factor);
        }
    }

    /// Every configuration of SGD: that of the parameters in no group, and those of groups.
    pub(crate) fn sgds(&mut self) -> impl Iterator<Item = &mut SgdConfig> {
        let of_groups = self.groups.iter_mut().filter_map(|group| match &mut group.optimiser {
            OptimiserConfig::Sgd(sgd) => Some(sgd),
            _ => None,
        });
        std::iter::once(&mut self.sgd).chain(of_groups)
    }

    /// The model before its training: drawn by the seed, the filters of a whitening first layer made
    /// from the first of these images.
    // ANCHOR: build
    pub(crate) fn build(&self, train: &ImageSet, seed: u64) -> Result<Model> {
        let mut model = Model::build(self.model.clone(), &mut Rng::new(seed))?;
        let Some(Whitening { images, eps }) = self.whitening else { return Ok(model) };
        let few: Vec<usize> = (0..images.min(train.len())).collect();
        let images = model.input(train.select(&few)?.images().view())?;
        let images = images.into_dimensionality::<Ix4>().expect("images have four axes");
        let first = &mut model.network_mut().layers_mut()[0];
        let &[k1, k2, ..] = first.parameters().get("W").map_or(&[][..], |w| w.shape()) else {
            bail!(
                "{}: expected a convolution as the first layer, to whiten its input",
                self.model.name
            );
        };
        let filters = cnn::whitening_filters(images.view(), (k1, k2), eps)
            .context("the filters of the first layer cannot be made from the training images")?;
        first.set_parameter("W", &filters.into_dyn())?;
        Ok(model)
    }
    // ANCHOR_END: build

    /// The training in full, for epochs of so many steps.
    pub(crate) fn run_config(
        &self,
        seed: u64,
        steps_per_epoch: u64,
        data_sha256: &str,
    ) -> RunConfig {
        let Self { epochs, batch_size, lr, sgd, label_smoothing, augmentation, .. } = *self;
        RunConfig {
            epochs,
            batch_size,
            seed,
            sgd,
            schedule: self.schedule(lr, epochs.saturating_mul(steps_per_epoch)),
            groups: self.groups.iter().map(|group| self.group(group, steps_per_epoch)).collect(),
            label_smoothing,
            augmentation: augmentation.to_string(),
            data_sha256: data_sha256.to_owned(),
        }
    }

    fn group(&self, group: &RecipeGroup, steps_per_epoch: u64) -> ParameterGroup {
        let RecipeGroup { parameters, optimiser, lr, epochs } = group;
        let epochs = epochs.map_or(self.epochs, |epochs| epochs.min(self.epochs));
        let frozen = matches!(optimiser, OptimiserConfig::Frozen);
        ParameterGroup {
            parameters: parameters.clone(),
            optimiser: *optimiser,
            schedule: (!frozen).then(|| self.schedule(*lr, epochs.saturating_mul(steps_per_epoch))),
        }
    }

    /// A learning rate by step.
    // ANCHOR: schedule
    fn schedule(&self, lr: f64, total_steps: u64) -> Schedule {
        match self.rate {
            RateShape::Falling => Schedule::Linear { lr, total_steps },
            // Below three there is no step between the first and the last.
            RateShape::Triangular if total_steps >= 3 => Schedule::Triangular(Cycle {
                peak_lr: lr,
                total_steps,
                peak_step: ((RISE * total_steps as f64) as u64).clamp(1, total_steps - 2),
                start_fraction: START,
                end_fraction: END,
            }),
            RateShape::Constant | RateShape::Triangular => Schedule::Constant { lr },
        }
    }
    // ANCHOR_END: schedule
}

#[cfg(test)]
mod tests {
    use optim::MuonConfig;

    use super::*;

    fn rates(recipe: &Recipe, steps_per_epoch: u64, steps: [u64; 3]) -> [f64; 3] {
        let config = recipe.run_config(0, steps_per_epoch, "");
        let schedule = config.schedule.build().unwrap();
        steps.map(|step| schedule.rate(step))
    }

    #[test]
    fn the_learning_rate_peaks_after_a_fifth_of_the_steps() {
        let recipe = Recipe { epochs: 10, lr: 0.5, ..Recipe::cifar10_cnn() };
        assert_eq!(rates(&recipe, 100, [0, 200, 999]), [0.05, 0.5, 0.0]);
        let constant = Recipe { rate: RateShape::Constant, ..recipe.clone() };
        assert_eq!(rates(&constant, 100, [0, 200, 999]), [0.5; 3]);
        for steps in 1..5 {
            let config = Recipe { epochs: 1, ..recipe.clone() }.run_config(0, steps, "");
            assert!(config.schedule.build().is_ok());
        }
    }

    #[test]
    fn in_decoupled_form_rates_follow_the_mini_batch_and_weight_decay_does_not_follow_rates() {
        /// The rate of a group of biases, the head's, and for both the share that a step takes.
        fn of(recipe: &mut Recipe) -> [f64; 4] {
            let [head, biases] = [recipe.lr, recipe.groups[1].lr];
            let decays: Vec<f64> = recipe.sgds().map(|sgd| sgd.weight_decay).collect();
            [biases, head, biases * decays[1], head * decays[0]]
        }
        let near = |got: [f64; 4], expected: [f64; 4]| {
            for (got, expected) in got.into_iter().zip(expected) {
                approx::assert_relative_eq!(got, expected, max_relative = 1e-12);
            }
        };
        // airbench94 states 0.053 and 0.67 for the sum over a mini-batch, and a share of 2e-6 an image; the
        // 256 are its features.
        let [biases, head] = [0.053, 0.67 / (256.0 * 256.0)];
        let mut recipe = Recipe::cifar10_best();
        near(of(&mut recipe), [2000.0 * biases, 2000.0 * head, 4e-3, 4e-3]);
        recipe.set_batch_size(128);
        near(of(&mut recipe), [128.0 * biases, 128.0 * head, 2.56e-4, 2.56e-4]);
        assert_eq!((recipe.batch_size, recipe.groups[0].lr), (128, 0.24), "that of Muon");
        recipe.set_lr(256.0 * head);
        near(of(&mut recipe), [256.0 * biases, 256.0 * head, 2.56e-4, 2.56e-4]);
        assert_eq!(recipe.groups[0].lr, 0.48);

        let plain = Recipe::cifar10_cnn();
        let mut other = plain.clone();
        other.set_batch_size(64);
        assert_eq!(other, Recipe { batch_size: 64, ..plain.clone() });
        other.set_lr(0.7);
        assert_eq!(other, Recipe { batch_size: 64, lr: 0.7, ..plain });
    }

    #[test]
    fn a_group_has_the_shape_of_the_recipe_and_its_own_rate_and_length() {
        let group = |optimiser, epochs| RecipeGroup {
            parameters: vec!["0.W".to_owned()],
            optimiser,
            lr: 2.0,
            epochs,
        };
        let muon = OptimiserConfig::Muon(MuonConfig::default());
        let mut recipe = Recipe {
            epochs: 4,
            lr: 0.5,
            rate: RateShape::Falling,
            groups: vec![
                group(muon, None),
                group(muon, Some(3)),
                group(muon, Some(9)),
                group(OptimiserConfig::Frozen, None),
            ],
            ..Recipe::cifar10_cnn()
        };
        recipe.set_lr(1.0);
        let config = recipe.run_config(7, 10, "of the data");
        let linear = |lr, total_steps| Schedule::Linear { lr, total_steps };
        assert_eq!(config.schedule, linear(1.0, 40));
        let schedules: Vec<_> = config.groups.iter().map(|group| group.schedule).collect();
        let expected = [Some(linear(4.0, 40)), Some(linear(4.0, 30)), Some(linear(4.0, 40)), None];
        assert_eq!(schedules, expected);
        assert_eq!((config.seed, config.data_sha256.as_str()), (7, "of the data"));
    }
}
