//! The programs of the workspace that the report runs, and their output.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use stdio::println;

use crate::code::fenced;

/// A program of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Prints the hash of everything that the harness's results depend on.
    InputsHash,
    /// Runs the harness, which writes its results.
    Harness,
    /// The einsum exercises.
    Einsum,
    /// The gradient-check table, of all layers or of one class.
    GradCheck(Option<&'static str>),
    /// The crates of the workspace and how they depend on each other, as JSON.
    Metadata,
}

impl Program {
    /// What Cargo is asked to do.
    fn arguments(self) -> Vec<&'static str> {
        let harness = ["run", "--quiet", "--bin", "harness", "--"];
        match self {
            Self::InputsHash => [&harness[..], &["inputs-hash"]].concat(),
            Self::Harness => [&harness[..], &["test"]].concat(),
            Self::Einsum => vec!["run", "--quiet", "--bin", "einsum"],
            Self::GradCheck(layer) => [&harness[..], &["gradcheck"], layer.as_slice()].concat(),
            Self::Metadata => vec!["metadata", "--no-deps", "--format-version", "1"],
        }
    }

    /// The command that a reader types for the same output.
    #[must_use]
    pub fn command(self) -> String {
        match self {
            Self::GradCheck(None) => "cargo xtask gradcheck".to_owned(),
            Self::GradCheck(Some(layer)) => format!("cargo xtask gradcheck {layer}"),
            Self::Einsum => "cargo run -p einsum".to_owned(),
            Self::InputsHash | Self::Harness | Self::Metadata => {
                format!("cargo {}", self.arguments().join(" "))
            }
        }
    }

    /// The program whose output a chapter asks for.
    ///
    /// # Errors
    /// If it is not one that a chapter may ask for.
    pub fn for_output(name: &str, argument: Option<&str>) -> Result<Self, String> {
        match (name, argument) {
            ("einsum", None) => Ok(Self::Einsum),
            ("gradcheck", None) => Ok(Self::GradCheck(None)),
            ("gradcheck", Some(layer)) => match LAYERS.iter().find(|known| **known == layer) {
                Some(layer) => Ok(Self::GradCheck(Some(layer))),
                None => Err(format!("gradcheck knows the layers {}", LAYERS.join(", "))),
            },
            ("einsum", Some(_)) => Err("einsum is shown without an argument".to_owned()),
            _ => Err(format!("unknown program `{name}`; known are einsum, gradcheck")),
        }
    }
}

/// The classes of layers that the gradient-check table knows.
const LAYERS: [&str; 7] = [
    "FullyConnected",
    "Flatten",
    "Conv2D",
    "Pool2D",
    "GlobalAveragePool2D",
    "BatchNorm",
    "Dropout",
];

/// Runs programs.
pub trait Programs {
    /// What the program printed.
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
    #[must_use]
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
///
/// # Errors
/// If the program is unknown, fails, or prints nothing.
pub fn output_block(
    name: &str,
    argument: Option<&str>,
    programs: &dyn Programs,
) -> Result<String, String> {
    let program = Program::for_output(name, argument)?;
    let output = programs.run(program).map_err(|error| format!("{error:#}"))?;
    let output = normalised(&output);
    if output.is_empty() {
        return Err(format!("`{}` printed nothing", program.command()));
    }
    Ok(fenced("text", &format!("$ {}\n{output}", program.command())))
}

/// The output without trailing spaces, empty ends, and anything that differs from run to run.
fn normalised(output: &str) -> String {
    let timing = |line: &str| {
        let line = line.trim_end_matches('.').trim_end();
        line.rsplit_once(" in ").is_some_and(|(_, time)| {
            let number =
                time.trim_end_matches("seconds").trim_end_matches("ms").trim_end_matches('s');
            number.trim().parse::<f64>().is_ok()
        })
    };
    let lines = output.lines().map(|line| {
        let line = line.trim_end();
        match timing(line) {
            true => line.rsplit_once(" in ").map_or(line, |(line, _)| line),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
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
    fn output_starts_with_its_command_and_has_no_timings() {
        let printed =
            Printing(Ok("\na  \nb = 2\n3 checks in 0.51 s\nfinished in 12ms.\nin 3 steps\n\n"));
        let expected =
            "```text\n$ cargo run -p einsum\na\nb = 2\n3 checks\nfinished\nin 3 steps\n```\n";
        assert_eq!(output_block("einsum", None, &printed).unwrap(), expected);
    }

    #[test]
    fn a_program_that_is_unknown_silent_or_fails_is_an_error() {
        let error = |name, printed| output_block(name, None, &Printing(printed)).unwrap_err();
        assert!(error("rm", Ok("x")).contains("known are einsum, gradcheck"));
        assert!(error("einsum", Ok(" \n")).contains("printed nothing"));
        let layer = output_block("gradcheck", Some("Conv3D"), &Printing(Ok("x"))).unwrap_err();
        assert!(layer.contains("knows the layers FullyConnected"), "{layer}");
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
