//! `cargo xtask gradcheck`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

/// Print the gradient-check table of the course's notebook
///
/// For each layer and each of its parameters: the largest difference between the gradient that
/// backward computes and central differences. Runs `cargo run --bin harness -- gradcheck`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask gradcheck\n  cargo xtask gradcheck Conv2D")]
pub(crate) struct Arguments {
    /// One layer only, such as Conv2D; further arguments of the harness
    #[arg(
        value_name = "LAYER",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Verdict> {
    let Some(mut harness) = command::program("harness")? else { return Ok(Verdict::FAILED) };
    Ok(command::run(harness.arg("gradcheck").args(&arguments.arguments))?.into())
}
