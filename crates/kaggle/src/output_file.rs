//! Places that a file can be written to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

/// The file that is created or replaced when something is written to `path`: of a link, what it points to.
///
/// A folder, a device, a write-protected file, or a folder that does not exist or cannot be written is refused
/// here, before work begins that would be lost.
pub(crate) fn writable(path: &Path) -> Result<PathBuf> {
    let mut target = path.to_owned();
    if fs::symlink_metadata(path).is_ok() {
        target = fs::canonicalize(path).map_err(file_error("write", path))?;
        let metadata = fs::metadata(&target).map_err(file_error("write", path))?;
        if !metadata.is_file() || metadata.permissions().readonly() {
            bail!(
                "cannot write {}: expected a regular file that may be replaced, but it is a folder, a \
                 device or write-protected; choose another with --output",
                path.display()
            );
        }
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    system::temporary_beside(&target).map_err(file_error("write to the folder", folder))?;
    Ok(target)
}

/// For `map_err`: the error of an operation on a path, with advice on those that people meet.
pub(crate) fn file_error(operation: &str, path: &Path) -> impl FnOnce(io::Error) -> anyhow::Error {
    move |cause| {
        let advice = system::remedy(&cause, "--output");
        anyhow!("cannot {operation} {}: {cause}{advice}", path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_stands_for_its_file_and_a_write_protected_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(writable(&link).unwrap(), fs::canonicalize(&real).unwrap());
        let mut permissions = fs::metadata(&real).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&real, permissions).unwrap();
        let error = writable(&link).unwrap_err().to_string();
        assert!(error.contains("a device or write-protected"), "{error}");
    }
}
