//! The grading program: `cargo xtask grade` and `cargo xtask regrade` call it.

mod isolate;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Grades hand-ins
#[derive(Parser)]
#[command(name = "grading", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(hide = true)]
    Isolate(isolate::Isolate),
}

fn main() -> ExitCode {
    system::finish(run())
}

fn run() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Isolate(arguments) => arguments.run(),
    }
}
