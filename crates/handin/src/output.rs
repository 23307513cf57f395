//! The files that are written: refused before work begins that would be lost.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// Refuses what cannot be the output: a folder, or a file in a folder that is not there.
pub(crate) fn check(path: &Path) -> Result<()> {
    let refuse = |what| bail!("cannot write {}: {what}", path.display());
    if path.is_dir() || path.file_name().is_none() {
        return refuse("it is a folder; name a file");
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            refuse("its folder does not exist; create it, or name another")
        }
        _ => Ok(()),
    }
}

/// Writes the file, whole or not at all.
pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<()> {
    check(path)?;
    system::replace(path, contents).with_context(|| format!("cannot write {}", path.display()))
}
