//! `cargo xtask autograder`.
//!
//! The grader is compiled where the archive is made, and linked with a C library of its own, so that the image may have
//! an older one. To compile it in the image instead would take a toolchain of this version, which no release of Ubuntu
//! has, the sources of all dependencies, and minutes for each image; and nobody would have tried what comes out of it.
//! The profile is that of `cargo xtask grade`: both give the same points.
//!
//! Hand-ins in Rust need more: the sources that they are put into, our solution among them, a compiler of this version,
//! and dependencies that `setup.sh` fetches and compiles, once and with a network. So that is an option.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use system::{eprintln, println};

use crate::archive::{self, PackedFile};
use crate::output;
use crate::starter::{listed, sources_of_grader};
use crate::verification::cargo;

/// Pack the grader as an archive for Gradescope, and try it
///
/// The archive has setup.sh and run_autograder, which Gradescope runs once and for each hand-in, points.toml, and the
/// grader, compiled. It is unpacked elsewhere and has to give an implementation of the course in NumPy all points, or it
/// is not written.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask autograder autograder.zip
  cargo xtask autograder autograder.zip --points points.toml
  cargo xtask autograder autograder.zip --rust")]
pub struct AutograderArguments {
    /// The archive to write
    #[arg(value_name = "OUT.zip")]
    output: PathBuf,

    /// Points of groups of checks, in the form that cargo xtask grade --print-points prints
    #[arg(long, value_name = "FILE")]
    points: Option<PathBuf>,

    /// Grade hand-ins in Rust, too: the archive has our sources, a solution among them, and setup.sh installs a compiler
    #[arg(long)]
    rust: bool,

    /// Do not try the grader, which needs python3 with NumPy
    #[arg(long)]
    no_test: bool,
}

/// Where the image runs.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The points that are given unless a file says otherwise.
const POINTS: &str = "crates/grading/points.toml";

/// An implementation that gets all points.
const SOLUTION: &str = "crates/subject/python/neural_networks";

impl AutograderArguments {
    /// Compiles, packs and tries the grader of the workspace at `root`.
    ///
    /// # Errors
    /// If this machine is not of the image's kind; if the grader cannot be compiled, or does not give a right
    /// implementation all points; if the archive cannot be written.
    pub fn run(&self, root: &Path) -> Result<()> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            bail!("Gradescope's images are x86-64 Linux: run this on such a machine, with glibc");
        }
        output::check(&self.output)?;
        let points = match &self.points {
            Some(path) => {
                fs::read(path).with_context(|| format!("cannot read {}", path.display()))?
            }
            None => PackedFile::read(root, POINTS)?.contents,
        };
        let files = files(points, compiled(root)?, sources_of_grader(root)?, self.rust);
        let bytes = archive::write(&files)?;
        let verdict = match self.no_test {
            true => "NOT TRIED (--no-test)".to_owned(),
            false => tried(root, &bytes)?,
        };
        output::write(&self.output, &bytes)?;
        let (shown, size) = (self.output.display(), bytes.len() as f64 / 1e6);
        println!("wrote {shown}: {} files, {size:.1} MB", files.len());
        println!("{verdict}");
        println!(
            "next: upload it as the autograder of the assignment, and test it there with a hand-in of your own"
        );
        Ok(())
    }
}

/// The files of the archive. Of the crates it has the manifests, by which the grader knows its workspace, and their
/// sources if hand-ins `in_rust` are graded.
fn files(
    points: Vec<u8>,
    program: Vec<u8>,
    mut sources: Vec<PackedFile>,
    in_rust: bool,
) -> Vec<PackedFile> {
    let is_code = |path: &str| path.starts_with("crates/") && !path.ends_with("/Cargo.toml");
    sources.retain(|source| in_rust || !is_code(&source.path));
    let file = |path: &str, contents: Vec<u8>, executable| PackedFile {
        path: path.to_owned(),
        contents,
        executable,
    };
    let own = [
        file("setup.sh", include_bytes!("autograder/setup.sh").to_vec(), true),
        file("run_autograder", include_bytes!("autograder/run_autograder").to_vec(), true),
        file("not_graded.json", include_bytes!("autograder/not_graded.json").to_vec(), false),
        file("points.toml", points, false),
        file("grading", program, true),
    ];
    let sources = sources
        .into_iter()
        .map(|source| PackedFile { path: format!("workspace/{}", source.path), ..source });
    own.into_iter().chain(sources).collect()
}

