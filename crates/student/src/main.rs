//! The commands of a starter, as `cargo xtask TASK`: they verify what the student has written.

mod harness;
mod hint;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use handin::SubmissionArguments;

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
    Submission(SubmissionArguments),
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
        Task::Submission(arguments) => arguments.run(&root).map(|()| ExitCode::SUCCESS),
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
