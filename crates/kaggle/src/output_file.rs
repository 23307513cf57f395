//! Files that are there completely or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use crate::KaggleError;

/// Writes a file under a temporary name beside `path`, then gives it its name; a file that is there
/// is replaced only by a complete one. Of a link, what it points to is replaced.
///
/// # Errors
/// [`KaggleError::Target`] if `path` is a folder, a device or a write-protected file;
/// [`KaggleError::File`] if its folder does not exist or cannot be written, or the disk is full.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), KaggleError> {
    system::replace(&writable(path)?, bytes).map_err(KaggleError::file("write", path))
}

/// Checks that [`replace`] can create a file there, before work begins that would be lost.
///
/// # Errors
/// As [`replace`], as far as can be said without writing the bytes.
pub fn check_writable(path: &Path) -> Result<(), KaggleError> {
    writable(path).map(drop)
}

/// The file that is to be replaced, links followed.
fn target(path: &Path) -> Result<PathBuf, KaggleError> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(path.to_owned());
    }
    let target = fs::canonicalize(path).map_err(KaggleError::file("write", path))?;
    let metadata = fs::metadata(&target).map_err(KaggleError::file("write", path))?;
    let refused = |expected, got| KaggleError::Target { path: path.to_owned(), expected, got };
    if metadata.is_dir() {
        return Err(refused("the name of a file", "a folder"));
    }
    if !metadata.is_file() {
        return Err(refused("a regular file", "a device, pipe or socket"));
    }
    if metadata.permissions().readonly() {
        return Err(refused("a file that may be replaced", "write-protected"));
    }
    Ok(target)
}

/// The file that is to be replaced, after a temporary one could be created beside it.
fn writable(path: &Path) -> Result<PathBuf, KaggleError> {
    let target = target(path)?;
    let folder = match target.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("."),
    };
    if target.file_name().is_none() {
        let (expected, got) = ("the name of a file", "none");
        return Err(KaggleError::Target { path: target, expected, got });
    }
    let writes_to = || KaggleError::file("write to the folder", folder);
    // With the dot, so that a file in place of the folder is an error too.
    fs::metadata(folder.join(".")).map_err(writes_to())?;
    system::temporary_beside(&target).map_err(writes_to())?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_remains() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        for text in ["first", "second"] {
            check_writable(&path).unwrap();
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_what_it_points_to_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
    }

    #[test]
    fn a_write_protected_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "kept").unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        let error = replace(&path, b"x").unwrap_err().to_string();
        assert!(error.contains("but it is write-protected"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    }
}
