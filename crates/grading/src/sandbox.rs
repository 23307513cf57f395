//! How the programs of hand-ins are started: in isolation, as far as this machine has it.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use isolation::{NOBODY, SYSTEM_FOLDERS};
use subject::NUMPY_ADAPTER;
use system::quoted;

/// What the programs of all hand-ins may take and read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Rights {
    /// Start programs without isolation, with all your rights: only for code that you trust
    #[arg(long)]
    no_sandbox: bool,

    /// Where the kernel has no Landlock, let the permissions of files protect them from the user nobody; only as root
    #[arg(long, conflicts_with = "no_sandbox")]
    without_landlock: bool,

    /// A folder that programs may read, such as that of an interpreter outside /usr
    #[arg(long, value_name = "DIR", conflicts_with = "no_sandbox")]
    read: Vec<PathBuf>,

    /// The memory that a program may take, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(64..1 << 20))]
    memory: u64,

    /// Seconds for all of a hand-in; checks that remain then have failed
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..100_000))]
    pub(crate) time_limit: u64,

    /// Seconds for one request, such as a backward pass
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..10_000))]
    pub(crate) request_limit: u64,

    /// Seconds of processor time to compile one crate of a hand-in in Rust
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..10_000))]
    pub(crate) build_limit: u64,
}

/// The memory that a compiler may take, in bytes.
const BUILD_MEMORY: u64 = 4 << 30;

impl Rights {
    /// Those of the workspace's own code, which needs no isolation.
    pub(crate) fn of_own_code() -> Self {
        Self {
            no_sandbox: true,
            without_landlock: false,
            read: vec![],
            memory: 0,
            time_limit: 600,
            request_limit: 20,
            build_limit: 60,
        }
    }
}

/// The launcher, and the interpreter for hand-ins in NumPy.
#[derive(Debug)]
pub(crate) struct Sandbox {
    rights: Rights,
    own: PathBuf,
    readable: Vec<PathBuf>,
    nobody: bool,
    python: Option<Python>,
    /// The mechanisms in force.
    pub(crate) mechanisms: String,
}

/// The `python3` that is found first, if it has NumPy.
#[derive(Debug)]
struct Python {
    executable: PathBuf,
    version: String,
}

/// Prints where Python is and what it needs, a line each.
const ABOUT_PYTHON: &str = "\
import os, sys, numpy
print(sys.executable)
print(f'Python {sys.version.split()[0]}, NumPy {numpy.__version__}')
for folder in sys.prefix, sys.base_prefix, os.path.dirname(numpy.__path__[0]):
    print(os.path.realpath(folder))
print('/etc/python%d.%d' % sys.version_info[:2])";

