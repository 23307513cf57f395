//! `cargo xtask fixtures`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::manifest::Manifest;
use crate::{Verdict, command, workspace};

/// Write the test data with the oracle's scripts, or check what is committed
///
/// The scripts need Python with the packages of fixtures/requirements.txt. It is looked for in the
/// environment variable PYTHON, then in target/fixtures-venv, then as python3.
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
const SCRIPTS: [Script; 3] = [
    // `tomllib` comes with Python 3.11.
    Script { path: "fixtures/cifar10_sample.py", packages: &["tomllib"] },
    Script { path: "fixtures/generate.py", packages: &["jax", "numpy"] },
    Script { path: "fixtures/iris.py", packages: &["numpy", "sklearn"] },
];

/// The exit status of a script whose data was not fetched.
const NO_DATA: i32 = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<Verdict> {
    let root = workspace::root()?;
    if arguments.check { check(&root, arguments.require_python) } else { write(&root) }
}

fn write(root: &Path) -> Result<Verdict> {
    // All or none: a manifest of which one half is new would be stale in the other.
    let pythons: Vec<_> = SCRIPTS.iter().map(|script| script.python(root)).collect();
    for (script, python) in SCRIPTS.iter().zip(&pythons) {
        if python.is_none() {
            bail!("{}: nothing was written", script.no_python());
        }
    }
    for (script, python) in SCRIPTS.iter().zip(pythons.into_iter().flatten()) {
        let status = command::run(&mut script.call(root, &python))?;
        if status.code() == Some(NO_DATA) {
            bail!("{} lacks the data that it reads: see its message above", script.path);
        }
        if !status.success() {
            return Ok(Verdict::FAILED);
        }
    }
    Ok(true.into())
}

fn check(root: &Path, require_python: bool) -> Result<Verdict> {
    let manifest = Manifest::read(root)?;
    let problems = manifest.verify(root)?;
    for problem in &problems {
        println!("{problem}");
    }
    let mut passed = problems.is_empty();
    if passed {
        println!("bytes: {} data files are what the manifest says", manifest.len());
    } else {
        println!("bytes: {} problems in {} data files", problems.len(), manifest.len());
    }
    for script in &SCRIPTS {
        let files = manifest.files_of(script.path).count();
        let Some(python) = script.python(root) else {
            let what = script.no_python();
            let verdict = if require_python { "FAILED" } else { "SKIPPED" };
            println!("values: {verdict}, {files} files were not generated again: {what}");
            passed &= !require_python;
            continue;
        };
        let status = command::run(script.call(root, &python).arg("--compare"))?;
        if status.code() == Some(NO_DATA) {
            // Not a matter of Python: the bytes were compared above, and the data is large.
            println!("values: SKIPPED, {files} files of {}: its data is not there", script.path);
            continue;
        }
        let agrees = status.success();
        println!(
            "values: {files} files of {}: {}",
            script.path,
            if agrees { "ok" } else { "FAILED" }
        );
        passed &= agrees;
    }
    Ok(passed.into())
}

impl Script {
    /// The first Python that has the packages.
    fn python(&self, root: &Path) -> Option<PathBuf> {
        let own = std::env::var_os("PYTHON").map(PathBuf::from);
        let environment = root.join("target/fixtures-venv/bin/python");
        let candidates = own.into_iter().chain([environment, "python3".into()]);
        candidates.into_iter().find(|python| {
            let import = format!("import {}", self.packages.join(", "));
            let mut command = Command::new(python);
            command.args(["-c", &import]).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        })
    }

    fn no_python(&self) -> String {
        format!(
            "no Python with {} found for {}; fixtures/README.md says how to install them",
            self.packages.join(" and "),
            self.path
        )
    }

    /// The call of the script, which leaves no compiled modules behind.
    fn call(&self, root: &Path, python: &Path) -> Command {
        let mut command = Command::new(python);
        command.arg("-B").arg(self.path).current_dir(root);
        command
    }
}
