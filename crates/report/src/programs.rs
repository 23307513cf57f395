//! The programs of the workspace that the report runs, and their output.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use system::println;

use crate::code::fenced;

/// The beginning of Cargo's arguments where the harness runs.
pub(crate) const HARNESS: [&str; 5] = ["run", "--quiet", "--bin", "harness", "--"];

/// Runs Cargo with these arguments and returns what it printed, or says that it failed.
pub type Cargo = Box<dyn Fn(&[&str]) -> Result<String>>;

/// Runs Cargo with these arguments in the workspace at `root`, and says so.
pub fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let command = format!("cargo {}", arguments.join(" "));
    println!("$ {command}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(root)
        .env("NO_COLOR", "1")
        .env_remove("RUST_BACKTRACE")
        .output()
        .with_context(|| format!("cannot start `{command}`: is Cargo installed?"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = errors.lines().collect();
        let last = lines[lines.len().saturating_sub(12)..].join("\n    ");
        bail!("`{command}` failed ({}):\n    {last}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{command}` did not print text"))
}

/// The block that shows a program's output: the command that a reader types for it, then what it
/// printed.
pub(crate) fn output_block(
    name: &str,
    argument: Option<&str>,
    cargo: &dyn Fn(&[&str]) -> Result<String>,
) -> Result<String, String> {
    let (command, arguments) = match (name, argument) {
        ("einsum", None) => ("cargo run -p einsum", &["run", "--quiet", "--bin", "einsum"][..]),
        ("demonstrate", Some(_)) => (
            "cargo run --bin harness -- demonstrate",
            &[&HARNESS[..], &["demonstrate"]].concat()[..],
        ),
        ("grade", Some(_)) => (
            "cargo run --bin grading -- demonstrate",
            &["run", "--quiet", "--bin", "grading", "--", "demonstrate"][..],
        ),
        ("gradcheck", _) => ("cargo xtask gradcheck", &[&HARNESS[..], &["gradcheck"]].concat()[..]),
        _ => {
            return Err(format!(
                "unknown program `{name}`; known are einsum, gradcheck [LAYER], demonstrate ROOM.BUG, grade ROOM.BUG"
            ));
        }
    };
    let argument = argument.as_slice();
    let command = [&[command], argument].concat().join(" ");
    let output = cargo(&[arguments, argument].concat()).map_err(|error| format!("{error:#}"))?;
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    let output = lines.join("\n").trim_matches('\n').to_owned();
    if output.is_empty() {
        return Err(format!("`{command}` printed nothing"));
    }
    Ok(fenced("text", &format!("$ {command}\n{output}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_starts_with_its_command() {
        for (name, argument, printed, expected) in [
            ("einsum", None, "\na  \nb = 2\n\n", "```text\n$ cargo run -p einsum\na\nb = 2\n```\n"),
            ("gradcheck", Some("Conv2D"), "x", "$ cargo xtask gradcheck Conv2D\nx"),
            (
                "rm",
                None,
                "x",
                "known are einsum, gradcheck [LAYER], demonstrate ROOM.BUG, grade ROOM.BUG",
            ),
            (
                "einsum",
                Some("1"),
                "x",
                "known are einsum, gradcheck [LAYER], demonstrate ROOM.BUG, grade ROOM.BUG",
            ),
            ("einsum", None, " \n", "printed nothing"),
            ("einsum", None, "error: exit status: 1", "exit status: 1"),
        ] {
            let cargo = |_: &[&str]| match printed.strip_prefix("error: ") {
                Some(error) => bail!("{error}"),
                None => Ok(printed.to_owned()),
            };
            let block = output_block(name, argument, &cargo);
            let text = block.unwrap_or_else(|error| error);
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn cargo_that_fails_shows_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = cargo(folder.path(), &["run", "--bin", "einsum"]).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("`cargo run --bin einsum` failed"), "{error}");
        assert!(error.contains("Cargo.toml"), "{error}");
    }
}
