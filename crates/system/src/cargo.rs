//! The workspace, and cargo's word on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The nearest folder at or above `start` whose `Cargo.toml` has a `[workspace]`.
pub fn workspace_root(start: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
    };
    start.ancestors().find(is_root).map(Path::to_owned)
}

/// The folder of the package that cargo runs, or else the current one, to look for the workspace from.
pub fn current_package() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.or_else(|| env::current_dir().ok()).unwrap_or_default()
}

/// The folder of cargo's products, `target` unless `CARGO_TARGET_DIR` or cargo's configuration names
/// another. Programs of the workspace write below it too.
///
/// # Errors
/// As [`cargo_metadata`].
pub fn target_folder(root: &Path) -> io::Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    Ok(cargo_metadata::<Metadata>(root, &["--no-deps"])?.target_directory)
}

/// The output of `cargo metadata` with these options for the workspace at `root`; of its fields those that
/// `T` has.
///
/// # Errors
/// If cargo cannot be run, fails, which it explains on the standard error, or writes something else.
pub fn cargo_metadata<T: DeserializeOwned>(root: &Path, options: &[&str]) -> io::Result<T> {
    // Where cargo was started, since a relative CARGO_TARGET_DIR counts from there.
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .args(options)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        return Err(failed(&format!("it ended with {}: see its message above", output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(&error.to_string()))
}

fn failed(what: &str) -> io::Error {
    io::Error::other(format!("cargo metadata: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_at_or_above_the_start() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("crates/one");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("Cargo.toml"), "[package]\n").unwrap();
        assert_eq!(workspace_root(&inner), None);
        fs::write(root.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        for start in [&inner, root.path()] {
            assert_eq!(workspace_root(start).as_deref(), Some(root.path()));
        }
    }

    #[test]
    fn the_target_folder_holds_this_test() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let test = env::current_exe().unwrap();
        assert!(test.starts_with(target_folder(&root).unwrap()), "{}", test.display());
        let error = target_folder(&root.join("no/such")).unwrap_err().to_string();
        assert!(error.starts_with("cargo metadata: it ended with "), "{error}");
    }
}
