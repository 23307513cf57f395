//! Builds the archive and runs its tests where nothing but the archive is.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use stdio::eprintln;
use tempfile::TempDir;

use crate::HandinError;
use crate::packed_file::PackedFile;
use crate::shared_target::{self, Cargo};
use crate::{archive, output};

/// How the unpacked archive is verified.
pub(crate) struct Verification<'a> {
    /// The workspace that was packed.
    pub(crate) root: &'a Path,
    /// Whether the dependencies are compiled again, too.
    pub(crate) fresh: bool,
}

impl Verification<'_> {
    /// Unpacks the archive into a new folder outside of the workspace and runs `cargo xtask test`
    /// there; how long it took, or what failed.
    ///
    /// # Errors
    /// If it cannot be unpacked, cargo cannot be run, or Ctrl-C ended it; nothing is left behind.
    pub(crate) fn run(&self, bytes: &[u8]) -> Result<Result<Duration, String>, HandinError> {
        let started = Instant::now();
        // Several gigabytes are compiled, which must not stay behind.
        for signal in [SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&INTERRUPTED))
                .map_err(HandinError::io("watch", "Ctrl-C"))?;
        }
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix("cs189-hw6-")
            .tempdir_in(&temporary)
            .map_err(disk::without_temporary_name)
            .map_err(HandinError::io("create a folder in", &temporary))?;
        if inside(folder.path(), self.root) {
            return Err(HandinError::Output {
                path: folder.path().to_owned(),
                what: "the folder for temporary files is inside the workspace; set TMPDIR to another",
            });
        }
        let files = archive::read(bytes)?;
        archive::unpack(&files, folder.path())?;
        eprintln!("unpacked {} files into {}", files.len(), folder.path().display());

        let target = self.target_folder()?;
        let line = "cargo run --locked --bin xtask -- test";
        let mut command = shared_target::command(folder.path());
        command
            .args(line.split(' ').skip(1))
            .env("CARGO_TARGET_DIR", target.path())
            .stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        eprintln!("$ {line}");
        let status = command.spawn().and_then(wait_unless_interrupted);
        let status = status.map_err(HandinError::io("run", line))?;
        let status = status.ok_or(HandinError::Interrupted)?;
        if !status.success() {
            return Ok(Err(format!("`{line}` ended with {status}")));
        }
        Ok(match changed(&files, folder.path()) {
            Some(what) => Err(what),
            None => Ok(started.elapsed()),
        })
    }

    /// A new target folder, with the compiled dependencies of the workspace unless it is to be fresh.
    fn target_folder(&self) -> Result<TempDir, HandinError> {
        let cargo = Cargo::of(self.root)?;
        let parent = cargo.target.join("package");
        output::create_folder(&parent)?;
        let target = tempfile::Builder::new()
            .prefix("build-")
            .tempdir_in(&parent)
            .map_err(disk::without_temporary_name)
            .map_err(HandinError::io("create a folder in", &parent))?;
        if self.fresh {
            eprintln!("compiling everything again, in {}", target.path().display());
            return Ok(target);
        }
        let shared = cargo.share_dependencies(target.path())?;
        eprintln!(
            "shared with {}: the compiled dependencies, {shared} files; all packages of the archive \
             are compiled again (--fresh: the dependencies too)",
            cargo.target.display()
        );
        Ok(target)
    }
}

/// Whether Ctrl-C was pressed, or the process was told to end.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// How a command ended; `None` if it was ended, because this program was told to end.
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

/// A file that the tests changed or removed: they would not find it so the next time.
fn changed(files: &[PackedFile], folder: &Path) -> Option<String> {
    let differs = |file: &&PackedFile| {
        std::fs::read(folder.join(&file.path)).map_or(true, |now| now != file.contents)
    };
    files.iter().find(differs).map(|file| format!("its tests change {}", file.path))
}

fn inside(folder: &Path, root: &Path) -> bool {
    match (folder.canonicalize(), root.canonicalize()) {
        (Ok(folder), Ok(root)) => folder.starts_with(root),
        _ => false,
    }
}
