//! The parts of the recipe of question 7.2, each of which can be left out.

use std::fmt;
use std::str::FromStr;

use activations::Activation;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use datasets::Flip;
use layers::{BatchNormConfig, WeightInit};
use training::LayerSpec;

use crate::{KaggleError, Recipe};

/// A part of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
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
    /// Maxima rather than means of windows.
    MaxPooling,
    /// Weights drawn with He's variance rather than Xavier's.
    HeInit,
}

impl Component {
    /// Every part, in the order of a table.
    pub const ALL: [Self; 9] = [
        Self::BatchNorm,
        Self::Flip,
        Self::Shift,
        Self::LabelSmoothing,
        Self::WeightDecay,
        Self::Momentum,
        Self::Schedule,
        Self::MaxPooling,
        Self::HeInit,
    ];

    /// The name, as it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BatchNorm => "batch-norm",
            Self::Flip => "flip",
            Self::Shift => "shift",
            Self::LabelSmoothing => "label-smoothing",
            Self::WeightDecay => "weight-decay",
            Self::Momentum => "momentum",
            Self::Schedule => "schedule",
            Self::MaxPooling => "max-pooling",
            Self::HeInit => "he-init",
        }
    }

    /// Takes this part out of a recipe. Everything else stays, the learning rate too.
    pub fn remove_from(self, recipe: &mut Recipe) {
        let layers = &mut recipe.model.layers;
        match self {
            Self::BatchNorm => remove_batch_norm(layers),
            Self::Flip => recipe.augmentation.flip = Flip::Never,
            Self::Shift => recipe.augmentation.shift = 0,
            Self::LabelSmoothing => recipe.label_smoothing = 0.0,
            Self::WeightDecay => recipe.sgd.weight_decay = 0.0,
            Self::Momentum => {
                // Steps are as long in the long run: a velocity gathers 1 / (1 - μ) gradients.
                recipe.lr /= 1.0 - recipe.sgd.momentum;
                recipe.sgd.momentum = 0.0;
                recipe.sgd.nesterov = false;
            }
            Self::Schedule => recipe.triangular = false,
            Self::MaxPooling => {
                for layer in layers {
                    if let LayerSpec::Pool2D(Pool2DConfig { mode, .. }) = layer {
                        *mode = PoolMode::Average;
                    }
                }
            }
            Self::HeInit => {
                for layer in layers {
                    if let LayerSpec::Conv2D(Conv2DConfig { weight_init, .. }) = layer {
                        *weight_init = WeightInit::XavierUniform;
                    }
                }
            }
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

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Component {
    type Err = KaggleError;

    fn from_str(name: &str) -> Result<Self, KaggleError> {
        let found = Self::ALL.into_iter().find(|component| component.name() == name);
        found.ok_or_else(|| KaggleError::Component {
            known: Self::ALL.map(Self::name).join(", "),
            got: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use numerics::Rng;
    use training::Model;

    use super::*;

    #[test]
    fn each_part_is_there_and_can_be_taken_out() {
        for component in Component::ALL {
            let mut recipe = Recipe::cifar10_cnn();
            component.remove_from(&mut recipe);
            assert_ne!(recipe, Recipe::cifar10_cnn(), "{component}");
            assert!(Model::build(recipe.model.clone(), &mut Rng::new(0)).is_ok(), "{component}");
            let once = recipe.clone();
            component.remove_from(&mut recipe);
            assert_eq!(recipe, once, "{component} can only be taken out once");
            assert_eq!(component.name().parse::<Component>().unwrap(), component);
        }
    }

    #[test]
    fn without_normalisation_every_convolution_has_the_activation() {
        let mut recipe = Recipe::cifar10_cnn();
        Component::BatchNorm.remove_from(&mut recipe);
        let convolutions = recipe.model.layers.iter().filter_map(|layer| match layer {
            LayerSpec::Conv2D(config) => Some(config.activation),
            _ => None,
        });
        assert_eq!(convolutions.collect::<Vec<_>>(), [Activation::ReLU; 6]);
        assert!(!recipe.model.layers.iter().any(|l| matches!(l, LayerSpec::BatchNorm(_))));
    }

    #[test]
    fn an_unknown_part_lists_the_known_ones() {
        let error = "dropout".parse::<Component>().unwrap_err().to_string();
        assert!(error.contains("batch-norm, flip, shift") && error.contains("dropout"), "{error}");
    }
}
