//! Where the workspace is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::HandinError;

/// The root of the workspace that `start` lies in.
///
/// # Errors
/// [`HandinError::NoWorkspace`] if no folder above `start` has a `Cargo.toml` with a `[workspace]`.
pub fn root_above(start: &Path) -> Result<PathBuf, HandinError> {
    let is_root = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
    };
    let root = start.ancestors().find(is_root);
    root.map(Path::to_owned).ok_or_else(|| HandinError::NoWorkspace { from: start.to_owned() })
}
