//! Writing and finding files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Writes a file so that nobody ever sees half of it.
///
/// # Errors
/// If the folder cannot be made or the file cannot be written.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file to write has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, contents)?;
        file.persist(path)?;
        Ok(())
    };
    write()
        .map_err(system::without_temporary_name)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The files below `folder`, sorted by path.
///
/// # Errors
/// If a folder cannot be read.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let entries = system::entries(&folder)
            .with_context(|| format!("cannot read the folder {}", folder.display()))?;
        for entry in entries {
            match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => pending.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The root of the workspace that `start` lies in.
///
/// # Errors
/// If no folder above `start` has a `Cargo.toml` with a `[workspace]`.
pub fn workspace_root(start: &Path) -> Result<PathBuf> {
    for folder in start.ancestors() {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"));
        if manifest.is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
        {
            return Ok(folder.to_owned());
        }
    }
    bail!("{} is not inside a Cargo workspace: run this in the repository", start.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(files_below(folder.path()).unwrap(), [path]);
    }

    #[test]
    fn the_workspace_is_found_from_a_folder_inside_it() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("crates/one");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("Cargo.toml"), "[package]\n").unwrap();
        assert!(workspace_root(&inner).is_err());
        fs::write(root.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        assert_eq!(workspace_root(&inner).unwrap(), root.path());
    }
}
