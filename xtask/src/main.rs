//! The tasks of the workspace, as `cargo xtask TASK`.
//!
//! Each task is a file of its own and echoes the commands that it runs. Nothing here computes: the
//! verification is the crate `harness`, the book is the crate `report`, what is handed in besides is
//! the crate `handin`.

mod bench;
mod cargo_test;
mod check;
mod command;
mod data;
mod fixtures;
mod gradcheck;
mod handin;
mod manifest;
mod problem;
mod report;
mod test;
mod workspace;

use std::process::{ExitCode, ExitStatus};

use clap::{Parser, Subcommand};
use stdio::eprintln;

/// The tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Test(test::Arguments),
    Gradcheck(gradcheck::Arguments),
    Data(data::Arguments),
    Fixtures(fixtures::Arguments),
    Report(report::Arguments),
    /// Time kernels and training steps, in turn with PyTorch if asked
    Bench(bench::Arguments),
    /// Write the graded code as one LaTeX or Markdown document
    Submission(handin::Arguments),
    /// Pack all code into an archive, and build and test it elsewhere
    Package(handin::Arguments),
    Check(check::Arguments),
}

/// The exit status of a task: 0 if everything is in order, 1 if not, 2 for wrong usage.
struct Verdict(u8);

impl Verdict {
    const FAILED: Self = Self(1);
}

impl From<bool> for Verdict {
    fn from(passed: bool) -> Self {
        Self(u8::from(!passed))
    }
}

impl From<ExitStatus> for Verdict {
    fn from(status: ExitStatus) -> Self {
        // A program that a signal ended has no code.
        Self(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1))
    }
}

fn main() -> ExitCode {
    let verdict = match Cli::parse().task {
        Task::Test(arguments) => test::run(&arguments),
        Task::Gradcheck(arguments) => gradcheck::run(&arguments),
        Task::Data(arguments) => data::run(&arguments),
        Task::Fixtures(arguments) => fixtures::run(&arguments),
        Task::Report(arguments) => report::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Submission(arguments) => handin::run("submission", &arguments),
        Task::Package(arguments) => handin::run("package", &arguments),
        Task::Check(arguments) => check::run(&arguments),
    };
    let Verdict(code) = verdict.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Verdict::FAILED
    });
    stdio::close(code.into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_a_task_does_not_know_is_passed_on() {
        let cli = Cli::try_parse_from(["cargo xtask", "report", "--open", "--out", "x"]).unwrap();
        let Task::Report(arguments) = cli.task else { panic!("another task") };
        assert_eq!(arguments.arguments, ["--open", "--out", "x"]);
    }

    #[test]
    fn an_unknown_task_is_a_usage_error() {
        let error = Cli::try_parse_from(["cargo xtask", "tset"]).err().unwrap();
        assert_eq!(error.exit_code(), 2);
    }
}
