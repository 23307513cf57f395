//! The tasks of the workspace, as `cargo xtask TASK`.
//!
//! Each echoes the commands that it runs. Nothing here computes: the verification is the crate `harness`,
//! the book is the crate `report`, what is handed in besides, or handed out, is the crate `handin`.

mod cargo_test;
mod check;
mod command;
mod fixtures;
mod manifest;
mod mutants;
mod problem;
mod test;
mod torture;
mod workspace;

use std::process::{ExitCode, ExitStatus};

use clap::{Parser, Subcommand};
use command::Options;

/// The tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every verification of the workspace
    ///
    /// First the harness: the course's tests, finite differences, formulas, adjoints and the negative
    /// control, whose results also go to harness/results.json in cargo's target folder. Then the unit,
    /// integration and documentation tests of all crates. The last line counts both.
    ///
    /// With a FILTER or any option the harness runs alone: `cargo run --bin harness -- test ...`.
    #[command(
        mut_arg("options", |arg| arg.value_name("FILTER").help("A name as the course has it, and options of the harness")),
        after_help = "\
Examples:
  cargo xtask test
  cargo xtask test TestConv2D
  cargo xtask test tests.test_layers.TestConv2D.test_forward
  cargo xtask test --course-data DIR    the course's own .npz files, not the fixtures
  cargo xtask test --numpy DIR          the course's Python package in DIR, not our implementation
  cargo xtask test --subject COMMAND    any program that speaks the protocol of the book
  cargo xtask test --exhaustive         GELU at every number in single precision, for minutes
  cargo xtask test -- --help            all options of the harness"
    )]
    Test(Options),
    /// Print the gradient-check table of the course's notebook
    ///
    /// For each layer and each of its parameters: the largest difference between the gradient that
    /// backward computes and central differences. Runs `cargo run --bin harness -- gradcheck`.
    #[command(
        mut_arg("options", |arg| arg.value_name("LAYER").help("One layer only, such as Conv2D; further arguments of the harness")),
        after_help = "Examples:\n  cargo xtask gradcheck\n  cargo xtask gradcheck Conv2D"
    )]
    Gradcheck(Options),
    /// Find or fetch the data sets, and check every file
    ///
    /// Runs the program `data` of the crate `acquire`; `cargo xtask data -- --help` prints its options.
    #[command(
        mut_arg("options", |arg| arg.help("A data set or a command of the program, and its options")),
        after_help = "\
Examples:
  cargo xtask data                 everything
  cargo xtask data cifar-10        also: iris, fashion-mnist
  cargo xtask data cifar-10 --from cifar-10-binary.tar.gz
  cargo xtask data where           also: verify, clean
  cargo xtask data -- --help       all options"
    )]
    Data(Options),
    Fixtures(fixtures::Arguments),
    /// Build the book, and fail on anything in it that is missing or broken
    ///
    /// Runs `cargo run --bin report`; the results of `cargo xtask test` are embedded, so run that first.
    /// --pdf prints the book with a headless Chromium, reads the PDF back and checks it.
    /// --audit opens every page in it, and fails on what a reader would stumble over.
    /// `cargo xtask report -- --help` prints the options of the report program.
    #[command(
        mut_arg("options", |arg| arg.help("Arguments of the report program, such as --open")),
        after_help = "Examples:\n  cargo xtask report\n  cargo xtask report --open\n  cargo xtask report --pdf"
    )]
    Report(Options),
    // The help of the next seven is that of their programs.
    /// Time kernels and training steps, in turn with PyTorch if asked
    #[command(disable_help_flag = true)]
    Bench(Options),
    /// Write the graded code as one LaTeX or Markdown document
    #[command(disable_help_flag = true)]
    Submission(Options),
    /// Verify hand-ins in isolation, and give points
    #[command(disable_help_flag = true)]
    Grade(Options),
    /// Give points again, from the results of an earlier run
    #[command(disable_help_flag = true)]
    Regrade(Options),
    /// Pack all code into an archive, and build and test it elsewhere
    #[command(disable_help_flag = true)]
    Package(Options),
    /// Write the workspace that students get: this one without its solution
    #[command(disable_help_flag = true)]
    Starter(Options),
    /// Pack the grader as an archive for Gradescope, and try it
    #[command(disable_help_flag = true)]
    Autograder(Options),
    Mutants(mutants::Arguments),
    Torture(torture::Arguments),
    Check(check::Arguments),
}

/// The exit code of a task: 0 if everything is in order, 1 if not, 2 for wrong usage.
fn verdict(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The exit code of a task that is done by a program.
fn code_of(status: ExitStatus) -> ExitCode {
    // A program that a signal ended has no code.
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into()
}

fn main() -> ExitCode {
    let code = match Cli::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Gradcheck(options) => options.run("harness", &["gradcheck"]),
        Task::Data(options) => options.run("data", &[]),
        Task::Fixtures(arguments) => fixtures::run(&arguments),
        Task::Report(options) => options.run("report", &[]),
        Task::Bench(options) => options.run_for_release("bench"),
        Task::Submission(options) => options.run("handin", &["submission"]),
        Task::Grade(options) => options.run("grading", &["grade"]),
        Task::Regrade(options) => options.run("grading", &["regrade"]),
        Task::Package(options) => options.run("handin", &["package"]),
        Task::Starter(options) => options.run("handin", &["starter"]),
        Task::Autograder(options) => options.run("handin", &["autograder"]),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Torture(arguments) => torture::run(&arguments),
        Task::Check(arguments) => check::run(&arguments),
    };
    system::finish(code)
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
    fn options_go_to_the_program_as_they_are() {
        for (line, expected) in [
            (&["test"][..], Ok(&[][..])),
            (&["test", "TestReLU", "--seed", "5"], Ok(&["TestReLU", "--seed", "5"])),
            (&["test", "--course-data", "d", "x"], Ok(&["--course-data", "d", "x"])),
            (&["test", "--", "--help"], Ok(&["--help"])),
            (&["test", "--help"], Err(0)),
            (&["report", "--open", "--out", "x"], Ok(&["--open", "--out", "x"])),
            (&["bench", "step/air", "--torch=a b"], Ok(&["step/air", "--torch=a b"])),
            (&["bench", "--help"], Ok(&["--help"])),
            (&["package", "-h"], Ok(&["-h"])),
            (&["grade", "a", "b", "--csv", "c"], Ok(&["a", "b", "--csv", "c"])),
            (&["regrade", "--help"], Ok(&["--help"])),
            (&["tset"], Err(2)),
        ] {
            let cli = Cli::try_parse_from([&["cargo xtask"], line].concat());
            let options = cli.map_err(|error| error.exit_code()).map(|cli| match cli.task {
                Task::Test(options) | Task::Report(options) | Task::Bench(options) => options,
                Task::Package(options) | Task::Grade(options) | Task::Regrade(options) => options,
                _ => panic!("another task: {line:?}"),
            });
            assert_eq!(
                options.map(|options| options.options),
                expected.map(|options| options.iter().map(Into::into).collect()),
                "{line:?}"
            );
        }
    }
}
