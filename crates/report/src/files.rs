//! Finding files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The files below `folder`, sorted by path.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = system::entries(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => found.extend(files_below(&entry.path())?),
            false => found.push(entry.path()),
        }
    }
    Ok(found)
}

/// The files below `folder` whose names end with `.extension`, relative to it.
pub(crate) fn files_with(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = files_below(folder)?;
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    Ok(files.iter().map(|file| file.strip_prefix(folder).unwrap_or(file).to_owned()).collect())
}

/// The text of a file.
pub(crate) fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
