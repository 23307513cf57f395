//! `cargo xtask data`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

/// Find or fetch the data sets, and check every file
///
/// Runs the program `data` of the crate `acquire`; `cargo xtask data -- --help` prints its options.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask data                 everything
  cargo xtask data cifar-10        also: iris, fashion-mnist
  cargo xtask data cifar-10 --from cifar-10-binary.tar.gz
  cargo xtask data where           also: verify, clean
  cargo xtask data -- --help       all options")]
pub(crate) struct Arguments {
    /// A data set or a command of the program, and its options
    #[arg(
        value_name = "ARGUMENTS",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Verdict> {
    let Some(mut data) = command::program("data")? else { return Ok(Verdict::FAILED) };
    Ok(command::run(data.args(&arguments.arguments))?.into())
}
