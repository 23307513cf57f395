//! `cargo xtask report`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

/// Build the book, and fail on anything in it that is missing or broken
///
/// Runs `cargo run --bin report`; the results of `cargo xtask test` are embedded, so run that first.
/// --pdf prints the book with a headless Chromium, reads the PDF back and checks it.
/// --audit opens every page in it, and fails on what a reader would stumble over.
/// `cargo xtask report -- --help` prints the options of the report program.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask report\n  cargo xtask report --open\n  cargo xtask report --pdf"
)]
pub(crate) struct Arguments {
    /// Arguments of the report program, such as --open
    #[arg(
        value_name = "ARGUMENTS",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Verdict> {
    let Some(mut report) = command::program("report")? else { return Ok(Verdict::FAILED) };
    Ok(command::run(report.args(&arguments.arguments))?.into())
}
