//! The tasks that a program of the workspace does, with options of its own.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::{code_of, command};

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
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<ExitCode> {
        let Some(mut program) = command::program(program)? else { return Ok(ExitCode::FAILURE) };
        Ok(code_of(command::run(program.args(arguments).args(&self.options))?))
    }

    /// Runs the program compiled for release: what is timed must be as fast as it can be.
    pub(crate) fn run_for_release(&self, program: &str) -> Result<ExitCode> {
        let mut cargo = command::cargo("run");
        cargo.args(["--release", "--bin", program, "--"]);
        Ok(code_of(command::run(cargo.args(&self.options))?))
    }
}
