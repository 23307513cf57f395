//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::evaluate_command::{self, EvaluateArguments};
use crate::predict_command::{self, PredictArguments};

/// Predict the classes of CIFAR-10 images, for the Kaggle competition of question 7
///
/// Without a command: writes submission.csv. The images are those of --test-data; else of
/// cifar10_test_data_sp23.npy, if it lies in a folder of the data; else the official test batch of
/// CIFAR-10, found or fetched, which stands in (not for submission); else, where that cannot be had, the
/// 100 sample images that ship with the program, written to sample_submission.csv.
#[derive(Debug, Parser)]
#[command(name = "kaggle", bin_name = "cargo run -p kaggle --", version)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(after_help = "\
Examples (with `cargo run -p kaggle --` before them):
  --test-data cifar10_test_data_sp23.npy --tta
  --checkpoint experiments/cifar10/checkpoints/last.safetensors
  --offline
  evaluate --csv submission.csv")]
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
}

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        None => predict_command::execute(&arguments.predict),
        Some(Command::Evaluate(evaluate)) => evaluate_command::execute(evaluate),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
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
        let code = |line: &[&str]| {
            let line = ["kaggle"].iter().chain(line);
            Arguments::try_parse_from(line).map_err(|error| error.exit_code()).err()
        };
        assert_eq!(code(&[]), None);
        assert_eq!(code(&["--tta", "--offline", "--output", "a.csv"]), None);
        assert_eq!(code(&["evaluate", "--tta", "--csv", "a.csv"]), None);
        assert_eq!(code(&["--tta", "evaluate"]), Some(2));
        assert_eq!(code(&["predict"]), Some(2));
        assert_eq!(code(&["--threads", "0"]), Some(2));
    }
}
