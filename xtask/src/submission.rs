//! `cargo xtask submission`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

/// Write the graded code as one LaTeX or Markdown document
///
/// Runs the program `handin`; `cargo xtask submission -- --help` prints its options.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask submission --format latex --heading-level 2 --output submission.tex
  cargo xtask submission --format markdown --heading-level 3 > submission.md")]
pub(crate) struct Arguments {
    /// Options of the program
    #[arg(
        value_name = "ARGUMENTS",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Verdict> {
    let Some(mut handin) = command::program("handin")? else { return Ok(Verdict::FAILED) };
    Ok(command::run(handin.arg("submission").args(&arguments.arguments))?.into())
}
