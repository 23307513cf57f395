//! The parts of a recipe of question 7.2, each of which can be left out.

use activations::Activation;
use clap::ValueEnum;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use datasets::Flip;
use layers::{BatchNormConfig, WeightInit};
use optim::{OptimiserConfig, SgdConfig};
use training::{LayerSpec, UsageError};

use crate::recipe::{RateShape, Recipe, RecipeGroup};

/// A part of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Component {
    /// Batch normalisation; what is left of it is its activation, moved into the convolution.
    BatchNorm,
    /// Mirrored images.
    Flip,
    /// Shifted images.
    Shift,
    /// Targets that are spread over the other classes.
    LabelSmoothing,
    /// Small weights.
    WeightDecay,
    /// Momentum, with it Nesterov's form.
    Momentum,
    /// A learning rate that rises and falls.
    Schedule,
    /// The second convolution of a group as wide as the first, with its normalisation.
    Depth,
    /// Maxima rather than means of windows.
    MaxPooling,
    /// Weights drawn with He's variance rather than Xavier's.
    HeInit,
    /// Filters of the first layer that whiten its input, and are not trained; without them they are
    /// drawn, and trained as the other filters are.
    Whitening,
    /// Filters that pass channels through, rather than drawn with Xavier's variance.
    DiracInit,
    /// Filters trained by Muon rather than by SGD, at the rate of airbench94's form without Muon.
    Muon,
}

impl Component {
    /// The name, as it is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().expect("every part can be typed").get_name().to_owned()
    }

    /// The parts of a recipe that it can be without, in the order of a table.
    pub(crate) fn of(recipe: &Recipe) -> Vec<Self> {
        let is_in = |part: &Self| part.left_out_of(recipe) != *recipe;
        Self::value_variants().iter().copied().filter(is_in).collect()
    }

    /// Takes this part out of a recipe, which has to have it.
    pub(crate) fn remove_from(self, recipe: &mut Recipe) -> Result<(), UsageError> {
        let without = self.left_out_of(recipe);
        if without == *recipe {
            let (model, part) = (&recipe.model.name, self.name());
            let known = Self::of(recipe).into_iter().map(Self::name).collect::<Vec<_>>().join(", ");
            return Err(UsageError::new(format!(
                "the recipe of {model} has no part {part} to leave out: expected one of {known}"
            )));
        }
        *recipe = without;
        Ok(())
    }

    /// The recipe without this part; the same if it is not in it. Everything else stays, the learning rate too.
    fn left_out_of(self, full: &Recipe) -> Recipe {
        let mut recipe = full.clone();
        let layers = &mut recipe.model.layers;
        match self {
            // Groups name layers by their place, and have rates for their momentum.
            Self::BatchNorm | Self::Momentum | Self::Depth if !recipe.groups.is_empty() => {}
            Self::BatchNorm => remove_batch_norm(layers),
            Self::Flip => recipe.augmentation.flip = Flip::Never,
            Self::Shift => recipe.augmentation.shift = 0,
            Self::LabelSmoothing => recipe.label_smoothing = 0.0,
            Self::WeightDecay => recipe.sgds().for_each(|sgd| sgd.weight_decay = 0.0),
            Self::Momentum => {
                // Steps are as long in the long run: a velocity gathers 1 / (1 - μ) gradients.
                recipe.lr /= 1.0 - recipe.sgd.momentum;
                recipe.sgd.momentum = 0.0;
                recipe.sgd.nesterov = false;
            }
            Self::Schedule => recipe.rate = RateShape::Constant,
            Self::Depth => remove_repeated_convolutions(layers),
            Self::MaxPooling => {
                for layer in layers {
                    if let LayerSpec::Pool2D(Pool2DConfig { mode, .. }) = layer {
                        *mode = PoolMode::Average;
                    }
                }
            }
            Self::HeInit => draw_by_xavier(layers, WeightInit::HeNormal),
            Self::DiracInit => draw_by_xavier(layers, WeightInit::Dirac),
            Self::Whitening => {
                let had_one = recipe.whitening.take().is_some();
                recipe.groups.retain(|group| group.optimiser != OptimiserConfig::Frozen);
                let filters = recipe.groups.iter_mut().find(|group| had_one && is_muon(group));
                if let Some(RecipeGroup { parameters, .. }) = filters {
                    parameters.insert(0, "0.W".to_owned());
                }
            }
            Self::Muon => {
                let images = recipe.batch_size as f64;
                let lr = SGD_LR_OF_FILTERS * images;
                let weight_decay = recipe.sgd.weight_decay * recipe.lr / lr;
                let sgd = OptimiserConfig::Sgd(SgdConfig { weight_decay, ..recipe.sgd });
                for group in recipe.groups.iter_mut().filter(|group| is_muon(group)) {
                    (group.optimiser, group.lr) = (sgd, lr);
                }
            }
        }
        recipe
    }
}

/// The learning rate of filters in airbench94's form without Muon, for each image of a mini-batch: 11.5
/// for 1,024 images and all steps that momentum makes of one, as that program states it.
const SGD_LR_OF_FILTERS: f64 = 11.5 / (1024.0 * (1.0 + 1.0 / (1.0 - 0.85)));

fn is_muon(group: &RecipeGroup) -> bool {
    matches!(group.optimiser, OptimiserConfig::Muon(_))
}

