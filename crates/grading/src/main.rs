//! The grading program: `cargo xtask grade` and `cargo xtask regrade` call it.

mod class;
mod grade;
mod gradescope;
mod hand_in;
mod isolate;
mod points;
mod products;
mod rust;
mod sandbox;
mod snapshot;
mod verification;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Grades hand-ins
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Grade(Box<grade::Arguments>),
    Regrade(grade::Again),
    Demonstrate(grade::Demonstrate),
    #[command(hide = true)]
    Isolate(isolate::Isolate),
    /// Compile what hand-ins in Rust are built on, which the first of them would wait for
    #[command(hide = true)]
    Prepare,
    /// Be the harness, which verifies each hand-in in a process of its own
    #[command(hide = true, disable_help_flag = true)]
    Harness {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Harness { arguments } => {
            harness::run([OsString::from("harness")].into_iter().chain(arguments))
        }
        command => system::finish(run(command)),
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Grade(arguments) => arguments.run(),
        Command::Regrade(arguments) => arguments.run(),
        Command::Demonstrate(arguments) => arguments.run(),
        Command::Isolate(arguments) => arguments.run(),
        Command::Prepare => {
            rust::Clean::prepare(&grade::workspace()?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Harness { .. } => unreachable!("it has no result"),
    }
}
