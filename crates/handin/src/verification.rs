//! Builds the archive and runs its tests where nothing but the archive is.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use system::eprintln;
use tempfile::TempDir;

use crate::archive;
use crate::packed_file::PackedFile;
use crate::shared_target::share;

/// Unpacks the archive into a new folder outside of the workspace at `root`, builds the harness there and runs
/// its checks; how long it took, or what failed. If it is to be `fresh`, the dependencies are compiled again, and
/// all tests of all crates run, too.
///
/// # Errors
/// If it cannot be unpacked, cargo cannot be run, or Ctrl-C ended it; nothing is left behind.
pub(crate) fn verify(root: &Path, bytes: &[u8], fresh: bool) -> Result<Result<Duration, String>> {
    let started = Instant::now();
    // Several gigabytes are compiled, which must not stay behind.
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&INTERRUPTED)).context("cannot watch Ctrl-C")?;
    }
    let temporary = std::env::temp_dir();
    let folder = system::temporary_folder(&temporary, "cs189-hw6-")
        .with_context(|| format!("cannot create a folder in {}", temporary.display()))?;
    if inside(folder.path(), root) {
        bail!(
            "cannot write {}: the folder for temporary files is inside the workspace; set TMPDIR to \
             another",
            folder.path().display()
        );
    }
    let files = archive::read(bytes)?;
    archive::unpack(&files, folder.path())?;
    eprintln!("unpacked {} files into {}", files.len(), folder.path().display());

    let target = target_folder(root, fresh)?;
    let lines = match fresh {
        true => &["run --locked --bin xtask -- test"][..],
        // With an option, the harness runs alone.
        false => &["clean --locked --workspace", "run --locked --bin xtask -- test --verbose"],
    };
    for line in lines {
        let mut command = cargo(folder.path());
        command.args(line.split(' ')).env("CARGO_TARGET_DIR", target.path()).stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        eprintln!("$ cargo {line}");
        let status = command.spawn().and_then(wait_unless_interrupted);
        let status = status.with_context(|| format!("cannot run cargo {line}"))?;
        let status = status.context("interrupted; there is no archive")?;
        if !status.success() {
            return Ok(Err(format!("`cargo {line}` ended with {status}")));
        }
    }
    // The tests would not find it so the next time.
    let differs = |file: &&PackedFile| {
        fs::read(folder.path().join(&file.path)).map_or(true, |now| now != file.contents)
    };
    Ok(match files.iter().find(differs) {
        Some(file) => Err(format!("its tests change {}", file.path)),
        None => Ok(started.elapsed()),
    })
}

/// A new target folder, with what is compiled for the workspace unless it is to be fresh.
fn target_folder(root: &Path, fresh: bool) -> Result<TempDir> {
    let own = system::target_folder(root).context("cannot find cargo's target folder")?;
    let parent = own.join("package");
    fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
    let target = system::temporary_folder(&parent, "build-")
        .with_context(|| format!("cannot create a folder in {}", parent.display()))?;
    if fresh {
        eprintln!("compiling everything again, in {}", target.path().display());
        return Ok(target);
    }
    let shared = share(&own, target.path())
        .with_context(|| format!("cannot copy what is in {}", own.display()))?;
    eprintln!(
        "shared with {}: {shared} files; of them only the compiled dependencies stay, all packages of the \
         archive are compiled again (--fresh: the dependencies too, and every test runs)",
        own.display()
    );
    Ok(target)
}

/// The cargo that runs this program, in this folder, as if it were started by hand there.
fn cargo(folder: &Path) -> Command {
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

/// Whether Ctrl-C was pressed, or the process was told to end.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The status in which a command ended; `None` if it was ended, because this program was told to end.
fn wait_unless_interrupted(mut child: Child) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if INTERRUPTED.load(Ordering::SeqCst) {
            end(&mut child)?;
            child.wait()?;
            return Ok(None);
        }
        if let Some(status) = child.try_wait()? {
            return Ok((!INTERRUPTED.load(Ordering::SeqCst)).then_some(status));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ends a command and the compilers and tests that it started, which are a process group.
#[cfg(unix)]
fn end(child: &mut Child) -> std::io::Result<()> {
    let group = format!("-{}", child.id());
    Command::new("kill").args(["-s", "TERM", "--", &group]).status().map(drop)
}

#[cfg(not(unix))]
fn end(child: &mut Child) -> std::io::Result<()> {
    child.kill()
}

fn inside(folder: &Path, root: &Path) -> bool {
    match (folder.canonicalize(), root.canonicalize()) {
        (Ok(folder), Ok(root)) => folder.starts_with(root),
        _ => false,
    }
}