/// The grader, compiled for the image.
fn compiled(root: &Path) -> Result<Vec<u8>> {
    let line =
        format!("build --bin grading --target {TARGET} --config profile.dev.strip=\"symbols\"");
    eprintln!("$ RUSTFLAGS='-C target-feature=+crt-static' cargo {line}");
    let mut command = cargo(root);
    command.args(line.split(' ')).stdin(Stdio::null());
    command.env("RUSTFLAGS", "-C target-feature=+crt-static").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let status = command.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("the grader was not compiled: cargo ended with {status}, see its message above");
    }
    let target = system::target_folder(root).context("cannot find cargo's target folder")?;
    let program = target.join(TARGET).join("debug/grading");
    fs::read(&program).with_context(|| format!("cannot read {}", program.display()))
}

/// Grades our implementation in NumPy as Gradescope would, but on this system; says what came of it.
fn tried(root: &Path, bytes: &[u8]) -> Result<String> {
    let folder = tempfile::tempdir().context("cannot create a folder for temporary files")?;
    let image = folder.path();
    let context = || format!("cannot try the archive in {}", image.display());
    archive::unpack(bytes, &image.join("source")).with_context(context)?;
    let program = image.join("run_autograder");
    fs::copy(image.join("source/run_autograder"), &program).with_context(context)?;
    for path in listed(root)?.iter().filter(|path| path.starts_with(SOLUTION)) {
        let copy = image.join("submission").join(path);
        fs::create_dir_all(copy.parent().unwrap_or(image)).with_context(context)?;
        fs::copy(root.join(path), copy).with_context(context)?;
    }
    let mut command = Command::new(program);
    // The workspace is that of the archive, not the one whose package cargo runs.
    command.env_remove("CARGO_MANIFEST_DIR").stdin(Stdio::null());
    let output = command.output().with_context(context)?;
    let log = String::from_utf8_lossy(&output.stdout);
    let results = fs::read(image.join("results/results.json"))
        .with_context(|| format!("the grader wrote no results: {log}"))?;
    verdict(&results, &log)
}

/// What results say of a grader that was given a right implementation.
fn verdict(results: &[u8], log: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Results {
        /// Missing where nothing was graded.
        execution_time: Option<f64>,
        tests: Vec<Test>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Test {
        name: String,
        score: f64,
        max_score: f64,
    }
    let Results { execution_time, tests } = serde_json::from_slice(results)?;
    let Some(seconds) = execution_time else {
        bail!("the grader does not work:\n{}", log.trim());
    };
    if let Some(Test { name, score, max_score }) =
        tests.iter().find(|test| test.score < test.max_score)
    {
        bail!(
            "the grader gives a right implementation {score} of {max_score} points for {name:?}:\n{}",
            log.trim()
        );
    }
    let points: f64 = tests.iter().map(|test| test.max_score).sum();
    Ok(format!(
        "tried: a right implementation in NumPy gets {points} of {points} points, in {seconds:.0} s"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gradescope_starts_is_at_the_root_and_the_workspace_is_complete() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let sources = sources_of_grader(&root).unwrap();
        let files =
            |in_rust| files(b"points".to_vec(), b"program".to_vec(), sources.clone(), in_rust);
        let of_others = files(false);
        let code =
            of_others.iter().find(|file| file.path.ends_with(".rs") || file.path.ends_with(".py"));
        assert_eq!(code.map(|file| &file.path), None);
        let files = files(true);
        let executable: Vec<&str> =
            files.iter().filter(|file| file.executable).map(|file| &*file.path).collect();
        for script in ["setup.sh", "run_autograder"] {
            assert!(executable.contains(&script), "{executable:?}");
            let path = root.join("crates/handin/src/autograder").join(script);
            let status = Command::new("bash").arg("-n").arg(path).status();
            assert!(status.is_ok_and(|status| status.success()), "{script}");
        }
        assert!(executable.contains(&"grading"));
        for file in [
            "Cargo.toml",
            ".cargo/config.toml",
            "fixtures/manifest.toml",
            "crates/harness/src/lib.rs",
            "crates/student/src/main.rs",
            "book/src/q4-3-softmax.md",
        ] {
            assert!(files.iter().any(|own| own.path == format!("workspace/{file}")), "{file}");
        }
    }

    #[test]
    fn a_grader_is_packed_only_if_a_right_implementation_gets_all_points() {
        let of =
            |results: &str| verdict(results.as_bytes(), "log\n").map_err(|error| error.to_string());
        let results = |score| {
            format!(
                r#"{{"execution_time": 8.9, "tests": [{{"name": "a", "score": {score}, "max_score": 2}}]}}"#
            )
        };
        assert_eq!(
            of(&results(2)),
            Ok("tried: a right implementation in NumPy gets 2 of 2 points, in 9 s".to_owned())
        );
        let lost =
            "the grader gives a right implementation 1 of 2 points for \"a\":\nlog".to_owned();
        assert_eq!(of(&results(1)), Err(lost));
        let failed = include_str!("autograder/not_graded.json");
        assert_eq!(of(failed), Err("the grader does not work:\nlog".to_owned()));
    }
}
