//! The files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the workspace that this program was started in.
pub(crate) fn root() -> Result<PathBuf> {
    system::workspace_root(&system::current_package())
        .context("no Cargo workspace is here: run this as `cargo xtask` in the repository")
}

/// The folders that `.gitignore` names, and git's own.
const NOT_OURS: [&str; 4] = [".git", "target", "experiments", "__pycache__"];

/// A file of the workspace, read.
pub(crate) struct SourceFile {
    /// Its path, relative to the root.
    pub(crate) path: PathBuf,
    /// Its contents; `None` if they are not text.
    pub(crate) text: Option<String>,
}

impl SourceFile {
    /// The text of a file whose name ends in this.
    pub(crate) fn text_if(&self, extension: &str) -> Option<&str> {
        self.text.as_deref().filter(|_| self.path.extension().is_some_and(|e| e == extension))
    }
}

/// The text of a file of the workspace.
pub(crate) fn read(root: &Path, path: &Path) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {}", path.display()))
}

/// All files of the workspace in order of their paths, without build products and records of runs.
pub(crate) fn files(root: &Path) -> Result<Vec<SourceFile>> {
    paths(root, Path::new(""))?
        .into_iter()
        .map(|path| {
            let bytes = fs::read(root.join(&path))
                .with_context(|| format!("cannot read {}", path.display()))?;
            Ok(SourceFile { path, text: String::from_utf8(bytes).ok() })
        })
        .collect()
}

/// The paths of all files below a folder, relative to the root, in order.
pub(crate) fn paths(root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let context = || format!("cannot list {}", root.join(&folder).display());
        for entry in system::entries(&root.join(&folder)).with_context(context)? {
            let path = folder.join(entry.file_name());
            let is_folder = entry.file_type().with_context(context)?.is_dir();
            // In a worktree git keeps a file of the name of its folder.
            let skipped = if is_folder { &NOT_OURS[..] } else { &NOT_OURS[..1] };
            if skipped.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if is_folder {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_products_are_not_listed() {
        let root = system::for_tests::folder(&[
            ("src/main.rs", &b"text"[..]),
            ("target/debug/x.rs", b"text"),
            (".git/config", b"text"),
            ("b/__pycache__/c", b"text"),
            (".ci/run", b"text"),
            ("src/main.rs~", b"text"),
            ("worktree/.git", b"gitdir: elsewhere"),
            ("data.npy", b"\x93\xff"),
        ]);
        let files = files(root.path()).unwrap();
        let paths: Vec<_> = files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(paths, [".ci/run", "data.npy", "src/main.rs"]);
        assert!(files[1].text.is_none());
        assert_eq!(files[2].text_if("rs"), Some("text"));
        assert_eq!(files[2].text_if("md"), None);
    }
}
