//! The clients of package registries, run as programs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::{AcquireError, Reporter};

/// The programs that are called, by name or path.
#[derive(Clone, Debug)]
pub struct Clients {
    /// npm.
    pub npm: PathBuf,
    /// APT's downloader.
    pub apt_get: PathBuf,
    /// Unpacks Debian packages.
    pub dpkg_deb: PathBuf,
}

impl Default for Clients {
    fn default() -> Self {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        Self { npm: npm.into(), apt_get: "apt-get".into(), dpkg_deb: "dpkg-deb".into() }
    }
}

/// How much of a failed command's output a message shows.
const LINES: usize = 5;

/// What a client downloads, which it does in silence: the folder shows how far it has come.
pub(crate) struct Watched<'a> {
    /// What it is called.
    pub(crate) what: &'a str,
    /// The folder that it writes to.
    pub(crate) folder: &'a Path,
    /// How large the download is.
    pub(crate) bytes: u64,
    /// What to say if it takes longer than a few minutes.
    pub(crate) if_slow: String,
}

/// Says which command it runs, and runs it; its output is shown only if it fails.
pub(crate) fn run(command: &mut Command, reporter: &Reporter) -> Result<(), AcquireError> {
    run_as(command, reporter, Command::output)
}

/// The same for a command that downloads something.
pub(crate) fn run_watched(
    command: &mut Command,
    watched: Watched<'_>,
    reporter: &Reporter,
) -> Result<(), AcquireError> {
    const INTERVAL: Duration = Duration::from_millis(100);
    run_as(command, reporter, |command| {
        let Watched { what, folder, bytes, if_slow } = watched;
        let mut transfer = reporter.transfer(what, 0, Some(bytes)).advise(Some(if_slow));
        thread::scope(|scope| {
            let child = scope.spawn(|| command.output());
            while !child.is_finished() {
                thread::sleep(INTERVAL);
                transfer.reach(size(folder));
            }
            child.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
        })
    })
}

/// The bytes of all files below a folder; those that vanish meanwhile do not count.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

fn run_as(
    command: &mut Command,
    reporter: &Reporter,
    run: impl FnOnce(&mut Command) -> io::Result<Output>,
) -> Result<(), AcquireError> {
    let line = line(command);
    reporter.say(&format!("$ {line}"));
    let output = run(command.stdin(Stdio::null())).map_err(|cause| {
        let program = command.get_program().display().to_string();
        AcquireError::NoClient { program, cause }
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let message = lines[lines.len().saturating_sub(LINES)..].join("\n");
    Err(AcquireError::Client { command: line, status: output.status, message })
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.display().to_string()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-client"), &Reporter::quiet()).unwrap_err();
        assert!(error.to_string().starts_with("`no-such-client` cannot be run: "), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_shows_the_end_of_what_was_written() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 9; echo lost >&2; exit 3"]);
        let error = run(&mut command, &Reporter::quiet()).unwrap_err().to_string();
        assert!(error.contains("exit status: 3: 6\n7\n8\n9\nlost"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_download_is_watched_by_the_size_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut command = Command::new("sh");
        command.args(["-c", "mkdir a && printf 12345 > a/b && printf 123 > c; exit 4"]);
        let watched = Watched { what: "x", folder, bytes: 8, if_slow: String::new() };
        let command = command.current_dir(folder);
        let error = run_watched(command, watched, &Reporter::quiet()).unwrap_err().to_string();
        assert!(error.contains("exit status: 4"), "{error}");
        assert_eq!(size(folder), 8);
        assert_eq!(size(&folder.join("no")), 0);
    }
}
