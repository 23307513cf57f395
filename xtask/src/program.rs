//! The tasks that a program of the workspace does, with options of its own.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The options of the program; --help prints them
    #[arg(
        value_name = "ARGUMENTS",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) options: Vec<OsString>,
}

impl Options {
    /// Builds the program and runs it with these arguments before the options.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<Verdict> {
        let Some(mut program) = command::program(program)? else { return Ok(Verdict::FAILED) };
        Ok(command::run(program.args(arguments).args(&self.options))?.into())
    }

    /// Runs the program compiled for release: what is timed must be as fast as it can be.
    pub(crate) fn run_for_release(&self, program: &str) -> Result<Verdict> {
        let mut cargo = command::cargo("run");
        cargo.args(["--release", "--bin", program, "--"]);
        Ok(command::run(cargo.args(&self.options))?.into())
    }
}
