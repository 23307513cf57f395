//! A program that is killed at a certain moment.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The moment at which a program is killed.
pub(super) enum Moment {
    /// So long after its start.
    After(Duration),
    /// As soon as this file, a log, has so many bytes.
    Size(PathBuf, u64),
    /// So long after it began to write its n-th file, counted from 0, in the folders that are watched.
    Write(u64, Duration),
    /// Not at all.
    Never,
}

/// The end of a program.
pub(super) struct End {
    pub(super) killed: bool,
    /// The files that it had begun to write and not finished.
    pub(super) unfinished: BTreeSet<PathBuf>,
    pub(super) seconds: f64,
    /// The number of files that were seen while they were written.
    pub(super) writes: u64,
}

/// Runs a program and kills it (`SIGKILL`) at this moment, unless it has ended before, which it must do without
/// an error.
pub(super) fn run(command: &mut Command, moment: &Moment, watched: &[PathBuf]) -> Result<End> {
    let started = Instant::now();
    let before = temporary(watched);
    let mut seen = before.clone();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let killed = loop {
        if child.try_wait().context("cannot wait for the program")?.is_some() {
            break false;
        }
        seen.extend(temporary(watched));
        let due = match moment {
            Moment::After(time) => started.elapsed() >= *time,
            Moment::Size(file, bytes) => file.metadata().is_ok_and(|file| file.len() >= *bytes),
            Moment::Write(n, _) => (seen.len() - before.len()) as u64 > *n,
            Moment::Never => false,
        };
        if due {
            if let Moment::Write(_, delay) = moment {
                thread::sleep(*delay);
            }
            child.kill().context("cannot kill the program")?;
            break true;
        }
        // A file may be complete in less than a millisecond.
        thread::sleep(Duration::from_micros(20));
    };
    let output = child.wait_with_output().context("cannot wait for the program")?;
    // It may have ended by itself just before.
    let killed = killed && output.status.code().is_none();
    if !killed && !output.status.success() {
        bail!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let unfinished = temporary(watched).difference(&before).cloned().collect();
    let writes = (seen.len() - before.len()) as u64;
    Ok(End { killed, unfinished, seconds: started.elapsed().as_secs_f64(), writes })
}

/// The temporary files in these folders, by which [`system::replace`] writes.
fn temporary(folders: &[PathBuf]) -> BTreeSet<PathBuf> {
    let entries = folders.iter().flat_map(std::fs::read_dir).flatten().flatten();
    let temporary = entries.filter(|entry| system::is_temporary(&entry.file_name()));
    temporary.map(|entry| entry.path()).collect()
}
