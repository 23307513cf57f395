//! One run of the Iris experiment.

use std::fmt;

use activations::Activation;
use clap::Args;
use datasets::{Batches, Preprocess, Splits};
use experiment::{EpochMetrics, MetricsSink};
use layers::{FullyConnectedConfig, LayerConfig, WeightInit};
use losses::Loss;
use network::NeuralNetwork;
use numerics::{Rng, Scalar};
use optim::{Schedule, SgdConfig};
use serde::{Deserialize, Serialize};
use training::{Event, Learner, RunConfig, TrainingError};

/// The hyperparameters of a run; the seed is not one of them.
///
/// The comments of the fields are the help of the command line.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IrisConfig {
    /// Learning rate
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    pub lr: f64,
    /// Sizes of the hidden layers, separated by commas, or none
    #[arg(long, value_name = "SIZES", default_value = "8", allow_negative_numbers = true)]
    #[arg(value_parser = |text: &str| Hidden::try_from(text.to_owned()))]
    pub hidden: Hidden,
    /// The hyperparameters that a sweep holds fixed.
    #[command(flatten)]
    #[serde(flatten)]
    pub training: Hyperparameters,
}

/// The hyperparameters that a sweep holds fixed.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Training")]
#[serde(deny_unknown_fields)]
pub struct Hyperparameters {
    /// Activation of the hidden layers: linear, sigmoid, tanh, relu, softmax, arctan, gelu
    #[arg(long, default_value_t = Self::default().activation)]
    pub activation: Activation,
    /// Initialiser of the weights, by the course's name
    #[arg(long, default_value_t = Self::default().weight_init)]
    pub weight_init: WeightInit,
    /// Loss: cross_entropy, l2, softmax_cross_entropy
    #[arg(long, default_value_t = Self::default().loss)]
    pub loss: Loss,
    /// Scaling of the features, fitted on the training split: none, normalise, standardise
    #[arg(long, default_value_t = Self::default().preprocess)]
    pub preprocess: Preprocess,
    /// Epochs
    #[arg(long, default_value_t = Self::default().epochs, allow_negative_numbers = true)]
    pub epochs: u64,
    /// Examples in a mini-batch
    #[arg(long, default_value_t = Self::default().batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Momentum, in [0, 1)
    #[arg(long, default_value_t = Self::default().momentum, allow_negative_numbers = true)]
    pub momentum: f64,
    /// Largest norm of the gradient of a parameter tensor [default: unbounded]
    #[arg(long, allow_negative_numbers = true)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The decay of the learning rate, if it decays.
    #[command(flatten)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<Decay>,
}

/// Exponential decay of the learning rate.
#[derive(Args, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    /// Factor by which the learning rate decays exponentially, in (0, 1] [default: constant rate]
    #[arg(long = "decay", id = "decay", value_name = "DECAY", required = false)]
    #[arg(allow_negative_numbers = true)]
    pub factor: f64,
    /// Iterations in which it decays by that factor
    #[arg(long = "decay-steps", id = "decay_steps", value_name = "DECAY_STEPS")]
    #[arg(default_value_t = 100, requires = "decay", allow_negative_numbers = true)]
    pub steps: u64,
    /// Let the learning rate decay all at once
    #[arg(long, requires = "decay")]
    pub staircase: bool,
}

/// The sizes of the hidden layers: `"8"`, `"16,8"`, or `"none"`, which makes the network a softmax
/// regression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hidden(pub Vec<usize>);

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        f.write_str(&self.0.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
    }
}

impl TryFrom<String> for Hidden {
    type Error = TrainingError;

    fn try_from(text: String) -> Result<Self, TrainingError> {
        if text == "none" {
            return Ok(Self::default());
        }
        let sizes = text.split(',').map(|size| size.trim().parse()).collect::<Result<_, _>>();
        Ok(Self(sizes.map_err(|_| {
            let (what, expected) =
                ("the sizes of hidden layers", "numbers separated by commas, or none");
            TrainingError::config(what, expected, format!("{text:?}"))
        })?))
    }
}

impl From<Hidden> for String {
    fn from(hidden: Hidden) -> Self {
        hidden.to_string()
    }
}

impl Default for Hyperparameters {
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

/// The random stream of the weights; those of the mini-batches are far from it.
const WEIGHTS: u64 = 0;

impl IrisConfig {
    /// Checks what can be checked without the data.
    pub fn validate(&self) -> Result<(), TrainingError> {
        self.run_config(0).validate()
    }

    /// The untrained network for these data: the hidden layers, then one output for each class.
    pub fn network<T: Scalar>(
        &self,
        data: &Splits<T>,
        seed: u64,
    ) -> Result<NeuralNetwork<T>, TrainingError> {
        let Hyperparameters { activation, weight_init, loss, .. } = self.training;
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
        let hidden = self.hidden.0.iter().map(|&units| layer(units, activation));
        let configs: Vec<_> = hidden.chain([layer(data.train.n_out(), last)]).collect();
        let rng = &mut Rng::with_stream(seed, WEIGHTS);
        Ok(NeuralNetwork::build(&configs, data.train.example_shape(), loss, rng)?)
    }

    /// Trains a network on data that have been preprocessed; that network, and training and validation set
    /// after the last epoch.
    ///
    /// # Errors
    /// As [`network`](Self::network) and [`Learner::advance`].
    pub fn run<T: Scalar>(
        &self,
        data: &Splits<T>,
        seed: u64,
        sink: &mut dyn MetricsSink,
    ) -> Result<(NeuralNetwork<T>, EpochMetrics), TrainingError> {
        let batches = Batches::new(&data.train, self.training.batch_size, seed)?;
        let mut learner = Learner::new(self.network(data, seed)?, self.run_config(seed))?;
        let mut last = None;
        while !learner.is_over() {
            match learner.advance(&batches, &data.train, Some(&data.validation))? {
                Event::Step(step) => sink.iteration(&step.metrics)?,
                Event::Epoch(metrics) => {
                    sink.epoch(&metrics)?;
                    last = Some(metrics);
                }
            }
        }
        Ok((learner.into_model(), last.expect("there is at least one epoch")))
    }

    fn run_config(&self, seed: u64) -> RunConfig {
        let Hyperparameters { epochs, batch_size, momentum, clip_norm, decay, .. } = self.training;
        let lr = self.lr;
        RunConfig {
            epochs,
            batch_size,
            seed,
            sgd: SgdConfig { momentum, clip_norm, ..SgdConfig::default() },
            schedule: match decay {
                None => Schedule::Constant { lr },
                Some(Decay { factor: decay, steps: decay_steps, staircase }) => {
                    Schedule::Exponential { lr, decay, decay_steps, staircase }
                }
            },
            groups: vec![],
            label_smoothing: 0.0,
            augmentation: "none".to_owned(),
            data_sha256: String::new(),
        }
    }
}
