//! `cargo xtask submission` and `cargo xtask package`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Verdict, command};

// The options are those of the program `handin`, and so is their help.
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

pub(crate) fn run(task: &str, arguments: &Arguments) -> Result<Verdict> {
    let Some(mut handin) = command::program("handin")? else { return Ok(Verdict::FAILED) };
    Ok(command::run(handin.arg(task).args(&arguments.arguments))?.into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        handin: Arguments,
    }

    #[test]
    fn options_and_help_are_those_of_the_program() {
        for line in [&["--help"][..], &["--output", "a b"], &["-h"], &[]] {
            let cli = Cli::try_parse_from([&["package"], line].concat()).unwrap();
            assert_eq!(cli.handin.arguments, line);
        }
    }
}
