//! Builds the archive and runs its tests where nothing but the archive is.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use system::eprintln;

use crate::archive;
use crate::shared_target::share;

/// Verifies a student's program, which may fail tests.
pub type Judge<'a> = &'a dyn Fn(&Path) -> Result<()>;

/// Unpacks the archive into a new folder for temporary files, builds the harness there and runs its checks, or of a
/// starter builds the program that `judge` verifies; how long it took, or what failed. If it is to be `fresh`, the
/// dependencies are compiled again, and all tests of all crates run, too.
pub(crate) fn verify(
    root: &Path,
    bytes: &[u8],
    fresh: bool,
    judge: Option<Judge<'_>>,
) -> Result<Result<Duration, String>> {
    let started = Instant::now();
    let temporary = std::env::temp_dir();
    let folder = system::temporary_folder(&temporary, "cs189-hw6-")
        .with_context(|| format!("cannot create a folder in {}", temporary.display()))?;
    let shown = folder.path().display();
    let files = archive::unpack(bytes, folder.path())
        .with_context(|| format!("cannot unpack into {shown}"))?;
    eprintln!("unpacked {files} files into {shown}");

    let own = system::target_folder(root).context("cannot find cargo's target folder")?;
    let target = own.join("package/build");
    // A run that was interrupted has left several gigabytes.
    remove(&target)?;
    let test = match (judge, fresh) {
        (Some(_), _) => "build --locked --bin served",
        (None, true) => "run --locked --bin xtask -- test",
        // With an option, the harness runs alone.
        (None, false) => "run --locked --bin xtask -- test --verbose",
    };
    let lines = ["clean --locked --workspace", test];
    let lines = if fresh { &lines[1..] } else { &lines[..] };
    if fresh {
        eprintln!("compiling everything again, in {}", target.display());
    } else {
        let shared = share(&own, &target)
            .with_context(|| format!("cannot copy what is in {}", own.display()))?;
        eprintln!(
            "shared with {}: {shared} files; of them only the compiled dependencies stay, all packages of \
             the archive are compiled again (--fresh: the dependencies too, and every test runs)",
            own.display()
        );
    }
    let mut failed = run(lines, folder.path(), &target);
    if let (Ok(None), Some(judge)) = (&failed, judge) {
        failed = judge(&target.join("debug/served")).map(|()| None);
    }
    remove(&target)?;
    if let Some(failed) = failed? {
        return Ok(Err(failed));
    }
    // The tests would not find it so the next time.
    Ok(match archive::changed(bytes, folder.path())? {
        Some(file) => Err(format!("its tests change {file}")),
        None => Ok(started.elapsed()),
    })
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Runs cargo with each of these lines, until one fails: which it was.
fn run(lines: &[&str], folder: &Path, target: &Path) -> Result<Option<String>> {
    for line in lines {
        let mut command = cargo(folder);
        command.args(line.split(' ')).env("CARGO_TARGET_DIR", target).stdin(Stdio::null());
        eprintln!("$ cargo {line}");
        let status = command.status().with_context(|| format!("cannot run cargo {line}"))?;
        if !status.success() {
            return Ok(Some(format!("`cargo {line}` ended with {status}")));
        }
    }
    Ok(None)
}

/// The cargo that runs this program, in this folder, as if it were started by hand there.
pub fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let of_this_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "GIT_"];
        if of_this_package.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command
}