impl Sandbox {
    /// Looks for Python and tries the isolation.
    ///
    /// # Errors
    /// If this machine cannot isolate, unless that was not wanted; if a program could read what it must not.
    pub(crate) fn find(rights: Rights, secret: &[&Path]) -> Result<Self> {
        let own = std::env::current_exe().context("the path of this program is unknown")?;
        let about = Command::new("python3").args(["-I", "-c", ABOUT_PYTHON]).output();
        let about = about.ok().filter(|output| output.status.success());
        let about =
            about.map(|Output { stdout, .. }| String::from_utf8_lossy(&stdout).into_owned());
        let mut lines = about.iter().flat_map(|text| text.lines());
        let python = lines.next().zip(lines.next());
        let python = python
            .map(|(path, version)| Python { executable: path.into(), version: version.into() });
        let mut readable = Vec::new();
        for path in lines.map(PathBuf::from).chain(rights.read.clone()) {
            let named = rights.read.contains(&path);
            if named && !path.exists() {
                bail!("--read {} does not exist", path.display());
            }
            let is_systems = SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder));
            if path.exists() && !is_systems {
                readable.push(path.canonicalize()?);
            }
        }
        let mut sandbox =
            Self { rights, own, readable, nobody: false, python, mechanisms: String::new() };
        if sandbox.rights.no_sandbox {
            sandbox.mechanisms = "none: programs have all your rights".to_owned();
            return Ok(sandbox);
        }
        let system = SYSTEM_FOLDERS.iter().map(Path::new);
        for readable in system.chain(sandbox.readable.iter().map(PathBuf::as_path)) {
            if let Some(secret) = secret.iter().find(|secret| secret.starts_with(readable)) {
                let (secret, readable) = (secret.display(), readable.display());
                bail!(
                    "{secret} lies in {readable}, which a hand-in may read; grade from another place"
                );
            }
        }
        if sandbox.rights.without_landlock
            && let Some(secret) = secret.iter().find(|secret| is_open(secret))
        {
            let secret = secret.display();
            bail!(
                "{secret} is open to all users, so --without-landlock would not protect it: chmod o= {secret}"
            );
        }
        // As nobody, if that user can run the interpreter.
        let nothing = [OsString::from("true")];
        let test = sandbox.python.as_ref().map(|python| {
            [python.executable.clone().into(), "-I".into(), "-c".into(), "import numpy".into()]
        });
        let test = test.as_ref().map_or(&nothing[..], |test| &test[..]);
        let mut failure = String::new();
        for nobody in [true, false] {
            sandbox.nobody = nobody;
            let folder = Path::new("/usr");
            let runs = |program: &[OsString]| {
                let output =
                    Command::new("sh").arg("-c").arg(sandbox.isolated(folder, program)).output();
                output.map(|output| {
                    (output.status.success(), [output.stdout, output.stderr].concat())
                })
            };
            let (is_isolated, mechanisms) = runs(&[])?;
            let (runs, errors) = runs(test)?;
            if is_isolated && runs {
                sandbox.mechanisms = String::from_utf8_lossy(&mechanisms).trim().to_owned();
                if !nobody && std::fs::metadata("/proc/self")?.uid() == 0 {
                    sandbox.mechanisms += "; user root, since nobody cannot run the interpreter";
                }
                return Ok(sandbox);
            }
            let errors = if is_isolated { errors } else { mechanisms };
            failure = String::from_utf8_lossy(&errors).trim().to_owned();
        }
        bail!(
            "{}\nhand-ins are not started without it: grade on another machine, or use --no-sandbox if you trust the \
             code as your own",
            failure.trim_start_matches("error: ")
        )
    }

    /// The user that a snapshot should belong to.
    pub(crate) fn owner(&self) -> Option<u32> {
        self.nobody.then_some(NOBODY)
    }

    /// The interpreter's version, if there is one.
    pub(crate) fn python(&self) -> &str {
        self.python.as_ref().map_or("", |python| &python.version)
    }

    /// The shell command that starts a program, or the adapter for NumPy, on the code in a folder.
    pub(crate) fn command(&self, folder: &Path, program: Option<Vec<String>>) -> Result<String> {
        let program: Vec<OsString> = match program {
            Some(words) => words.into_iter().map(OsString::from).collect(),
            None => {
                let python = self.python.as_ref().context(
                    "a hand-in in NumPy needs python3 with NumPy, but the python3 found first has none",
                )?;
                // Isolated from variables, the user's packages and the current folder, where a student's numpy.py
                // could lie.
                let adapter = ["-I", "-c", NUMPY_ADAPTER].map(OsString::from);
                [&[python.executable.clone().into()], &adapter[..], &[folder.into()]].concat()
            }
        };
        if !self.rights.no_sandbox {
            return Ok(self.isolated(folder, &program));
        }
        Ok(format!("cd {} && exec {}", quoted(folder), line(&program)))
    }

    /// The shell command of a compiler that reads `folder` and what is `readable`, and writes to `products`.
    pub(crate) fn compiler(
        &self,
        folder: &Path,
        products: &Path,
        readable: &[&Path],
        command: &[String],
    ) -> String {
        if self.rights.no_sandbox {
            return format!("cd {} && exec {}", quoted(folder), line(command));
        }
        let mut launcher = self.launcher(BUILD_MEMORY, self.rights.build_limit);
        launcher += &format!(" --products {}", quoted(products));
        readable.iter().for_each(|path| launcher += &format!(" --read {}", quoted(path)));
        format!("{launcher} {} -- {}", quoted(folder), line(command))
    }

    /// The limit of processor time of a compiler.
    pub(crate) fn build_limit(&self) -> Duration {
        Duration::from_secs(self.rights.build_limit)
    }

    /// The launcher's command; without a program it says what is in force.
    fn isolated(&self, folder: &Path, program: &[OsString]) -> String {
        let seconds = self.rights.time_limit + 10;
        let mut command = self.launcher(self.rights.memory << 20, seconds);
        if self.nobody {
            command += " --nobody";
        }
        if self.rights.without_landlock {
            command += " --without-landlock";
        }
        for readable in &self.readable {
            command += &format!(" --read {}", quoted(readable));
        }
        format!("{command} {} -- {}", quoted(folder), line(program))
    }

    fn launcher(&self, memory: u64, seconds: u64) -> String {
        format!("exec {} isolate --memory {memory} --seconds {seconds}", quoted(&self.own))
    }
}

/// Words as the shell reads them.
fn line(words: &[impl AsRef<OsStr>]) -> String {
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Whether every user may enter a folder, or may once it is made.
fn is_open(folder: &Path) -> bool {
    let is_closed = |folder: &Path| {
        std::fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o001 == 0)
    };
    !folder.ancestors().any(is_closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_closed_by_any_above_it() {
        assert!(is_open(Path::new("/usr/lib/none")));
        let closed = tempfile::tempdir().unwrap();
        let only_own = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(closed.path(), only_own).unwrap();
        assert!(!is_open(closed.path()) && !is_open(&closed.path().join("a/b")));
    }
}
