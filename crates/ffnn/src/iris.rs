//! One run of the Iris experiment.

use activations::Activation;
use datasets::{Preprocess, Splits};
use experiment::{EpochMetrics, Evaluation, MetricsSink};
use layers::{FullyConnectedConfig, LayerConfig, LayerShapes, WeightInit};
use losses::Loss;
use numerics::{Rng, Scalar};
use optim::{ScheduleConfig, SgdConfig};
use serde::{Deserialize, Serialize};

use crate::{FfnnError, Hidden, NeuralNetwork, TrainConfig};

/// The hyperparameters of a run; the seed is not one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IrisConfig {
    /// The learning rate of the first step.
    pub lr: f64,
    /// The sizes of the hidden layers.
    pub hidden: Hidden,
    /// Those that a sweep holds fixed.
    #[serde(flatten)]
    pub training: Training,
}

/// The hyperparameters that a sweep holds fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The activation of the hidden layers.
    pub activation: Activation,
    /// How the weights of every layer are drawn.
    pub weight_init: WeightInit,
    /// The loss; with it comes the last activation.
    pub loss: Loss,
    /// How the features are scaled.
    pub preprocess: Preprocess,
    /// How often every example is seen.
    pub epochs: u64,
    /// The number of examples in a mini-batch.
    pub batch_size: usize,
    /// The share of the last velocity that is kept.
    pub momentum: f64,
    /// The largest norm of the gradient of a parameter tensor, if it is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// How the learning rate decays, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<Decay>,
}

/// Exponential decay of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    /// The factor by which the rate shrinks, in `(0, 1]`.
    pub factor: f64,
    /// The number of iterations in which it does.
    pub steps: u64,
    /// Whether it shrinks all at once.
    pub staircase: bool,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            activation: Activation::ReLU,
            weight_init: WeightInit::XavierUniform,
            loss: Loss::SoftmaxCrossEntropy,
            preprocess: Preprocess::Standardise,
            epochs: 100,
            batch_size: 20,
            momentum: 0.0,
            clip_norm: None,
            decay: None,
        }
    }
}

/// What a run ends with.
#[derive(Debug)]
pub struct Outcome<T: Scalar> {
    /// The trained network.
    pub network: NeuralNetwork<T>,
    /// Training and validation set after the last epoch.
    pub last: EpochMetrics,
}

/// The random stream of the weights; those of the mini-batches are far from it.
const WEIGHTS: u64 = 0;

impl IrisConfig {
    /// Checks what can be checked without the data.
    ///
    /// # Errors
    /// [`FfnnError::Hyperparameter`] or [`FfnnError::Optim`].
    pub fn validate(&self) -> Result<(), FfnnError> {
        self.schedule().build()?;
        self.sgd().build::<f64>()?;
        for (what, value) in [
            ("the number of epochs", self.training.epochs),
            ("the batch size", self.training.batch_size as u64),
        ] {
            if value == 0 {
                let (expected, got) = ("at least 1".to_owned(), "0".to_owned());
                return Err(FfnnError::Hyperparameter { what, expected, got });
            }
        }
        Ok(())
    }

    /// The layers: the hidden ones, then one output for each class.
    #[must_use]
    pub fn layer_configs<T: Scalar>(&self, classes: usize) -> Vec<Box<dyn LayerConfig<T>>> {
        let Training { activation, weight_init, loss, .. } = self.training;
        let last = match loss {
            Loss::CrossEntropy => Activation::SoftMax,
            Loss::SoftmaxCrossEntropy | Loss::L2 => Activation::Linear,
        };
        let layer = |n_out: usize, activation: Activation| -> Box<dyn LayerConfig<T>> {
            Box::new(FullyConnectedConfig {
                activation,
                weight_init,
                ..FullyConnectedConfig::new(n_out)
            })
        };
        let hidden = self.hidden.sizes().iter().map(|&units| layer(units, activation));
        hidden.chain([layer(classes, last)]).collect()
    }

    /// The shapes of the layers for these data.
    ///
    /// # Errors
    /// As [`NeuralNetwork::shapes`].
    pub fn shapes<T: Scalar>(&self, data: &Splits<T>) -> Result<Vec<LayerShapes>, FfnnError> {
        let configs = self.layer_configs(data.train.n_out());
        NeuralNetwork::<T>::shapes(&configs, data.train.example_shape())
    }

    /// The untrained network for these data.
    ///
    /// # Errors
    /// As [`NeuralNetwork::build`].
    pub fn network<T: Scalar>(
        &self,
        data: &Splits<T>,
        seed: u64,
    ) -> Result<NeuralNetwork<T>, FfnnError> {
        let configs = self.layer_configs(data.train.n_out());
        let rng = &mut Rng::with_stream(seed, WEIGHTS);
        NeuralNetwork::build(&configs, data.train.example_shape(), self.training.loss, rng)
    }

    /// Trains a network on data that have been preprocessed.
    ///
    /// # Errors
    /// As [`network`](Self::network) and [`NeuralNetwork::train`].
    pub fn run<T: Scalar>(
        &self,
        data: &Splits<T>,
        seed: u64,
        sink: &mut dyn MetricsSink,
    ) -> Result<Outcome<T>, FfnnError> {
        let mut network = self.network(data, seed)?;
        let config = TrainConfig {
            epochs: self.training.epochs,
            batch_size: self.training.batch_size,
            sgd: self.sgd(),
            schedule: self.schedule(),
            seed,
        };
        let last = network.train(&data.train, Some(&data.validation), &config, sink)?;
        Ok(Outcome { network, last })
    }

    fn sgd(&self) -> SgdConfig {
        let (momentum, clip_norm) = (self.training.momentum, self.training.clip_norm);
        SgdConfig { momentum, clip_norm, ..SgdConfig::default() }
    }

    fn schedule(&self) -> ScheduleConfig {
        let lr = self.lr;
        match self.training.decay {
            None => ScheduleConfig::Constant { lr },
            Some(Decay { factor, steps, staircase }) => {
                ScheduleConfig::Exponential { lr, decay: factor, decay_steps: steps, staircase }
            }
        }
    }
}

impl<T: Scalar> Outcome<T> {
    /// The test set, which nothing was chosen by.
    ///
    /// # Errors
    /// As [`NeuralNetwork::test`].
    pub fn test(&self, data: &Splits<T>) -> Result<Evaluation, FfnnError> {
        self.network.test(&data.test)
    }
}
