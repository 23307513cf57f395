//! The programs of the workspace that the report runs, and their output.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use system::println;

use crate::code::fenced;

/// A program of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Prints the hash of everything that the harness's results depend on.
    InputsHash,
    /// Runs the harness, which writes its results.
    Harness,
    /// The einsum exercises.
    Einsum,
    /// The gradient-check table, of all layers or of one class.
    GradCheck(Option<String>),
    /// The crates of the workspace and how they depend on each other, as JSON.
    Metadata,
}

impl Program {
    /// The arguments of Cargo.
    fn arguments(&self) -> Vec<&str> {
        let harness = ["run", "--quiet", "--bin", "harness", "--"];
        match self {
            Self::InputsHash => [&harness[..], &["inputs-hash"]].concat(),
            Self::Harness => [&harness[..], &["test"]].concat(),
            Self::Einsum => vec!["run", "--quiet", "--bin", "einsum"],
            Self::GradCheck(layer) => {
                let layer = layer.as_deref();
                [&harness[..], &["gradcheck"], layer.as_slice()].concat()
            }
            Self::Metadata => vec!["metadata", "--no-deps", "--format-version", "1"],
        }
    }

    /// The command that a reader types for the same output.
    fn command(&self) -> String {
        match self {
            Self::GradCheck(None) => "cargo xtask gradcheck".to_owned(),
            Self::GradCheck(Some(layer)) => format!("cargo xtask gradcheck {layer}"),
            Self::Einsum => "cargo run -p einsum".to_owned(),
            Self::InputsHash | Self::Harness | Self::Metadata => {
                format!("cargo {}", self.arguments().join(" "))
            }
        }
    }
}

/// Runs programs.
pub trait Programs {
    /// The output of the program.
    ///
    /// # Errors
    /// If it cannot be started or fails.
    fn run(&self, program: Program) -> Result<String>;
}

/// Runs programs with Cargo, and says so.
#[derive(Clone, Debug)]
pub struct Cargo {
    root: PathBuf,
}

impl Cargo {
    /// Runs the programs of the workspace at `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

impl Programs for Cargo {
    fn run(&self, program: Program) -> Result<String> {
        let arguments = program.arguments();
        let command = format!("cargo {}", arguments.join(" "));
        println!("$ {command}");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(&arguments)
            .current_dir(&self.root)
            .env("NO_COLOR", "1")
            .output()
            .with_context(|| format!("cannot start `{command}`: is Cargo installed?"))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last = errors.lines().rev().take(12).collect::<Vec<_>>();
            let last = last.into_iter().rev().collect::<Vec<_>>().join("\n    ");
            bail!("`{command}` failed ({}):\n    {last}", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{command}` did not print text"))
    }
}

/// The block that shows a program's output: its command, then what it printed.
pub(crate) fn output_block(
    name: &str,
    argument: Option<&str>,
    programs: &dyn Programs,
) -> Result<String, String> {
    let program = match (name, argument) {
        ("einsum", None) => Program::Einsum,
        ("einsum", Some(_)) => return Err("einsum is shown without an argument".to_owned()),
        ("gradcheck", layer) => Program::GradCheck(layer.map(str::to_owned)),
        _ => return Err(format!("unknown program `{name}`; known are einsum, gradcheck")),
    };
    let command = program.command();
    let output = programs.run(program).map_err(|error| format!("{error:#}"))?;
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

    struct Printing(Result<&'static str, &'static str>);

    impl Programs for Printing {
        fn run(&self, _: Program) -> Result<String> {
            self.0.map(str::to_owned).map_err(|error| anyhow::anyhow!(error))
        }
    }

    #[test]
    fn output_starts_with_its_command() {
        let printed = Printing(Ok("\na  \nb = 2\n\n"));
        let expected = "```text\n$ cargo run -p einsum\na\nb = 2\n```\n";
        assert_eq!(output_block("einsum", None, &printed).unwrap(), expected);
    }

    #[test]
    fn a_program_that_is_unknown_silent_or_fails_is_an_error() {
        let error = |name, printed| output_block(name, None, &Printing(printed)).unwrap_err();
        assert!(error("rm", Ok("x")).contains("known are einsum, gradcheck"));
        assert!(error("einsum", Ok(" \n")).contains("printed nothing"));
        let argument = output_block("einsum", Some("1"), &Printing(Ok("x"))).unwrap_err();
        assert!(argument.contains("without an argument"), "{argument}");
        let layer = output_block("gradcheck", Some("Conv2D"), &Printing(Ok("x"))).unwrap();
        assert!(layer.contains("$ cargo xtask gradcheck Conv2D\nx"), "{layer}");
        assert!(error("einsum", Err("exit status: 1")).contains("exit status: 1"));
    }

    #[test]
    fn cargo_that_fails_shows_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = Cargo::new(folder.path()).run(Program::Einsum).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("`cargo run --quiet --bin einsum` failed"), "{error}");
        assert!(error.contains("Cargo.toml"), "{error}");
    }
}
