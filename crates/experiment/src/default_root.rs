//! Where records go unless told otherwise.

use std::path::PathBuf;

/// The folder `experiments` in the root of the workspace that the current folder belongs to, as a path
/// relative to the current folder; in the current folder itself where that is in no workspace.
pub fn default_root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let root = system::workspace_root(&here).unwrap_or_else(|| here.clone());
    let way: PathBuf = here.ancestors().take_while(|above| *above != root).map(|_| "..").collect();
    way.join("experiments")
}
