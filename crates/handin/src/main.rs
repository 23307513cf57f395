//! `cargo xtask submission` and `cargo xtask package`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use handin::{PackageArguments, SubmissionArguments};
use system::eprintln;

/// What is handed in besides the report.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,

    /// The workspace to hand in [default: the one around the current folder]
    #[arg(long, value_name = "DIR", global = true)]
    workspace: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Task {
    Submission(SubmissionArguments),
    Package(PackageArguments),
}

fn main() -> ExitCode {
    system::close(match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    })
}

fn run(cli: &Cli) -> Result<()> {
    let start = match &cli.workspace {
        Some(folder) => folder.clone(),
        None => std::env::current_dir().context("cannot find the current folder")?,
    };
    let root = system::workspace_root(&start).with_context(|| {
        format!(
            "{} is not inside a Cargo workspace: run this in the repository, or name it with --workspace",
            start.display()
        )
    })?;
    match &cli.task {
        Task::Submission(arguments) => arguments.run(&root),
        Task::Package(arguments) => arguments.run(&root),
    }
}
