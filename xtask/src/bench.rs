//! `cargo xtask bench`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

// The options are those of the program `bench`, and so is their help.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// The options of the program; --help prints them
    #[arg(
        value_name = "ARGUMENTS",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<OsString>,
}

/// Compiled for release, unlike the other programs: what is timed must be as fast as it can be.
pub(crate) fn run(arguments: &Arguments) -> Result<Verdict> {
    let mut bench = command::cargo("run");
    bench.args(["--release", "--bin", "bench", "--"]);
    Ok(command::run(bench.args(&arguments.arguments))?.into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        bench: Arguments,
    }

    #[test]
    fn options_and_help_are_those_of_the_program() {
        for line in [&["--help"][..], &["step/air", "--torch=a b"], &[]] {
            let cli = Cli::try_parse_from([&["bench"], line].concat()).unwrap();
            assert_eq!(cli.bench.arguments, line);
        }
    }
}
