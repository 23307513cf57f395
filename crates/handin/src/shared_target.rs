//! A target folder in which the dependencies are compiled already.
//!
//! Cargo takes the packages of two copies of one workspace for the same, so the copies must not
//! share a target folder: each would run what was compiled from the other. The dependencies are the
//! same for both, and only they are shared.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Cargo's word on a workspace.
pub(crate) struct Cargo {
    /// Its target folder.
    pub(crate) target: PathBuf,
    /// The names of the packages of the workspace, and of all their targets.
    own: BTreeSet<String>,
}

/// Larger files are shared, smaller ones copied: cargo writes into those.
const WORTH_A_LINK: u64 = 1 << 16;

impl Cargo {
    /// Asks the cargo that runs this program.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Metadata {
            target_directory: PathBuf,
            packages: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
            targets: Vec<Target>,
        }
        #[derive(Deserialize)]
        struct Target {
            name: String,
        }
        let metadata: Metadata = system::cargo_metadata(root, &["--no-deps"])
            .with_context(|| format!("cannot look into {}", root.display()))?;
        let names = |package: Package| {
            let targets = package.targets.into_iter().map(|target| target.name);
            [package.name].into_iter().chain(targets).collect::<Vec<_>>()
        };
        let own = metadata.packages.into_iter().flat_map(names);
        // In the names of files, the dash has become an underscore.
        let own = own.map(|name| name.replace('-', "_")).collect();
        Ok(Self { target: metadata.target_directory, own })
    }

    /// Puts the compiled dependencies of the workspace into the folder `target`; how many files.
    ///
    /// # Errors
    /// If a file can neither be linked nor copied.
    pub(crate) fn share_dependencies(&self, target: &Path) -> Result<usize> {
        let mut shared = 0;
        for folder in ["debug/.fingerprint", "debug/build", "debug/deps"] {
            let (from, to) = (self.target.join(folder), target.join(folder));
            if from.is_dir() {
                shared += self
                    .share(&from, &to, true)
                    .with_context(|| format!("cannot copy {}", from.display()))?;
            }
        }
        Ok(shared)
    }

    /// Links or copies a file, or a folder with all that is in it; of the folder itself, nothing that is
    /// this workspace's own.
    fn share(&self, from: &Path, to: &Path, is_top: bool) -> io::Result<usize> {
        let metadata = fs::metadata(from)?;
        if metadata.is_dir() {
            fs::create_dir_all(to)?;
            let mut shared = 0;
            for entry in fs::read_dir(from)? {
                let name = entry?.file_name();
                if !is_top || !self.is_own(&name.to_string_lossy()) {
                    shared += self.share(&from.join(&name), &to.join(&name), false)?;
                }
            }
            return Ok(shared);
        }
        if metadata.len() < WORTH_A_LINK || fs::hard_link(from, to).is_err() {
            fs::copy(from, to)?;
            // Cargo compares the times of what it compiled.
            File::options().write(true).open(to)?.set_modified(metadata.modified()?)?;
        }
        Ok(1)
    }

    /// Whether a file or folder of the target folder belongs to a package of the workspace:
    /// `layers-0123`, `liblayers-0123.rlib`.
    fn is_own(&self, name: &str) -> bool {
        let stem = name.split('.').next().unwrap_or(name);
        let stem = stem.rsplit_once('-').map_or(stem, |(stem, _)| stem).replace('-', "_");
        let library = stem.strip_prefix("lib").unwrap_or(&stem);
        self.own.contains(&stem) || self.own.contains(library)
    }
}

/// The cargo that runs this program, in this folder, as if it were started by hand there.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let of_this_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "GIT_"];
        if of_this_package.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_shared_and_packages_of_the_workspace_are_not() {
        let root = tempfile::tempdir().unwrap();
        let own = ["layers", "course", "report"].map(str::to_owned).into();
        let cargo = Cargo { target: root.path().join("target"), own };
        let large = vec![7; 1 << 17];
        let files = [
            ("debug/deps/libndarray-01ab.rlib", &large[..], true),
            ("debug/deps/ndarray-01ab.d", b"d", true),
            ("debug/deps/liblayers-02ab.rlib", &large, false),
            ("debug/deps/course-03ab", b"test", false),
            ("debug/.fingerprint/ndarray-01ab/lib", b"1", true),
            ("debug/.fingerprint/report-05ab/lib", b"1", false),
            ("debug/build/zstd-sys-04ab/out/a.h", b"1", true),
            ("debug/report", b"program", false),
        ];
        for (path, contents, _) in files {
            let path = cargo.target.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        let target = root.path().join("other");
        assert_eq!(cargo.share_dependencies(&target).unwrap(), 4);
        for (path, _, is_there) in files {
            assert_eq!(target.join(path).exists(), is_there, "{path}");
        }
        let time = |folder: &Path| {
            fs::metadata(folder.join("debug/deps/ndarray-01ab.d")).unwrap().modified().unwrap()
        };
        assert_eq!(time(&target), time(&cargo.target));
    }

    #[test]
    fn the_packages_of_this_workspace_are_known() {
        let root = system::workspace_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let cargo = Cargo::of(&root).unwrap();
        for own in ["handin-01", "libhandin-01.rlib", "xtask-01.d", "data-01"] {
            assert!(cargo.is_own(own), "{own}");
        }
        assert!(!cargo.is_own("libsyn-01.rlib") && !cargo.is_own("zstd-sys-01"));
    }
}
