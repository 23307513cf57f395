//! The workspace that is verified: where it is, and a hash of what the verification depends on.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{HarnessError, Result};

/// The root of the workspace: the folder of a `Cargo.toml` with a `[workspace]`, at or above the
/// package that cargo runs (`CARGO_MANIFEST_DIR`), or else the current folder.
pub(crate) fn root() -> Result<PathBuf> {
    let start = system::current_package();
    system::workspace_root(&start).ok_or_else(|| {
        HarnessError::Stopped(format!(
            "expected to run inside the workspace, but no Cargo.toml with a [workspace] stands in {} \
             or above it; change into the repository or use cargo run",
            start.display()
        ))
    })
}

/// The files of the root with versions, features, profiles, flags and the toolchain.
const BUILD: [&str; 4] = [".cargo/config.toml", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml"];

/// SHA-256 of the paths and contents of `crates/**/*.rs`, of Iris in `crates/**/*.npy`, of what the harness compares
/// with in `crates/harness/**/*.json`, of what says how
/// all that is built (`crates/*/Cargo.toml`, and in the root `Cargo.toml`, `Cargo.lock`, the toolchain and
/// cargo's configuration) and of `fixtures/**`, in the order of their paths.
///
/// Results that carry another hash were obtained from other code, from code that was built otherwise, or
/// from other test data.
pub(crate) fn inputs_sha256(root: &Path) -> Result<String> {
    let mut names = BUILD.map(str::to_owned).to_vec();
    collect(root, "crates", &mut names, &|name| {
        let manifest = name.ends_with("/Cargo.toml") && name.split('/').count() == 3;
        let outcome = name.starts_with("crates/harness/") && name.ends_with(".json");
        manifest || outcome || name.ends_with(".rs") || name.ends_with(".npy")
    })?;
    // What the generating scripts leave half-written is not a fixture.
    collect(root, "fixtures", &mut names, &|name| !name.ends_with(".partial"))?;
    names.sort();
    let mut hasher = Sha256::new();
    for name in names {
        let path = root.join(&name);
        let contents = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        // Lengths first, so that no other split into names and contents has the same hash.
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update((contents.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(contents);
    }
    Ok(system::hex(&hasher.finalize()))
}

/// Adds the files below a folder that are `wanted`, as paths relative to `root`.
fn collect(
    root: &Path,
    folder: &str,
    names: &mut Vec<String>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let absolute = root.join(folder);
    for entry in system::entries(&absolute).map_err(|error| unreadable(&absolute, &error))? {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), &error))?;
        if !kind.is_dir() {
            names.extend(Some(name).filter(|name| wanted(name)));
        } else if entry.file_name() != "__pycache__" {
            collect(root, &name, names, wanted)?;
        }
    }
    Ok(())
}

fn unreadable(file: &Path, error: &std::io::Error) -> HarnessError {
    HarnessError::file(file, format!("cannot be read: {error}"))
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn the_hash_depends_on_code_and_fixtures_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, contents: &str| system::for_tests::write(root, path, contents);
        BUILD.iter().for_each(|path| write(path, ""));
        write("crates/a/Cargo.toml", "");
        let error = inputs_sha256(root).unwrap_err().to_string();
        assert!(error.contains("fixtures: cannot be read"), "{error}");
        write("fixtures/manifest.toml", "");
        let mut last = inputs_sha256(root).unwrap();
        assert_eq!(last.len(), 64);
        let mut changes_hash = |path: &str| {
            write(path, "x");
            let before = std::mem::replace(&mut last, inputs_sha256(root).unwrap());
            before != last
        };
        for path in BUILD {
            assert!(changes_hash(path), "{path}");
        }
        for (path, changes) in [
            ("crates/a/Cargo.toml", true),
            ("crates/a/iris.npy", true),
            ("crates/a/src/b.rs", true),
            ("crates/a/src/b.json", false),
            ("crates/harness/src/b.json", true),
            ("fixtures/course/TestX.npz", true),
            ("crates/a/NOTES.md", false),
            ("crates/a/src/._lib.rs", false),
            ("fixtures/course/.DS_Store", false),
            ("fixtures/course/TestY.npz.partial", false),
            ("fixtures/__pycache__/oracle.pyc", false),
        ] {
            assert_eq!(changes_hash(path), changes, "{path}");
        }
        // The same bytes, split differently between the name and the contents.
        write("fixtures/ab", "c");
        let one = inputs_sha256(root).unwrap();
        fs::remove_file(root.join("fixtures/ab")).unwrap();
        write("fixtures/a", "bc");
        assert_ne!(inputs_sha256(root).unwrap(), one);
    }
}
