//! Where records go unless told otherwise.

use std::path::{Path, PathBuf};

/// The folder `experiments` in the root of the workspace that the current folder belongs to, as a path
/// relative to the current folder; in the current folder itself where that is in no workspace.
#[must_use]
pub fn default_root() -> PathBuf {
    std::env::current_dir()
        .map_or(PathBuf::new(), |folder| way_to_workspace(&folder))
        .join("experiments")
}

/// The way up to the nearest folder of a `Cargo.toml` with a `[workspace]`; empty if there is none.
fn way_to_workspace(folder: &Path) -> PathBuf {
    let Some(root) = system::workspace_root(folder) else {
        return PathBuf::new();
    };
    folder.ancestors().take_while(|above| *above != root).map(|_| "..").collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_of_a_workspace_has_the_records_of_its_root() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("crates/one");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("Cargo.toml"), "[package]\nname = \"one\"\n").unwrap();
        assert_eq!(way_to_workspace(&inner), Path::new(""));
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
        assert_eq!(way_to_workspace(&inner), Path::new("../.."));
        assert_eq!(way_to_workspace(folder.path()), Path::new(""));
    }
}
