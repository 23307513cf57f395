//! `cargo xtask package`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

/// Pack all code into an archive, and build and test it elsewhere
///
/// Runs the program `handin`; `cargo xtask package -- --help` prints its options.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask package
  cargo xtask package --output hw6.zip
  cargo xtask package --fresh      compiles the dependencies again, too")]
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
    Ok(command::run(handin.arg("package").args(&arguments.arguments))?.into())
}
