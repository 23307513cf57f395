//! The clients of package registries, run as programs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

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

/// Says which command it runs, and runs it; its output is shown only if it fails.
pub(crate) fn run(command: &mut Command, reporter: &Reporter) -> Result<(), AcquireError> {
    let line = line(command);
    reporter.say(&format!("$ {line}"));
    let output = command.stdin(Stdio::null()).output().map_err(|source| {
        let program = command.get_program().display().to_string();
        AcquireError::NoClient { program, source }
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
}
