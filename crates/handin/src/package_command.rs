//! `cargo xtask package`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use system::println;

use crate::verification::{Judge, verify};
use crate::{Package, output};

/// Pack all code into an archive, unpack it elsewhere, build it there and run its checks
///
/// The archive holds the files that git tracks, as they are in the working tree, with a README for
/// the grader; data sets and weights are left out. Its bytes depend on these files alone. An archive
/// whose tests fail is kept as FILE.rejected.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask package
  cargo xtask package --output hw6.zip
  cargo xtask package --fresh      compiles the dependencies again and runs every test, too")]
pub struct PackageArguments {
    /// The archive [default: package/NAME.zip in cargo's target folder; NAME has the author and
    /// student ID of book/report.toml]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Share no compiled dependencies with the workspace, and run the tests of all crates, too
    #[arg(long, conflicts_with = "no_test")]
    pub fresh: bool,

    /// Do not build and test what was packed; the archive is then not verified
    #[arg(long)]
    pub no_test: bool,
}

impl PackageArguments {
    /// Packs the workspace at `root`, verifies the archive and prints what is in it; of a starter, `judge` verifies the
    /// program that was built from it.
    ///
    /// # Errors
    /// As [`Package::pack`]; if the unpacked archive does not build, its tests fail, or they change its
    /// files; if the output cannot be written.
    pub fn run(&self, root: &Path, judge: Option<Judge<'_>>) -> Result<()> {
        let package = Package::pack(root)?;
        let path = match &self.output {
            Some(path) => path.clone(),
            None => {
                let target = system::target_folder(root);
                let target = target.context("cannot find cargo's target folder")?;
                let folder = target.join("package");
                let context = || format!("cannot create {}", folder.display());
                fs::create_dir_all(&folder).with_context(context)?;
                folder.join(format!("{}.zip", package.name))
            }
        };
        output::check(&path)?;
        // An archive of an earlier run must not be taken for one that passed now.
        let rejected = PathBuf::from(format!("{}.rejected", path.display()));
        for old in [&path, &rejected] {
            remove_archive(old)?;
        }
        let verdict = if self.no_test {
            "NOT VERIFIED: neither built nor tested (--no-test); run `cargo xtask package` before you \
             hand anything in"
                .to_owned()
        } else {
            match verify(root, &package.bytes, self.fresh, judge)? {
                Ok(time) => {
                    format!(
                        "verified: unpacked elsewhere, built and tested in {} s",
                        time.as_secs()
                    )
                }
                Err(what) => {
                    output::write(&rejected, &package.bytes)?;
                    bail!(
                        "the unpacked archive does not pass: {what}; it was kept as {} and must not be \
                         handed in",
                        rejected.display()
                    );
                }
            }
        };
        output::write(&path, &package.bytes)?;
        describe(&package);
        println!("{verdict}");
        println!("{}  {}", package.sha256, path.display());
        Ok(())
    }
}

/// Removes an archive, and refuses to remove anything else.
fn remove_archive(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let shown = path.display();
    let contents = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    if !contents.starts_with(b"PK") {
        bail!("cannot write {shown}: it exists and is no zip archive; name another file");
    }
    fs::remove_file(path).with_context(|| format!("cannot remove {shown}"))
}

fn describe(package: &Package) {
    println!(
        "packed {} files, {:.1} MB; the archive has {:.1} MB",
        package.files,
        package.unpacked_bytes as f64 / 1e6,
        package.bytes.len() as f64 / 1e6
    );
    match &package.changed {
        Some(changed) => list("differs from the last commit, packed as it is", changed),
        None => println!("this is no repository of git: packed what no .gitignore names"),
    }
    list("unknown to git and NOT packed (`git add` it, or ignore it)", &package.untracked);
    list("left out", &package.left_out);
    list("NOT WRITTEN", &package.unwritten);
    list("MISSING in book/report.toml", &package.missing);
}

fn list(what: &str, names: &[String]) {
    names.iter().for_each(|name| println!("{what}: {name}"));
}
