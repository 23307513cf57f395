//! What all crates that read and write files share.
//!
//! Every walk over folders whose files count as content goes through [`entries`], so that a folder looked
//! at in a file manager is still the same folder.

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

/// Whether a file of this name is one that a file manager or an editor leaves behind: macOS's
/// `.DS_Store` and `._*`, Windows' `Thumbs.db` and `desktop.ini`, the backup copies `*~` and Vim's
/// `.*.swp`.
#[must_use]
pub fn is_litter(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name == ".DS_Store"
        || ["Thumbs.db", "desktop.ini"].iter().any(|litter| name.eq_ignore_ascii_case(litter))
        || name.starts_with("._")
        || name.ends_with('~')
        || name.starts_with('.') && name.ends_with(".swp")
}

/// An error of the crate `tempfile` without the path of its temporary file, which it adds: a message has to
/// name the file that was asked for, and that one alone.
#[must_use]
pub fn without_temporary_name(error: io::Error) -> io::Error {
    // The error that it wraps is private; only its text and its kind can be had.
    match error.to_string().rsplit_once(" at path \"") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn litter_is_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        let content = [".ci", "DS_Store", "a.swp", "b.npz", "c", "thumbs.dbx", "~d"];
        let litter =
            [".DS_Store", "._b.npz", "Desktop.ini", "Thumbs.db", "desktop.ini", "c~", ".c.swp"];
        for name in content.iter().chain(&litter) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let entries = entries(folder.path()).unwrap();
        let names: Vec<_> = entries.iter().map(DirEntry::file_name).collect();
        assert_eq!(names, content);
        assert!(super::entries(&folder.path().join("no")).is_err());
    }

    #[test]
    fn an_error_loses_the_temporary_name_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no");
        let error = tempfile::NamedTempFile::new_in(&missing).unwrap_err();
        assert!(error.to_string().contains("at path"), "{error}");
        let plain = fs::File::create(missing.join("a")).unwrap_err();
        assert_eq!(without_temporary_name(error).to_string(), plain.to_string());
        for other in [plain, io::Error::other("the reason")] {
            let text = other.to_string();
            assert_eq!(without_temporary_name(other).to_string(), text);
        }
    }
}
