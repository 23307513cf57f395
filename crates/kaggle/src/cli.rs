//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use system::eprintln;
use training::UsageError;

use crate::evaluate_command::{self, EvaluateArguments};
use crate::export_command::{self, ExportArguments};
use crate::predict_command::{self, PredictArguments};
use crate::train_command::{self, AblateArguments, OneRun, Outcome, TrainArguments};

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

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = |()| Outcome::Done;
    let result = match &arguments.command {
        None => predict_command::execute(&arguments.predict).map(done),
        Some(Command::Evaluate(evaluate)) => evaluate_command::execute(evaluate).map(done),
        Some(Command::Mlp(mlp)) => train_command::mlp(mlp),
        Some(Command::Train(train)) => train_command::train(train),
        Some(Command::Ablate(ablate)) => train_command::ablate(ablate),
        Some(Command::Export(export)) => export_command::execute(export).map(done),
    };
    system::close(match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(training::INTERRUPTED),
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<UsageError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_of_prediction_do_not_go_before_a_command() {
        for (line, expected) in [
            ("", None),
            ("--tta none --offline --output a.csv", None),
            ("evaluate --tta mirror --csv a.csv", None),
            ("evaluate --tta shifts", None),
            ("--tta mirror", None),
            ("--tta sideways", Some(2)),
            ("--tta evaluate", Some(2)),
            ("--offline evaluate", Some(2)),
            ("predict", Some(2)),
            ("--threads 0", Some(2)),
        ] {
            let parsed =
                Arguments::try_parse_from(["kaggle"].into_iter().chain(line.split_whitespace()));
            assert_eq!(parsed.map_err(|error| error.exit_code()).err(), expected, "{line}");
        }
    }
}
