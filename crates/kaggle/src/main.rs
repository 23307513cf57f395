//! Question 7: networks trained on Fashion-MNIST and CIFAR-10, and classes for the images of the Kaggle
//! competition, by the program `cargo run -p kaggle`.
//!
//! A `Recipe` says what is trained and how; the commands `mlp`, `train` and `ablate` carry it out with the
//! crate `training`. The images to predict are the competition's, else the official test batch of CIFAR-10, which stands
//! in; `Weights` are a checkpoint, or those that ship with the program; `predict` computes the probability of
//! each class; a `Submission` is the file that the competition takes, checked before and after it is written.

mod component;
mod recipe;
mod recipes;
mod training_images;

mod output_file;
mod prediction;
mod submission;
mod test_images;
mod weights;

mod evaluation;

mod evaluate_command;
mod export_command;
mod options;
mod predict_command;
mod train_command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use system::eprintln;
use training::UsageError;
use unified as _;

use crate::evaluate_command::EvaluateArguments;
use crate::export_command::ExportArguments;
use crate::predict_command::PredictArguments;
use crate::train_command::{AblateArguments, OneRun, TrainArguments};

/// Predict the classes of CIFAR-10 images, for the Kaggle competition of question 7
///
/// Without a command: writes submission.csv. The images are those of --test-data; else of
/// cifar10_test_data_sp23.npy, if it lies in this folder or in one of the data; else the official test batch of
/// CIFAR-10, found or fetched, which stands in (not for submission); else, where that cannot be had, the
/// 100 sample images that ship with the program, written to sample_submission.csv.
#[derive(Debug, Parser)]
#[command(name = "kaggle", bin_name = "cargo run -p kaggle --", version)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(after_help = "\
Examples (with `cargo run -p kaggle --` before them):
  --test-data cifar10_test_data_sp23.npy
  --checkpoint experiments/cifar10/checkpoints/last.safetensors
  --offline --tta none
  evaluate --csv submission.csv
  mlp --test
  train --smoke
  train --recipe fast
  train --recipe best --all --test
  train --resume")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    predict: PredictArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the accuracy on the labelled official test batch
    Evaluate(EvaluateArguments),
    /// Train three fully-connected layers on Fashion-MNIST (question 7.1)
    Mlp(OneRun),
    /// Train a convolutional network on CIFAR-10 (question 7.2)
    Train(TrainArguments),
    /// Train it without each part of its recipe in turn
    Ablate(AblateArguments),
    /// Write the weights of a checkpoint without the state of its training
    Export(ExportArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = |()| ExitCode::SUCCESS;
    let result = match &arguments.command {
        None => predict_command::execute(&arguments.predict).map(done),
        Some(Command::Evaluate(evaluate)) => evaluate_command::execute(evaluate).map(done),
        Some(Command::Mlp(mlp)) => train_command::mlp(mlp),
        Some(Command::Train(train)) => train_command::train(train),
        Some(Command::Ablate(ablate)) => train_command::ablate(ablate),
        Some(Command::Export(export)) => export_command::execute(export).map(done),
    };
    system::finish(match result {
        Err(error) if error.is::<UsageError>() => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::from(2))
        }
        other => other,
    })
}
