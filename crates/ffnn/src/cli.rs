//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use activations::Activation;
use clap::{Args, Parser, Subcommand};
use datasets::{Preprocess, Splits};
use experiment::{Data, Dtype, ModelName, Program};
use ffnn::{Decay, Training};
use layers::WeightInit;
use losses::Loss;
use numerics::Scalar;

use crate::failure::Failure;
use crate::sweep_command::{self, SweepArguments};
use crate::train_command::{self, TrainArguments};

/// Trains feed-forward networks on the Iris data set (question 5).
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trains one network and records the run.
    Train(TrainArguments),
    /// Runs a grid of learning rates and hidden sizes, each with several seeds, and tests the best.
    Sweep(SweepArguments),
}

pub(crate) fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Train(arguments) => train_command::execute(&arguments),
        Command::Sweep(arguments) => sweep_command::execute(&arguments),
    };
    stdio::close(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    })
}

/// What both commands let one choose about a training.
#[derive(Args, Debug)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingArguments {
    /// Activation of the hidden layers: linear, sigmoid, tanh, relu, softmax, arctan, gelu
    #[arg(long, default_value_t = Training::default().activation)]
    activation: Activation,
    /// Initialiser of the weights, by the course's name
    #[arg(long, default_value_t = Training::default().weight_init)]
    weight_init: WeightInit,
    /// Loss: cross_entropy, l2, softmax_cross_entropy
    #[arg(long, default_value_t = Training::default().loss)]
    loss: Loss,
    /// Scaling of the features, fitted on the training split: none, normalise, standardise
    #[arg(long, default_value_t = Training::default().preprocess)]
    preprocess: Preprocess,
    /// Epochs
    #[arg(long, default_value_t = Training::default().epochs, allow_negative_numbers = true)]
    epochs: u64,
    /// Examples in a mini-batch
    #[arg(long, default_value_t = Training::default().batch_size, allow_negative_numbers = true)]
    batch_size: usize,
    /// Momentum, in [0, 1)
    #[arg(long, default_value_t = Training::default().momentum, allow_negative_numbers = true)]
    momentum: f64,
    /// Largest norm of the gradient of a parameter tensor [default: unbounded]
    #[arg(long, allow_negative_numbers = true)]
    clip_norm: Option<f64>,
    /// Factor by which the learning rate decays exponentially, in (0, 1] [default: constant rate]
    #[arg(long, allow_negative_numbers = true)]
    decay: Option<f64>,
    /// Iterations in which it decays by that factor
    #[arg(long, default_value_t = 100, requires = "decay", allow_negative_numbers = true)]
    decay_steps: u64,
    /// Let the learning rate decay all at once
    #[arg(long, requires = "decay")]
    staircase: bool,
}

impl TrainingArguments {
    pub(crate) fn training(&self) -> Training {
        let (steps, staircase) = (self.decay_steps, self.staircase);
        Training {
            activation: self.activation,
            weight_init: self.weight_init,
            loss: self.loss,
            preprocess: self.preprocess,
            epochs: self.epochs,
            batch_size: self.batch_size,
            momentum: self.momentum,
            clip_norm: self.clip_norm,
            decay: self.decay.map(|factor| Decay { factor, steps, staircase }),
        }
    }
}

/// Where data come from and where the record goes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data and record")]
pub(crate) struct RecordArguments {
    /// Folder with iris_{train,val,test}_{data,labels}.npy [default: the split that ships with the
    /// program]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Number type: f32, f64
    #[arg(long, default_value_t = Dtype::F32)]
    pub(crate) dtype: Dtype,
    /// Folder that gets the record, in a folder named by the model
    #[arg(long, value_name = "DIR", default_value_os_t = experiment::default_root())]
    pub(crate) output: PathBuf,
    /// Replace a record of that name
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub(crate) quiet: bool,
}

impl RecordArguments {
    pub(crate) fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// The data, scaled.
    pub(crate) fn load<T: Scalar>(&self, preprocess: Preprocess) -> Result<Splits<T>, Failure> {
        let splits = match &self.data_dir {
            Some(directory) => Splits::from_directory(directory, "iris")?,
            None => Splits::iris()?,
        };
        Ok(splits.preprocess(preprocess)?)
    }
}

pub(crate) fn describe<T: Scalar>(splits: &Splits<T>) -> Data {
    Data {
        name: splits.name.clone(),
        sha256: splits.sha256.clone(),
        train: splits.train.len(),
        validation: splits.validation.len(),
        test: splits.test.len(),
    }
}

pub(crate) fn program() -> Program {
    Program::current(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// The command line as it can be typed again.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| quoted(&argument.to_string_lossy()));
    ["cargo run -p ffnn --".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

/// An argument as a shell takes it.
pub(crate) fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=+".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

pub(crate) fn model_name(text: &str) -> Result<ModelName, experiment::ExperimentError> {
    text.parse()
}

/// A fraction as it is read: `4.0 %`.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.1} %", 100.0 * fraction)
}
