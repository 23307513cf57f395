//! The browser's process.

use std::fs::{self, File};
use std::io;
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
    program: PathBuf,
    child: Child,
    profile: PathBuf,
    stderr: PathBuf,
}

/// Address at which the browser listens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) path: String,
}

impl Process {
    /// Starts the program, and waits until it says where it listens.
    pub(crate) fn start(program: &Path, limit: Duration) -> Result<(Self, Address), BrowserError> {
        let first = Self::start_once(program, limit, false);
        match first {
            // A container without user namespaces has no means to build the sandbox from.
            Err(BrowserError::NotStarted { ref stderr, .. }) if lacks_sandbox(stderr) => {
                Self::start_once(program, limit, true)
            }
            other => other,
        }
    }

    fn start_once(
        program: &Path,
        limit: Duration,
        open_sandbox: bool,
    ) -> Result<(Self, Address), BrowserError> {
        let parent = std::env::temp_dir();
        let profile = system::temporary_folder(&parent, "browser-profile-")
            .map_err(|cause| file_error("create a folder in", &parent, cause))?;
        let stderr = profile.path().join("stderr.txt");
        let log = File::create(&stderr).map_err(|e| file_error("create", &stderr, e))?;
        let mut command = Command::new(program);
        command.args(ARGUMENTS);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        if open_sandbox || runs_as_root(profile.path()) {
            command.arg("--no-sandbox");
        }
        command.arg("about:blank");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(|error| BrowserError::NotStarted {
            program: program.to_owned(),
            reason: error.to_string(),
            stderr: String::new(),
        })?;
        // From here on the profile goes with the process, after it.
        let (program, profile) = (program.to_owned(), profile.keep());
        let mut process = Self { program, child, profile, stderr };
        let address = process.wait_for_address(limit)?;
        Ok((process, address))
    }

    pub(crate) fn profile(&self) -> &Path {
        &self.profile
    }

    fn wait_for_address(&mut self, limit: Duration) -> Result<Address, BrowserError> {
        let file = self.profile.join("DevToolsActivePort");
        let found = poll(limit, || {
            if let Some(address) = fs::read_to_string(&file).ok().as_deref().and_then(address) {
                return Some(Ok(address));
            }
            let status = self.child.try_wait().ok().flatten()?;
            let code = status.code().map(|code| format!("exit code {code}"));
            Some(Err(format!("it ended with {}", code.as_deref().unwrap_or("a signal"))))
        });
        let late =
            || Err(format!("it does not say where it listens within {:.0} s", limit.as_secs_f64()));
        found.unwrap_or_else(late).map_err(|reason| BrowserError::NotStarted {
            program: self.program.clone(),
            reason,
            stderr: self.last_lines(),
        })
    }

    /// The last lines that the browser wrote.
    fn last_lines(&self) -> String {
        let text = fs::read(&self.stderr).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
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

const ARGUMENTS: [&str; 25] = [
    "--headless",
    "--remote-debugging-port=0",
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

/// Chromium refuses to run as root with its sandbox on, and in a container everybody is root. The
/// pages that it is shown here are the workspace's own.
fn runs_as_root(own_folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(own_folder).is_ok_and(|metadata| metadata.uid() == 0)
    }
    #[cfg(not(unix))]
    {
        let _ = own_folder;
        false
    }
}

fn lacks_sandbox(stderr: &str) -> bool {
    stderr.contains("No usable sandbox")
}

/// The two lines of `DevToolsActivePort`; `None` while it is being written.
fn address(text: &str) -> Option<Address> {
    let (port, path) = text.split_once('\n')?;
    let path = path.trim_end();
    let port = port.trim().parse().ok()?;
    path.starts_with("/devtools/").then(|| Address { port, path: path.to_owned() })
}

fn file_error(operation: &'static str, path: &Path, cause: io::Error) -> BrowserError {
    BrowserError::File { operation, path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_when_both_lines_are_there() {
        let expected = Address { port: 4711, path: "/devtools/browser/a-b".to_owned() };
        assert_eq!(address("4711\n/devtools/browser/a-b"), Some(expected.clone()));
        assert_eq!(address("4711\n/devtools/browser/a-b\n"), Some(expected));
        for partial in ["", "4711", "4711\n", "4711\n/dev", "x\n/devtools/browser/a"] {
            assert_eq!(address(partial), None, "{partial:?}");
        }
    }

    #[cfg(unix)]
    fn script(folder: &Path, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let file = folder.join("browser");
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_ends_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), "echo cannot open display >&2; exit 3");
        let error = Process::start(&program, Duration::from_secs(10)).unwrap_err().to_string();
        assert!(error.contains("it ended with exit code 3"), "{error}");
        assert!(error.ends_with("cannot open display"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_says_nothing_is_killed_after_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let program = script(folder.path(), &format!("echo $$ > {}; exec sleep 60", pid.display()));
        let error = Process::start(&program, Duration::from_millis(300)).unwrap_err().to_string();
        assert!(error.contains("does not say where it listens within 0 s"), "{error}");
        let pid = fs::read_to_string(&pid).unwrap();
        let alive = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status();
        assert!(!alive.unwrap().success());
    }

    #[cfg(unix)]
    #[test]
    fn without_a_usable_sandbox_it_is_tried_without_one() {
        let folder = tempfile::tempdir().unwrap();
        // The profile's folder is that of --user-data-dir, whoever runs this test.
        let text = r#"for word in "$@"; do
            case $word in --no-sandbox) open=1;; --user-data-dir=*) profile=${word#*=};; esac
        done
        [ -n "$open" ] || { echo "FATAL: No usable sandbox!" >&2; exit 1; }
        printf '9\n/devtools/browser/x\n' > "$profile/DevToolsActivePort"; exec sleep 60"#;
        let program = script(folder.path(), text);
        let (_, address) = Process::start(&program, Duration::from_secs(10)).unwrap();
        assert_eq!(address.port, 9);
    }
}
