//! The programs that ask the network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::ensure::Fetch;
use crate::error::{file_error, unexpected};
use crate::{AcquireError, Request};

/// The programs that are called, by name or path, and the patience with a server.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The downloader over HTTP: it knows proxies and the system's certificates.
    pub curl: PathBuf,
    /// npm.
    pub npm: PathBuf,
    /// APT's downloader.
    pub apt_get: PathBuf,
    /// The program that unpacks Debian packages.
    pub dpkg_deb: PathBuf,
    /// The time for which less than a kilobyte a second may arrive, in whole seconds.
    pub stall: Duration,
    /// The pause before the second attempt; it doubles.
    pub pause: Duration,
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            curl: "curl".into(),
            npm: if cfg!(windows) { "npm.cmd" } else { "npm" }.into(),
            apt_get: "apt-get".into(),
            dpkg_deb: "dpkg-deb".into(),
            stall: Duration::from_secs(60),
            pause: Duration::from_secs(1),
        }
    }
}

impl Fetch<'_> {
    /// Lets npm fetch a package to an empty folder; returns its archive.
    pub(crate) fn npm_pack(&self, package: &str, folder: &Path) -> Result<PathBuf, AcquireError> {
        let mut npm = Command::new(&self.request.clients.npm);
        // A cache of its own, or npm would keep another copy in the user's for good.
        npm.args(["pack", package, "--ignore-scripts", "--no-audit", "--cache", ".npm-cache"]);
        run(npm.current_dir(folder), self.request)?;
        written(folder, "tgz", &format!("the archive of {package} that `npm pack` writes"))
    }

    /// Lets APT fetch a package to an empty folder; returns the `.deb`.
    pub(crate) fn apt_download(
        &self,
        package: &str,
        folder: &Path,
    ) -> Result<PathBuf, AcquireError> {
        let apt = |options: &[String], command: &[&str]| {
            let mut apt = Command::new(&self.request.clients.apt_get);
            run(apt.args(options).args(command).current_dir(folder), self.request)
        };
        match apt(&[], &["download", package]) {
            Err(error @ AcquireError::Client(_)) => {
                // Containers come without package lists, and only root may write those of the system.
                self.request.say(&format!("{error}\nfetching package lists of our own"));
                for part in ["lists/partial", "cache/archives/partial"] {
                    let path = folder.join(part);
                    fs::create_dir_all(&path).map_err(file_error("create the folder", &path))?;
                }
                let at = |part| folder.join(part).display().to_string();
                let lists = format!("-oDir::State::Lists={}", at("lists"));
                let own = [lists, format!("-oDir::Cache={}", at("cache"))];
                apt(&own, &["update"])?;
                apt(&own, &["download", package])?;
            }
            other => other?,
        }
        written(folder, "deb", &format!("the package {package} that `apt-get download` writes"))
    }

    /// Unpacks a `.deb` into a folder without installing it: no root is needed.
    pub(crate) fn unpack_deb(&self, package: &Path, to: &Path) -> Result<(), AcquireError> {
        let mut dpkg_deb = Command::new(&self.request.clients.dpkg_deb);
        run(dpkg_deb.arg("-x").args([package, to]), self.request)
    }
}

/// The file with this extension that a client has written to a folder.
fn written(folder: &Path, extension: &str, expected: &str) -> Result<PathBuf, AcquireError> {
    let files = system::entries(folder).map_err(file_error("list", folder))?;
    let mut paths = files.iter().map(|entry| entry.path());
    let found = paths.find(|path| path.extension().is_some_and(|found| found == extension));
    found.ok_or_else(|| unexpected(folder, expected, format!("no .{extension} file")))
}

/// Says which command it runs, and runs it; the end of its output is shown if it fails.
fn run(command: &mut Command, request: &Request) -> Result<(), AcquireError> {
    const LINES: usize = 5;
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|word| word.display().to_string()).collect::<Vec<_>>().join(" ");
    request.say(&format!("$ {line}"));
    let output = command.stdin(Stdio::null()).output().map_err(|cause| {
        AcquireError::Source(format!(
            "`{}` cannot be run: {cause}",
            command.get_program().display()
        ))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let message = lines[lines.len().saturating_sub(LINES)..].join("\n");
    Err(AcquireError::Client(format!("`{line}` ended with {}: {message}", output.status)))
}