/// Draws with Xavier's variance the convolutions that are drawn in this way.
fn draw_by_xavier(layers: &mut [LayerSpec], now: WeightInit) {
    for layer in layers {
        if let LayerSpec::Conv2D(Conv2DConfig { weight_init, .. }) = layer
            && *weight_init == now
        {
            *weight_init = WeightInit::XavierUniform;
        }
    }
}

/// The activation of a normalisation goes to the convolution before it. Between the two there is at
/// most a max pooling, with which a monotone activation such as ReLU may change places.
fn remove_batch_norm(layers: &mut Vec<LayerSpec>) {
    let mut kept: Vec<LayerSpec> = Vec::with_capacity(layers.len());
    for layer in layers.drain(..) {
        let LayerSpec::BatchNorm(BatchNormConfig { activation, .. }) = layer else {
            kept.push(layer);
            continue;
        };
        let convolution = kept.iter_mut().rev().find_map(|layer| match layer {
            LayerSpec::Conv2D(config) if config.activation == Activation::Linear => Some(config),
            _ => None,
        });
        if let Some(config) = convolution {
            config.activation = activation;
        }
    }
    *layers = kept;
}

/// Removes each convolution that is as wide as the one before it, with the normalisation between the two.
fn remove_repeated_convolutions(layers: &mut Vec<LayerSpec>) {
    let width = |layer: &LayerSpec| match layer {
        LayerSpec::Conv2D(config) => Some(config.n_out),
        _ => None,
    };
    let mut kept: Vec<LayerSpec> = Vec::with_capacity(layers.len());
    for layer in layers.drain(..) {
        let before = kept.iter().rposition(|layer| width(layer).is_some());
        match before {
            Some(at) if width(&layer) == width(&kept[at]) => kept.truncate(at + 1),
            _ => kept.push(layer),
        }
    }
    *layers = kept;
}

#[cfg(test)]
mod tests {
    use numerics::Rng;
    use training::Model;

    use super::*;

    #[test]
    fn each_part_is_there_and_can_be_taken_out_once() {
        let mut seen = Vec::new();
        for full in [Recipe::cifar10_cnn(), Recipe::cifar10_fast(), Recipe::cifar10_best()] {
            for component in Component::of(&full) {
                let what = format!("{component:?} of {}", full.model.name);
                let mut recipe = full.clone();
                component.remove_from(&mut recipe).unwrap();
                assert_ne!(recipe, full, "{what}");
                let model = Model::build(recipe.model.clone(), &mut Rng::new(0));
                let names: Vec<_> =
                    model.unwrap().network().parameters().map(|(name, _)| name).collect();
                let groups = recipe.run_config(0, 10, "").groups;
                for name in groups.iter().flat_map(|group| &group.parameters) {
                    assert!(names.contains(name), "{what}: {name}");
                }
                assert!(!Component::of(&recipe).contains(&component), "{what}");
                let once = recipe.clone();
                assert!(component.remove_from(&mut recipe).is_err(), "{what}");
                assert_eq!(recipe, once, "{what}");
                seen.push(component);
            }
        }
        for &component in Component::value_variants() {
            assert!(seen.contains(&component), "{component:?} is in no recipe");
        }
    }

    #[test]
    fn without_muon_a_parameter_loses_as_much_in_a_step_as_the_others() {
        for (batch_size, share) in [(2000, 4e-3), (100, 2e-4)] {
            let mut recipe = Recipe::cifar10_best();
            recipe.set_batch_size(batch_size);
            Component::Muon.remove_from(&mut recipe).unwrap();
            let RecipeGroup { optimiser, lr, .. } = recipe.groups[0];
            let OptimiserConfig::Sgd(sgd) = optimiser else { panic!("{optimiser:?}") };
            approx::assert_relative_eq!(sgd.weight_decay * lr, share, max_relative = 1e-12);
        }
    }

    #[test]
    fn what_is_left_takes_the_place_of_a_part() {
        let mut recipe = Recipe::cifar10_fast();
        Component::Whitening.remove_from(&mut recipe).unwrap();
        assert_eq!(recipe.groups[0].parameters[..2], ["0.W", "1.W"]);
        assert!(!recipe.groups.iter().any(|g| g.optimiser == OptimiserConfig::Frozen));

        let mut recipe = Recipe::cifar10_cnn();
        Component::BatchNorm.remove_from(&mut recipe).unwrap();
        let layers = recipe.model.layers.iter();
        let convolutions = layers.filter_map(|layer| match layer {
            LayerSpec::Conv2D(config) => Some(config.activation),
            _ => None,
        });
        assert_eq!(convolutions.collect::<Vec<_>>(), [Activation::ReLU; 6]);

        let mut recipe = Recipe::cifar10_cnn();
        let is_norm = |layer: &&LayerSpec| matches!(layer, LayerSpec::BatchNorm(_));
        Component::Depth.remove_from(&mut recipe).unwrap();
        let layers = &recipe.model.layers;
        let widths = layers.iter().filter_map(|layer| match layer {
            LayerSpec::Conv2D(config) => Some(config.n_out),
            _ => None,
        });
        assert_eq!(widths.collect::<Vec<_>>(), [32, 64, 128, 256]);
        assert_eq!(layers.iter().filter(is_norm).count(), 4);
    }
}
