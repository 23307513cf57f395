//! What cargo says of the workspace.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The folder of cargo's products, `target` unless `CARGO_TARGET_DIR` or cargo's configuration names
/// another. Programs of the workspace write below it too.
///
/// # Errors
/// As [`read`].
pub fn target_folder(root: &Path) -> io::Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    Ok(read::<Metadata>(root, &["--no-deps"])?.target_directory)
}

/// The output of `cargo metadata` with these options for the workspace at `root`; of its fields those that
/// `T` has.
///
/// # Errors
/// If cargo cannot be run, fails, which it explains on the standard error, or writes something else.
pub fn read<T: DeserializeOwned>(root: &Path, options: &[&str]) -> io::Result<T> {
    // Where cargo was started, since a relative CARGO_TARGET_DIR counts from there.
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
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
    fn the_target_folder_holds_this_test() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let test = std::env::current_exe().unwrap();
        assert!(test.starts_with(target_folder(&root).unwrap()), "{}", test.display());
        let error = target_folder(&root.join("no/such")).unwrap_err().to_string();
        assert!(error.starts_with("cargo metadata: it ended with "), "{error}");
    }
}
