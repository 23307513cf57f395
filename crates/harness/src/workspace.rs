//! The workspace that is verified: where it is, and a hash of what the verification depends on.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::HarnessError;

/// The root of the workspace: the folder of a `Cargo.toml` with a `[workspace]`, at or above the
/// package that cargo runs (`CARGO_MANIFEST_DIR`), or else the current folder.
///
/// # Errors
/// [`HarnessError::Stopped`] if there is none.
pub fn root() -> Result<PathBuf, HarnessError> {
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

/// SHA-256 of the paths and contents of `crates/**/*.rs`, of Iris in `crates/**/*.npy`, of what says how
/// all that is built (`crates/*/Cargo.toml`, and in the root `Cargo.toml`, `Cargo.lock`, the toolchain and
/// cargo's configuration) and of `fixtures/**`, in the order of their paths.
///
/// Results that carry another hash were obtained from other code, from code that was built otherwise, or
/// from other test data.
///
/// # Errors
/// [`HarnessError::File`] if a folder or file cannot be read.
pub fn inputs_sha256(root: &Path) -> Result<String, HarnessError> {
    let mut files = BUILD.map(PathBuf::from).to_vec();
    collect(root, Path::new("crates"), &mut files, &|path| {
        let manifest = path.file_name().is_some_and(|name| name == "Cargo.toml")
            && path.components().count() == 3;
        manifest
            || path.extension().is_some_and(|extension| extension == "rs" || extension == "npy")
    })?;
    collect(root, Path::new("fixtures"), &mut files, &|path| {
        // What the generating scripts leave half-written is not a fixture.
        path.extension().is_none_or(|extension| extension != "partial")
    })?;
    let mut files: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|path| {
            let names = path.iter().map(|name| name.to_string_lossy());
            (names.collect::<Vec<_>>().join("/"), path)
        })
        .collect();
    files.sort();
    let mut hasher = Sha256::new();
    for (name, path) in files {
        let path = root.join(path);
        let contents = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        // Lengths first, so that no other split into names and contents has the same hash.
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update((contents.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(contents);
    }
    Ok(system::hex(&hasher.finalize()))
}

/// Adds the files below `folder` that are `wanted`, as paths relative to `root`.
fn collect(
    root: &Path,
    folder: &Path,
    files: &mut Vec<PathBuf>,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<(), HarnessError> {
    let absolute = root.join(folder);
    for entry in system::entries(&absolute).map_err(|error| unreadable(&absolute, &error))? {
        let path = folder.join(entry.file_name());
        let kind = entry.file_type().map_err(|error| unreadable(&root.join(&path), &error))?;
        if kind.is_dir() {
            if entry.file_name() != "__pycache__" {
                collect(root, &path, files, wanted)?;
            }
        } else if wanted(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(file: &Path, error: &std::io::Error) -> HarnessError {
    HarnessError::file(file, format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, contents) in [
            ("Cargo.toml", "[workspace]\nmembers = []\n"),
            ("Cargo.lock", "version = 4\n"),
            (".cargo/config.toml", ""),
            ("rust-toolchain.toml", "[toolchain]\n"),
            ("crates/a/iris.npy", "1"),
            ("crates/a/Cargo.toml", "[package]\n"),
            ("crates/a/src/lib.rs", "//! a\n"),
            ("crates/a/README.md", "a\n"),
            ("fixtures/manifest.toml", "\n"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        folder
    }

    #[test]
    fn the_hash_depends_on_code_and_fixtures_alone() {
        let folder = workspace();
        let root = folder.path();
        let before = inputs_sha256(root).unwrap();
        assert_eq!(before.len(), 64);
        let changes_hash = |path: &str, contents: &str| {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            let old = fs::read(root.join(path)).ok();
            fs::write(root.join(path), contents).unwrap();
            let changed = inputs_sha256(root).unwrap() != before;
            match old {
                Some(old) => fs::write(root.join(path), old).unwrap(),
                None => fs::remove_file(root.join(path)).unwrap(),
            }
            changed
        };
        for path in BUILD.iter().chain(&["crates/a/Cargo.toml", "crates/a/iris.npy"]) {
            assert!(changes_hash(path, "[profile.dev]\nopt-level = 3\n"), "{path}");
        }
        assert!(changes_hash("fixtures/course/TestX.npz", "x"));
        assert!(changes_hash("crates/a/src/b.rs", ""));
        assert!(!changes_hash("crates/a/NOTES.md", "other"));
        assert!(!changes_hash("fixtures/__pycache__/oracle.pyc", "x"));
        assert!(!changes_hash("fixtures/course/.DS_Store", "x"));
        assert!(!changes_hash("crates/a/src/._lib.rs", "x"));
        // The same bytes, split differently between the name and the contents.
        fs::write(root.join("fixtures/ab"), "c").unwrap();
        let one = inputs_sha256(root).unwrap();
        fs::remove_file(root.join("fixtures/ab")).unwrap();
        fs::write(root.join("fixtures/a"), "bc").unwrap();
        assert_ne!(inputs_sha256(root).unwrap(), one);
    }

    #[test]
    fn a_missing_folder_is_reported() {
        let folder = workspace();
        fs::remove_dir_all(folder.path().join("fixtures")).unwrap();
        let error = inputs_sha256(folder.path()).unwrap_err().to_string();
        assert!(error.contains("fixtures: cannot be read"), "{error}");
    }
}
