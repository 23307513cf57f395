//! The commands of a starter, as `cargo xtask TASK`: they verify what the student has written.

mod harness;
mod hint;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use handin::{PackageArguments, SubmissionArguments};

use crate::harness::Harness;

/// The commands of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Verify your functions: the 25 tests of the course, or the checks that FILTER selects
    ///
    /// The first run builds the verification, which takes minutes.
    #[command(after_help = "\
Examples:
  cargo xtask test                       the course's 25 tests
  cargo xtask test TestConv2D
  cargo xtask test 4.2                   every check of a question
  cargo xtask test gradients             central differences
  cargo xtask test --all                 everything")]
    Test(Test),
    /// Print the gradient-check table of the course's notebook, of your layers
    #[command(
        mut_arg("options", |arg| arg.value_name("LAYER").help("One layer only, such as Conv2D")),
        after_help = "Examples:\n  cargo xtask gradcheck\n  cargo xtask gradcheck Conv2D"
    )]
    Gradcheck(Options),
    Hint(hint::Hint),
    Watch(watch::Watch),
    /// Make the report from the chapters in book/src, and list what is missing in it
    ///
    /// It has your code, the output of the tests and the plots of your trainings. The first run builds the program that
    /// makes it, which takes minutes.
    #[command(
        mut_arg("options", |arg| {
            arg.value_name("OPTION").help(
                "--open shows it in your browser; --pdf [FILE] prints it, too, which needs Chromium or Chrome",
            )
        }),
        after_help = "Examples:\n  cargo xtask report --open\n  cargo xtask report --pdf hw6.pdf"
    )]
    Report(Options),
    Submission(SubmissionArguments),
    /// Pack your code into an archive, unpack it elsewhere, build it there and run the course's tests on it
    ///
    /// It has a README with your name, and says what is missing.
    #[command(
        after_help = "Examples:\n  cargo xtask package\n  cargo xtask package --output hw6-code.zip"
    )]
    Package(PackageArguments),
}

#[derive(Args)]
struct Test {
    /// Run every check, those beyond the course's tests included
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Options {
    /// A name as the course has it (TestConv2D), another name or its beginning (gradients), or a question (4.2); options
    /// of the harness
    #[arg(
        value_name = "FILTER",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    options: Vec<OsString>,
}

fn main() -> ExitCode {
    system::finish(run(Cli::parse().task))
}

fn run(task: Task) -> Result<ExitCode> {
    let start = system::current_package();
    let root = system::workspace_root(&start).with_context(|| {
        format!("{} is not in the workspace: run this in its folder", start.display())
    })?;
    match task {
        Task::Test(Test { all, options: Options { options } }) => {
            let is_selected = |first: &OsString| !first.to_string_lossy().starts_with('-');
            let course = match all || options.first().is_some_and(is_selected) {
                true => &[][..],
                false => &["tests"],
            };
            let Some(harness) = Harness::ready(&root)? else { return Ok(ExitCode::FAILURE) };
            // The command that is printed for a failure is that of this program.
            harness.run(&[&["test"], course].concat(), &options, &["--shown", ""])
        }
        Task::Gradcheck(Options { options }) => {
            let Some(harness) = Harness::ready(&root)? else { return Ok(ExitCode::FAILURE) };
            harness.run(&["gradcheck"], &options, &[])
        }
        Task::Hint(hint) => hint.print(),
        Task::Watch(watch) => watch.run(&root),
        Task::Report(Options { options }) => {
            let Some(harness) = Harness::ready(&root)? else { return Ok(ExitCode::FAILURE) };
            harness.report(&root, &options)
        }
        Task::Submission(arguments) => arguments.run(&root).map(|()| ExitCode::SUCCESS),
        Task::Package(arguments) => {
            let Some(harness) = Harness::ready(&root)? else { return Ok(ExitCode::FAILURE) };
            arguments.run(&root, Some(&|served| harness.print_failures(served)))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        for (line, all, options) in [
            (&["test"][..], false, &[][..]),
            (&["test", "--all"], true, &[]),
            (&["test", "TestReLU", "--seed", "5"], false, &["TestReLU", "--seed", "5"]),
            (&["test", "--verbose"], false, &["--verbose"]),
        ] {
            let Task::Test(test) = Cli::parse_from([&["cargo xtask"], line].concat()).task else {
                panic!("another task: {line:?}")
            };
            assert_eq!(
                (test.all, test.options.options),
                (all, options.iter().map(Into::into).collect())
            );
        }
    }
}
