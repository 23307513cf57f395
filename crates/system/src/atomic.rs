//! Files that are there whole or as they were before.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempDir};

/// The beginning of the names of temporary files, and the number of random letters and digits behind it.
const PREFIX: &str = ".tmp";
const RANDOM: usize = 6;

/// Gives a file these contents, by way of a temporary one beside it: whoever reads it, also after a crash or a
/// loss of power, finds all of the new contents or what was there before; the new ones, once this has returned.
///
/// # Errors
/// If its folder does not exist, or it cannot be written; the message names no temporary file.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    replace_locked(path, contents).map(drop)
}

/// As [`replace`], and returns the new file, open for writing at its end. It is locked before anybody else can open
/// it, where files can be locked: some network file systems have no locks.
///
/// # Errors
/// As [`replace`].
pub fn replace_locked(path: &Path, contents: &[u8]) -> io::Result<File> {
    let mut file = temporary_beside(path)?;
    // Fresh as it is, nobody has locked it; the error codes of file systems without locks are several.
    let _ = file.as_file().try_lock();
    // Not through the temporary file itself, which would add its name to the message.
    file.as_file_mut().write_all(contents)?;
    file.as_file().sync_all()?;
    let file = file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))?;
    Ok(file)
}

/// Creates a folder and those above it, as far as they are missing, so that they outlast a loss of power.
///
/// # Errors
/// If one cannot be created.
pub fn create_folder(path: &Path) -> io::Result<()> {
    // Nothing is above a mere name but the current folder, and that one may have been removed.
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    if parent != path {
        create_folder(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if !path.is_dir() => Err(error),
        _ => sync_folder(parent),
    }
}

/// Writes the names in a folder to the disk. Only where folders can be opened: on Windows they cannot, and need
/// not be.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder that a path lies in; the current one for a mere name.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An empty file in the folder of `path`, removed when it is dropped.
///
/// # Errors
/// If `path` is not the name of a file, or none can be created in its folder.
pub fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    if path.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not the name of a file"));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(RANDOM);
    // As any file that a program creates; by default nobody else could read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder_of(path)).map_err(without_temporary_name)
}

/// Whether [`temporary_beside`] names its files so. A program that is killed leaves one.
pub fn is_temporary(name: &OsStr) -> bool {
    name.to_str()
        .and_then(|name| name.strip_prefix(PREFIX))
        .is_some_and(|rest| rest.len() == RANDOM)
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

    #[test]
    fn folders_are_created_as_far_as_they_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        for _ in 0..2 {
            create_folder(&inner).unwrap();
            assert!(inner.is_dir());
        }
        create_folder(Path::new("")).unwrap();
        fs::write(folder.path().join("file"), b"").unwrap();
        assert!(create_folder(&folder.path().join("file/c")).is_err());
    }

    /// After a loss of power a name must not stand for a file whose contents never reached the disk, so the order
    /// counts. `strace` lists the system calls of this very test, which calls itself.
    #[cfg(target_os = "linux")]
    #[test]
    fn contents_then_name_then_folder_reach_the_disk() {
        const FOLDER: &str = "FOLDER_OF_A_TRACED_TEST";
        if let Some(folder) = std::env::var_os(FOLDER) {
            create_folder(&Path::new(&folder).join("b/c")).unwrap();
            return replace(&Path::new(&folder).join("b/c/a"), b"new").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap();
        let mut strace = std::process::Command::new("strace");
        let calls = "trace=/^mkdir,write,/^fsync,/^rename";
        strace.args(["--follow-forks", "--decode-fds=path", "-e", calls, "--output"]);
        strace.arg(folder.path().join("calls")).arg(std::env::current_exe().unwrap());
        strace.args(["--exact", "atomic::tests::contents_then_name_then_folder_reach_the_disk"]);
        if !strace.env(FOLDER, at).output().is_ok_and(|traced| traced.status.success()) {
            assert!(std::env::var_os("REQUIRE_STRACE").is_none(), "strace cannot be used");
            return crate::eprintln!("skipped: strace cannot be used");
        }
        let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
        let calls = calls.lines().filter(|call| call.contains(at)).map(|call| {
            let (name, arguments) = call.split_once('(').unwrap();
            let name = name.split(' ').next_back().unwrap().trim_end_matches(char::is_numeric);
            let shown = arguments.split_once(at).unwrap().1.split(['"', '>']).next().unwrap();
            let temporary =
                shown.split_once(".tmp").map(|(before, _)| format!("{before}TEMPORARY"));
            format!("{} {}", name.trim_end_matches("at"), temporary.as_deref().unwrap_or(shown))
        });
        assert_eq!(
            calls.collect::<Vec<_>>(),
            [
                "mkdir /b",
                "fsync ",
                "mkdir /b/c",
                "fsync /b",
                "write /b/c/TEMPORARY",
                "fsync /b/c/TEMPORARY",
                "rename /b/c/TEMPORARY",
                "fsync /b/c",
            ]
        );
    }

    #[test]
    fn a_replaced_file_is_locked_and_is_written_to_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert!(is_temporary(temporary_beside(&path).unwrap().path().file_name().unwrap()));
        assert!(!is_temporary(".tmp".as_ref()) && !is_temporary("a.tmp".as_ref()));
        let mut held = replace_locked(&path, b"one").unwrap();
        let other = File::options().append(true).open(&path).unwrap();
        assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
        held.write_all(b" two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        drop(held);
        other.try_lock().unwrap();
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
