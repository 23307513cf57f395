//! Files that are there whole or as they were before.

use std::io::{self, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempDir};

/// Gives a file these contents, by way of a temporary one beside it: whoever reads it, also after a crash,
/// finds all of the new contents or what was there before.
///
/// # Errors
/// If its folder does not exist, or it cannot be written; the message names no temporary file.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = temporary_beside(path)?;
    // Not through the temporary file itself, which would add its name to the message.
    file.as_file_mut().write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// An empty file in the folder of `path`, removed when it is dropped.
///
/// # Errors
/// If `path` is not the name of a file, or none can be created in its folder.
pub fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    if path.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not the name of a file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // As any file that a program creates; by default nobody else could read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder.unwrap_or(Path::new("."))).map_err(without_temporary_name)
}

/// A new folder in `parent` whose name begins with `prefix`, removed with all that is in it when it is dropped.
///
/// # Errors
/// If it cannot be created; the message does not name it.
pub fn temporary_folder(parent: &Path, prefix: &str) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(prefix).tempdir_in(parent).map_err(without_temporary_name)
}

/// An error of the crate `tempfile` without the path of its temporary file, which it adds: a message has to
/// name the file that was asked for, and that one alone.
pub fn without_temporary_name(error: io::Error) -> io::Error {
    // The error that it wraps is private; only its text and its kind can be had.
    match error.to_string().rsplit_once(" at path \"") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

/// A remedy for an error of writing that people meet, to be put behind its message; empty for any other.
/// `option` is that of the command line which names another place.
pub fn remedy(error: &io::Error, option: &str) -> String {
    use io::ErrorKind::{
        FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            format!("; free some space, or name another place with {option}")
        }
        ReadOnlyFilesystem | PermissionDenied => {
            format!("; name a place that can be written with {option}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        for text in ["one", "two"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(replace(folder.path(), b"").is_err() && replace(Path::new("/"), b"").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        replace(&folder.path().join("a"), b"").unwrap();
        fs::write(folder.path().join("b"), b"").unwrap();
        assert_eq!(mode("a"), mode("b"));
    }

    #[test]
    fn an_error_loses_the_temporary_name_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no");
        let error = tempfile::NamedTempFile::new_in(&missing).unwrap_err();
        assert!(error.to_string().contains("at path"), "{error}");
        let plain = fs::File::create(missing.join("a")).unwrap_err();
        assert_eq!(without_temporary_name(error).to_string(), plain.to_string());
        assert_eq!(replace(&missing.join("a"), b"").unwrap_err().to_string(), plain.to_string());
        for other in [plain, io::Error::other("the reason")] {
            let text = other.to_string();
            assert_eq!(without_temporary_name(other).to_string(), text);
        }
    }
}
