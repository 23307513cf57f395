//! The Iris program of question 5: `cargo run -p ffnn -- train` and `cargo run -p ffnn -- sweep`.

mod record_arguments;
mod sweep_command;
mod sweep_table;
mod train_command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use system::eprintln;
use training::UsageError;
use unified as _;

use crate::sweep_command::SweepArguments;
use crate::train_command::TrainArguments;

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

fn main() -> ExitCode {
    system::panics_in_a_line();
    let result = match Arguments::parse().command {
        Command::Train(arguments) => train_command::execute(&arguments),
        Command::Sweep(arguments) => sweep_command::execute(&arguments),
    };
    system::finish(match result {
        Err(error) if error.is::<UsageError>() => {
            eprintln!("error: {error:#}\n\nFor more information, try '--help'.");
            Ok(ExitCode::from(2))
        }
        other => other.map(|()| ExitCode::SUCCESS),
    })
}
