//! The program that verifies the student's: built from the archive that came with the starter, or as it came.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use system::{eprintln, println};

/// A harness that can be run, and the student's program.
pub(crate) struct Harness {
    program: PathBuf,
    /// The folder in which it finds its data.
    folder: PathBuf,
    /// The program that answers with the student's functions.
    pub(crate) served: PathBuf,
    /// Cargo's target folder.
    target: PathBuf,
}

impl Harness {
    /// Builds what has changed of both programs; `None` if one does not compile, which cargo has explained.
    pub(crate) fn ready(root: &Path) -> Result<Option<Self>> {
        let target = system::target_folder(root).context("cannot find cargo's target folder")?;
        if !built(root, &target, "served", &[])? {
            return Ok(None);
        }
        // Beside this program, as cargo puts all of one profile.
        let own = std::env::current_exe().context("the path of this program is unknown")?;
        let served = own.with_file_name("served");
        let program = root.join("tools/harness");
        if program.is_file() {
            return Ok(Some(Self { program, folder: root.to_owned(), served, target }));
        }
        let folder = unpacked(root, &target)?;
        let program = own.with_file_name("harness");
        let is_built = built(&folder, &target, "harness", &NOT_OPTIMISED)?;
        Ok(is_built.then_some(Self { program, folder, served, target }))
    }

    /// Builds what has changed of the student's program, and prints nothing but what is wrong with it.
    pub(crate) fn is_rebuilt(&self, root: &Path) -> Result<bool> {
        let mut cargo = handin::cargo(root);
        cargo.args(["build", "--quiet", "--bin", "served"]).env("CARGO_TARGET_DIR", &self.target);
        Ok(cargo.status().context("cannot run cargo")?.success())
    }

    /// Runs the harness on the student's program.
    pub(crate) fn run(
        &self,
        arguments: &[&str],
        options: &[OsString],
        further: &[&str],
    ) -> Result<ExitCode> {
        let mut command = self.command(arguments, &self.served);
        finished(command.args(further).args(options))
    }

    /// The harness with these arguments for this program.
    pub(crate) fn command(&self, arguments: &[&str], served: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).env_remove("CARGO_MANIFEST_DIR");
        command.args(arguments).arg("--subject").arg(system::quoted(served));
        command
    }

    /// Runs the course's tests on this program, which may fail them: the file with the results.
    pub(crate) fn results(&self, served: &Path) -> Result<PathBuf> {
        let file = self.target.join("results.json");
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        eprintln!("$ cargo xtask test");
        let mut command = self.command(&["test", "tests"], served);
        finished(command.arg("--results").arg(&file).stdout(Stdio::null()))?;
        match file.is_file() {
            true => Ok(file),
            false => bail!("the tests did not come to an end: `cargo xtask test` says more"),
        }
    }

    /// Prints which of the course's tests this program fails, and how many it passes.
    pub(crate) fn print_failures(&self, served: &Path) -> Result<()> {
        let file = self.results(served)?;
        let context = || format!("cannot read {}", file.display());
        let text = fs::read(&file).with_context(context)?;
        let results: Value = serde_json::from_slice(&text).with_context(context)?;
        let checks = results["checks"].as_array().map_or(&[][..], Vec::as_slice);
        let failed = checks.iter().filter(|check| check["status"] != "ok");
        for check in failed.clone() {
            println!("{}", check["line"].as_str().unwrap_or_default());
        }
        let failed = failed.count();
        println!("the tests of the course: {} passed, {failed} failed", checks.len() - failed);
        Ok(())
    }

    /// Makes the report, with these options of the program that does so.
    pub(crate) fn report(&self, root: &Path, options: &[OsString]) -> Result<ExitCode> {
        let results = self.results(&self.served)?;
        let report = self.program.with_file_name("report");
        if self.folder == root {
            if !report.is_file() {
                bail!("there is no {}: your course has to hand it out", report.display());
            }
        } else if !built(&self.folder, &self.target, "report", &[])? {
            return Ok(ExitCode::FAILURE);
        }
        finished(Command::new(report).arg("--hand-in").arg(results).args(options))
    }
}

/// Runs a program to its end: the code that it ends with.
fn finished(command: &mut Command) -> Result<ExitCode> {
    let status = command.status();
    let status =
        status.with_context(|| format!("cannot run {}", command.get_program().display()))?;
    // A program that a signal ended has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into())
}

/// Five sixths of compiling the harness would go into optimising it, minutes for the few seconds that this saves in a
/// run of all checks.
const NOT_OPTIMISED: [&str; 2] = ["--config", "profile.dev.package.harness.opt-level=0"];

/// Builds a program of the workspace in this folder, in the target folder of the student's workspace: what both
/// depend on is compiled once.
fn built(folder: &Path, target: &Path, program: &str, options: &[&str]) -> Result<bool> {
    let words = [&["cargo", "build", "--bin", program], options].concat();
    eprintln!("$ {}", words.join(" "));
    let mut cargo = handin::cargo(folder);
    cargo.args(&words[1..]).env("CARGO_TARGET_DIR", target);
    let status = cargo.status();
    Ok(status.context("cannot run cargo")?.success())
}

/// The folder with what is in the archive, unpacked if it is not there already.
fn unpacked(root: &Path, target: &Path) -> Result<PathBuf> {
    let path = root.join("verification.zip");
    let shown = path.display();
    let Ok(archive) = fs::read(&path) else {
        bail!("cannot read {shown}: it came with the starter, so take it from there again");
    };
    let all = target.join("verification");
    let folder = all.join(&handin::sha256(&archive)[..16]);
    if folder.is_dir() {
        return Ok(folder);
    }
    let context = || format!("cannot unpack {shown} into {}", all.display());
    // That of another archive.
    if all.is_dir() {
        fs::remove_dir_all(&all).with_context(context)?;
    }
    fs::create_dir_all(&all).with_context(context)?;
    let unfinished = system::temporary_folder(&all, "unfinished-").with_context(context)?;
    handin::unpack(&archive, unfinished.path()).with_context(context)?;
    fs::rename(unfinished.path(), &folder).with_context(context)?;
    eprintln!("unpacked {shown}; to build it takes minutes, but only once");
    Ok(folder)
}
