//! `cargo xtask starter`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::Args;
use system::println;

use crate::archive::{PackedFile, sha256};
use crate::starter::{self, ARCHIVE, PROGRAM, REPORT, SUMS, Verification};
use crate::verification::cargo;

/// Write the workspace that students get: this one without its solution
///
/// The bodies of the graded functions are `todo!`; layers, training, data and plots are there. The harness comes with
/// it, as an archive that contains the solution, or as a program (--harness).
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask starter ../hw6-starter
  cargo xtask starter ../hw6-starter --harness target/release/harness")]
pub struct StarterArguments {
    /// The folder to write, which must not exist or be empty
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// Hand out this compiled harness, with the program `report` beside it, and no archive with the solution
    #[arg(long, value_name = "FILE")]
    pub harness: Option<PathBuf>,
}

impl StarterArguments {
    /// Writes a starter of the workspace at `root`, whole or not at all.
    ///
    /// # Errors
    /// If the folder has something in it or cannot be written; if a file of the workspace is not as it must be.
    pub fn run(&self, root: &Path) -> Result<()> {
        let shown = self.folder.display();
        let is_free = match fs::read_dir(&self.folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if !is_free {
            bail!("cannot write {shown}: it is no empty folder; remove it, or name another");
        }
        let verification = match &self.harness {
            None => Verification::Archive,
            Some(program) => Verification::Program(program),
        };
        let parent = self.folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let context = || format!("cannot write into {}", parent.display());
        let unfinished = system::temporary_folder(parent, ".starter-").with_context(context)?;
        let folder = unfinished.path();
        let files = starter::files(root, &verification)?;
        write(&files, folder).with_context(|| format!("cannot write {shown}"))?;
        run(folder, &["fmt"])?;
        fs::write(folder.join(SUMS), sums(folder, &files)?)
            .with_context(|| format!("cannot write {SUMS}"))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).with_context(context)?;
        }
        if self.folder.exists() {
            fs::remove_dir(&self.folder).with_context(|| format!("cannot replace {shown}"))?;
        }
        fs::rename(folder, &self.folder).with_context(|| format!("cannot write {shown}"))?;
        println!("wrote {} files to {shown}", files.len());
        match &self.harness {
            None => println!("{ARCHIVE} holds the harness, with the solution in it"),
            Some(program) => {
                println!("{PROGRAM} verifies it; the solution is not in it");
                if !self.folder.join(REPORT).is_file() {
                    let own = program.with_file_name("report");
                    println!(
                        "`cargo xtask report` does not work in it: {} is missing",
                        own.display()
                    );
                }
            }
        }
        println!("next: cd {} && cargo xtask test", system::quoted(&self.folder));
        Ok(())
    }
}

/// The checksum of each file, as students get it, in the form of the program `sha256sum`.
fn sums(folder: &Path, files: &[PackedFile]) -> Result<String> {
    let line = |PackedFile { path, .. }: &PackedFile| -> Result<String> {
        let contents =
            fs::read(folder.join(path)).with_context(|| format!("cannot read {path}"))?;
        Ok(format!("{}  {path}\n", sha256(&contents)))
    };
    files.iter().map(line).collect()
}

/// The program of students of the workspace at `root`, before anything is written, with all that it is made of.
#[derive(Debug)]
pub struct Unwritten(Vec<PackedFile>);

impl Unwritten {
    /// Cuts it out of the sources.
    ///
    /// # Errors
    /// If a file of the workspace is not as it must be.
    pub fn read(root: &Path) -> Result<Self> {
        starter::files(root, &Verification::Elsewhere).map(Self)
    }

    /// The SHA-256 of all files.
    pub fn sha256(&self) -> String {
        let parts = self.0.iter().map(|file| [file.path.as_bytes(), &file.contents].join(&b'\n'));
        sha256(&parts.collect::<Vec<_>>().join(&b'\n'))
    }

    /// Writes it as a workspace.
    ///
    /// # Errors
    /// If a file cannot be written, or cargo finds no versions of dependencies.
    pub fn write(&self, folder: &Path) -> Result<()> {
        write(&self.0, folder)
    }
}

/// Writes a starter before it is formatted.
fn write(files: &[PackedFile], folder: &Path) -> Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&path, &file.contents)?;
            #[cfg(unix)]
            if file.executable {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
            }
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", file.path))?;
    }
    // The versions stay; packages that are not needed go.
    run(folder, &["update", "--quiet", "--workspace", "--offline"])?;
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"))
    };
    let manifest = starter::with_profiles_of(&read("Cargo.toml")?, &read("Cargo.lock")?);
    fs::write(folder.join("Cargo.toml"), manifest).context("cannot write Cargo.toml")
}

/// Runs cargo in the starter.
fn run(folder: &Path, arguments: &[&str]) -> Result<()> {
    let line = arguments.join(" ");
    let mut command = cargo(folder);
    let status = command.args(arguments).stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot run cargo {line}"))?;
    if !status.success() {
        bail!("`cargo {line}` ended with {status} in the starter: see its message above");
    }
    Ok(())
}
