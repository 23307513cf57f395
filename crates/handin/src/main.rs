//! `cargo xtask submission`, `cargo xtask package`, `cargo xtask starter` and `cargo xtask autograder`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use handin::{AutograderArguments, PackageArguments, StarterArguments, SubmissionArguments};

/// What is handed in besides the report, and what is handed out.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Task {
    Submission(SubmissionArguments),
    Package(PackageArguments),
    Starter(StarterArguments),
    Autograder(AutograderArguments),
}

fn main() -> ExitCode {
    system::finish(run(&Task::parse()).map(|()| ExitCode::SUCCESS))
}

fn run(task: &Task) -> Result<()> {
    let here = std::env::current_dir().context("cannot find the current folder")?;
    let root = system::workspace_root(&here).with_context(|| {
        format!("{} is not inside a Cargo workspace: run this in the repository", here.display())
    })?;
    match task {
        Task::Submission(arguments) => arguments.run(&root),
        Task::Package(arguments) => arguments.run(&root, None),
        Task::Starter(arguments) => arguments.run(&root),
        Task::Autograder(arguments) => arguments.run(&root),
    }
}
