//! `cargo xtask submission` and `cargo xtask package`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use handin::{HandinError, PackageArguments, SubmissionArguments, root_above};
use stdio::eprintln;

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
    stdio::close(match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    })
}

fn run(cli: &Cli) -> Result<(), HandinError> {
    let start = match &cli.workspace {
        Some(folder) => folder.clone(),
        None => std::env::current_dir().map_err(|cause| HandinError::Io {
            action: "find",
            path: PathBuf::from("the current folder"),
            cause,
        })?,
    };
    let root = root_above(&start)?;
    match &cli.task {
        Task::Submission(arguments) => arguments.run(&root),
        Task::Package(arguments) => arguments.run(&root),
    }
}
