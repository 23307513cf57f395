//! `cargo xtask fixtures`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Output};

use anyhow::{Context, Result, bail};
use system::println;

use crate::manifest::Manifest;
use crate::{command, verdict, workspace};

/// Write the test data with the oracle's scripts, or check what is committed
///
/// The scripts need Python with the packages of fixtures/requirements.txt: that of the environment
/// variable PYTHON, or where that is not set, that of target/fixtures-venv, else python3.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing. Compare the committed bytes with the manifest; where there is a suitable
    /// Python, generate all data again and compare the values, to 1e-12 of the largest
    #[arg(long)]
    check: bool,

    /// With --check: fail where there is no suitable Python, in place of skipping that half
    #[arg(long, requires = "check")]
    require_python: bool,
}

/// A script, and the packages that it imports.
struct Script {
    path: &'static str,
    packages: &'static [&'static str],
}

/// The one that may lack its data comes first, so that nothing is written where it does.
const SCRIPTS: [Script; 4] = [
    // `tomllib` comes with Python 3.11.
    Script { path: "fixtures/cifar10_sample.py", packages: &["tomllib"] },
    Script { path: "fixtures/einsum_exercises.py", packages: &["numpy"] },
    Script { path: "fixtures/generate.py", packages: &["jax", "numpy"] },
    Script { path: "fixtures/iris.py", packages: &["numpy", "sklearn"] },
];

/// The exit status of a script whose data was not fetched.
const NO_DATA: i32 = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = workspace::root()?;
    if arguments.check { check(&root, arguments.require_python) } else { write(&root) }
}

fn write(root: &Path) -> Result<ExitCode> {
    // All or none: a manifest of which one half is new would be stale in the other.
    let pythons = SCRIPTS.iter().map(|script| script.python(root));
    let pythons = pythons.collect::<Result<Vec<_>>>().context("nothing was written")?;
    for (script, python) in SCRIPTS.iter().zip(pythons) {
        let status = script.run(root, &python, &[])?;
        if status.code() == Some(NO_DATA) {
            bail!("{} lacks the data that it reads: see its message above", script.path);
        }
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(root: &Path, require_python: bool) -> Result<ExitCode> {
    let manifest = Manifest::read(root)?;
    let problems = manifest.verify(root)?;
    problems.iter().for_each(|problem| println!("{problem}"));
    let mut passed = problems.is_empty();
    match problems.len() {
        0 => println!("bytes: {} data files are what the manifest says", manifest.len()),
        count => println!("bytes: {count} problems in {} data files", manifest.len()),
    }
    for script in &SCRIPTS {
        let files = manifest.len_of(script.path);
        let python = match script.python(root) {
            Ok(python) => python,
            Err(why) => {
                let required = require_python || named_python().is_some();
                let verdict = if required { "FAILED" } else { "SKIPPED" };
                println!("values: {verdict}, {files} files were not generated again: {why}");
                passed &= !required;
                continue;
            }
        };
        let status = script.run(root, &python, &["--compare"])?;
        let verdict = match status.code() {
            Some(0) => "ok",
            // Not a matter of Python: the bytes were compared above, and the data is large.
            Some(NO_DATA) => "SKIPPED, its data is not there",
            _ => "FAILED",
        };
        println!("values: {files} files of {}: {verdict}", script.path);
        passed &= verdict != "FAILED";
    }
    Ok(verdict(passed))
}

/// The Python that the user names, which no other replaces.
fn named_python() -> Option<PathBuf> {
    std::env::var_os("PYTHON").filter(|name| !name.is_empty()).map(PathBuf::from)
}

impl Script {
    /// The first Python that has the packages; the error says what is wrong with each.
    fn python(&self, root: &Path) -> Result<PathBuf> {
        let usual = || vec![root.join("target/fixtures-venv/bin/python"), "python3".into()];
        let candidates = named_python().map_or_else(usual, |python| vec![python]);
        let import = format!("import {}", self.packages.join(", "));
        let mut problems = Vec::new();
        for python in candidates {
            let problem = match Command::new(&python).args(["-c", &import]).output() {
                Ok(output) if output.status.success() => return Ok(python),
                Ok(Output { status, stderr, .. }) => {
                    let message = String::from_utf8_lossy(&stderr);
                    message.lines().last().map_or_else(|| status.to_string(), str::to_owned)
                }
                Err(error) => error.to_string(),
            };
            problems.push(format!("{}: {problem}", python.display()));
        }
        bail!(
            "no Python with {} for {} ({}); fixtures/README.md says how to install them",
            self.packages.join(" and "),
            self.path,
            problems.join("; ")
        )
    }

    /// Runs the script, which leaves no compiled modules behind. Its lines go through this program, since
    /// Python ends with an error where nobody reads them.
    fn run(&self, root: &Path, python: &Path, arguments: &[&str]) -> Result<ExitStatus> {
        let mut command = Command::new(python);
        command.args(["-u", "-B", self.path]).args(arguments).current_dir(root);
        command::run_by_line(&mut command, |line| println!("{line}"))
    }
}
