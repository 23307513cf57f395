//! Folders whose files count as content.
//!
//! Every walk over them goes through [`entries`], so that a folder looked at in a file manager is still the
//! same folder.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

/// The entries of a folder that are content, in the order of their names.
///
/// # Errors
/// If the folder cannot be read.
pub fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.retain(|entry| !is_litter(&entry.file_name()));
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// Whether a file manager, an archiver or an editor leaves files of this name behind: macOS's
/// `.DS_Store`, `._*` and `__MACOSX`, Windows' `Thumbs.db` and `desktop.ini`, the backup copies `*~` and Vim's
/// `.*.swp`.
pub fn is_litter(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    [".DS_Store", "__MACOSX"].contains(&&*name)
        || ["Thumbs.db", "desktop.ini"].iter().any(|litter| name.eq_ignore_ascii_case(litter))
        || name.starts_with("._")
        || name.ends_with('~')
        || name.starts_with('.') && name.ends_with(".swp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn litter_is_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        let content = [".ci", "DS_Store", "a.swp", "b.npz", "c", "thumbs.dbx", "~d"];
        let litter = [
            ".DS_Store",
            "._b.npz",
            "__MACOSX",
            "Desktop.ini",
            "Thumbs.db",
            "desktop.ini",
            "c~",
            ".c.swp",
        ];
        for name in content.iter().chain(&litter) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let entries = entries(folder.path()).unwrap();
        let names: Vec<_> = entries.iter().map(DirEntry::file_name).collect();
        assert_eq!(names, content);
        assert!(super::entries(&folder.path().join("no")).is_err());
    }
}
