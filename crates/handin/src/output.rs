//! Writing a file so that nobody ever sees half of it.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::HandinError;

/// Refuses what cannot be the output: a folder, or a file in a folder that is not there.
pub(crate) fn check(path: &Path) -> Result<(), HandinError> {
    let refuse = |what| Err(HandinError::Output { path: path.to_owned(), what });
    if path.is_dir() || path.file_name().is_none() {
        return refuse("it is a folder; name a file");
    }
    match folder_of(path) {
        folder if folder.is_dir() => Ok(()),
        _ => refuse("its folder does not exist; create it, or name another"),
    }
}

/// Writes the file beside its place, and puts it there when it is complete.
pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), HandinError> {
    check(path)?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new();
        with_usual_permissions(&mut file);
        let mut file = file.prefix(".handin-").tempfile_in(folder_of(path))?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(disk::without_temporary_name).map_err(HandinError::io("write", path))
}

/// Makes a folder that the program chose the place of.
pub(crate) fn create_folder(folder: &Path) -> Result<(), HandinError> {
    fs::create_dir_all(folder).map_err(HandinError::io("create", folder))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Temporary files are for their owner only; what is handed in is not.
fn with_usual_permissions(file: &mut tempfile::Builder<'_, '_>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = file;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), b"").unwrap_err().to_string();
        assert!(error.contains("it is a folder"), "{error}");
        let error = write(&folder.path().join("no/a.md"), b"").unwrap_err().to_string();
        assert!(error.contains("its folder does not exist"), "{error}");
    }
}
