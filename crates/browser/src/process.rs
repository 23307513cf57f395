//! The browser's process.

use std::fmt::Display;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::BrowserError;

/// Pause between two looks at a file or process.
const PAUSE: Duration = Duration::from_millis(20);

/// Limit for a browser that was asked to end.
const FAREWELL: Duration = Duration::from_secs(3);

/// Looks again and again, until there is something or the time is over.
pub(crate) fn poll<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        let found = look();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        thread::sleep(PAUSE);
    }
}

/// A running browser with its profile; both are gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) profile: PathBuf,
}

impl Process {
    /// Starts the program, and waits until it says at which port and path it listens.
    pub(crate) fn start(
        program: &Path,
        limit: Duration,
    ) -> Result<(Self, u16, String), BrowserError> {
        let parent = std::env::temp_dir();
        let profile = system::temporary_folder(&parent, "browser-profile-")
            .map_err(|error| cannot("create a folder in", &parent, error))?;
        let stderr = profile.path().join("stderr.txt");
        let log = File::create(&stderr).map_err(|error| cannot("create", &stderr, error))?;
        let not_started = |reason: String| {
            BrowserError::of(format!("{} does not start", program.display()), reason)
        };
        let mut command = Command::new(program);
        command.args(ARGUMENTS).arg("about:blank");
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(|error| not_started(error.to_string()))?;
        // From here on the profile goes with the process, after it.
        let mut process = Self { child, profile: profile.keep() };
        let address = process.wait_for_address(limit).map_err(|reason| {
            not_started(match last_lines(&stderr) {
                lines if lines.is_empty() => reason,
                lines => format!("{reason}; its last lines are:\n{lines}"),
            })
        });
        let (port, path) = address?;
        Ok((process, port, path))
    }

    fn wait_for_address(&mut self, limit: Duration) -> Result<(u16, String), String> {
        let file = self.profile.join("DevToolsActivePort");
        let found = poll(limit, || {
            if let Some(address) = fs::read_to_string(&file).ok().as_deref().and_then(address) {
                return Some(Ok(address));
            }
            let status = self.child.try_wait().ok().flatten()?;
            let code = status.code().map(|code| format!("exit code {code}"));
            Some(Err(format!("it ended with {}", code.as_deref().unwrap_or("a signal"))))
        });
        let late = format!("it does not say where it listens within {:.0} s", limit.as_secs_f64());
        found.unwrap_or(Err(late))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        poll(FAREWELL, || (!matches!(self.child.try_wait(), Ok(None))).then_some(()));
        // One that has ended cannot be killed, and one that cannot be killed cannot be helped.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its last helper processes may still write there.
        let is_gone = || fs::remove_dir_all(&self.profile).is_ok() || !self.profile.exists();
        poll(FAREWELL, || is_gone().then_some(()));
    }
}

const ARGUMENTS: [&str; 26] = [
    "--headless",
    "--remote-debugging-port=0",
    // As root, or in a container without user namespaces, it has none. The pages that it is shown here are
    // the workspace's own.
    "--no-sandbox",
    // Nothing but the page: no updates, no extensions, no account, no crash reports.
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--disable-breakpad",
    "--disable-domain-reliability",
    "--metrics-recording-only",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider",
    // What a page asks of the network is logged, and fails.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-proxy-server",
    // The same picture on every machine.
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    "--disable-gpu",
    "--mute-audio",
    // The small /dev/shm of a container does not hold a long page.
    "--disable-dev-shm-usage",
    // Otherwise a tab that is not in front is slowed down.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
];

/// The two lines of `DevToolsActivePort`; `None` while it is being written.
fn address(text: &str) -> Option<(u16, String)> {
    let (port, path) = text.split_once('\n')?;
    path.starts_with("/devtools/").then_some((port.parse().ok()?, path.trim_end().to_owned()))
}

/// The last lines that the browser wrote.
fn last_lines(stderr: &Path) -> String {
    let text = fs::read(stderr).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

fn cannot(attempt: &str, path: &Path, error: impl Display) -> BrowserError {
    BrowserError::of(format!("cannot {attempt} {}", path.display()), error)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder, and a program in it that is a script.
    fn program(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("browser");
        fs::write(&file, format!("#!/bin/sh\ncd {}\n{text}\n", folder.path().display())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, file)
    }

    #[test]
    fn an_address_is_read_when_both_lines_are_there() {
        let expected = Some((4711, "/devtools/browser/a-b".to_owned()));
        assert_eq!(address("4711\n/devtools/browser/a-b\n"), expected);
        for partial in ["", "4711", "4711\n", "4711\n/dev", "x\n/devtools/browser/a"] {
            assert_eq!(address(partial), None, "{partial:?}");
        }
    }

    #[test]
    fn a_program_that_ends_or_says_nothing_is_an_error_and_killed() {
        let (_folder, ends) = program("echo cannot open display >&2; exit 3");
        let error = Process::start(&ends, Duration::from_secs(10)).unwrap_err().to_string();
        assert!(error.contains("it ended with exit code 3"), "{error}");
        assert!(error.ends_with("cannot open display"), "{error}");

        let (folder, silent) = program("echo $$ > pid; exec sleep 60");
        let error = Process::start(&silent, Duration::from_millis(300)).unwrap_err().to_string();
        assert!(error.contains("does not say where it listens within 0 s"), "{error}");
        let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
        let alive = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status();
        assert!(!alive.unwrap().success());
    }
}
