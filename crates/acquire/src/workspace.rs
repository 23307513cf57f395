//! The folder in which fetched files are put together, and their way into place.

use std::fs::{self, File, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::file_error;
use crate::{AcquireError, DataSet, Reporter};

/// The exclusive right to write to a place, with a temporary folder on its file system.
#[derive(Debug)]
pub(crate) struct Workspace {
    place: PathBuf,
    staging: TempDir,
    /// Unlocked when it is closed.
    _lock: File,
}

const LOCK: &str = ".lock";
const STAGING: &str = ".staging-";
/// Between the name of a file that was set aside and the beginning of its checksum.
const DAMAGED: &str = ".damaged-";
/// Downloads that can be resumed.
const DOWNLOADS: &str = "downloads";

impl Workspace {
    /// Creates the place if need be, and waits until no other run writes to it.
    pub(crate) fn open(place: &Path, reporter: &Reporter) -> Result<Self, AcquireError> {
        fs::create_dir_all(place).map_err(file_error("create the folder", place))?;
        let path = place.join(LOCK);
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(file_error("write", &path))?;
        match lock.try_lock() {
            Ok(()) => remove_staging(place)?,
            Err(TryLockError::WouldBlock) => {
                let place = place.display();
                reporter.say(&format!("another run is writing to {place}; waiting until it ends"));
                lock.lock().map_err(file_error("lock", &path))?;
            }
            // Some network file systems have no locks; renaming is still atomic there.
            Err(TryLockError::Error(error)) => {
                let place = place.display();
                reporter.say(&format!(
                    "{place} cannot be locked ({error}): start no other run that writes there"
                ));
            }
        }
        let staging = tempfile::Builder::new().prefix(STAGING).tempdir_in(place);
        let staging = staging.map_err(disk::without_temporary_name);
        let staging = staging.map_err(file_error("create a temporary folder in", place))?;
        Ok(Self { place: place.to_owned(), staging, _lock: lock })
    }

    /// The temporary folder.
    pub(crate) fn path(&self) -> &Path {
        self.staging.path()
    }

    /// Where a download is kept until it is complete, also over several runs.
    pub(crate) fn partial_download(&self, name: &str) -> Result<PathBuf, AcquireError> {
        let folder = self.place.join(DOWNLOADS);
        fs::create_dir_all(&folder).map_err(file_error("create the folder", &folder))?;
        Ok(folder.join(format!("{name}.part")))
    }

    /// A new and empty folder for what one source gives.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, AcquireError> {
        let folder = self.path().join(name);
        fs::create_dir(&folder).map_err(file_error("create the folder", &folder))?;
        Ok(folder)
    }

    /// Checks the files of a data set in `from`, a folder in this workspace, and renames them into
    /// the place; files with the wrong checksum that are there are set aside.
    pub(crate) fn install(
        &self,
        set: &DataSet,
        from: &Path,
        reporter: &Reporter,
    ) -> Result<PathBuf, AcquireError> {
        for file in set.files {
            file.verify(&from.join(file.name))?;
        }
        let folder = self.place.join(set.name);
        fs::create_dir_all(&folder).map_err(file_error("create the folder", &folder))?;
        for file in set.files {
            let target = folder.join(file.name);
            if target.exists() && file.verify(&target).is_err() {
                let aside = unused_name(&target);
                fs::rename(&target, &aside).map_err(file_error("set aside", &target))?;
                let (target, aside) = (target.display(), aside.display());
                reporter.say(&format!("{target} was damaged; it is now {aside}"));
            }
            fs::rename(from.join(file.name), &target).map_err(file_error("write", &target))?;
        }
        Ok(folder)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Fails if there is a partial download, as it should.
        let _ = fs::remove_dir(self.place.join(DOWNLOADS));
    }
}

fn unused_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().display().to_string();
    let numbered = |n: u32| path.with_file_name(format!("{name}{DAMAGED}{n}"));
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(0))
}

/// Removes what a run that was killed has left.
fn remove_staging(place: &Path) -> Result<(), AcquireError> {
    for path in entries(place)? {
        if has_prefix(&path, STAGING) && path.is_dir() {
            fs::remove_dir_all(&path).map_err(file_error("remove", &path))?;
        }
    }
    Ok(())
}

/// Writes a new file to the disk; nothing of it stays if that fails.
pub(crate) fn write_new(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), AcquireError>,
) -> Result<(), AcquireError> {
    let file = File::create_new(path).map_err(file_error("write", path))?;
    let mut writer = BufWriter::with_capacity(1 << 16, file);
    let written = write(&mut writer).and_then(|()| {
        let file =
            writer.into_inner().map_err(|error| file_error("write", path)(error.into_error()))?;
        file.sync_all().map_err(file_error("write", path))
    });
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(path);
    }
    written
}

/// The files of a place that this program made: the data sets' files, what was set aside, partial
/// downloads and temporary folders. Nothing else that is there.
///
/// # Errors
/// [`AcquireError::File`] if a folder cannot be listed.
pub fn leftovers(place: &Path, sets: &[DataSet]) -> Result<Vec<PathBuf>, AcquireError> {
    let mut found = Vec::new();
    for set in sets {
        for path in entries(&place.join(set.name))? {
            let name = path.file_name().unwrap_or_default().display().to_string();
            let original = name.split(DAMAGED).next().unwrap_or_default();
            if set.files.iter().any(|file| file.name == original) {
                found.push(path);
            }
        }
        for path in entries(&place.join(DOWNLOADS))? {
            if set.downloads().iter().any(|name| has_prefix(&path, &format!("{name}.part"))) {
                found.push(path);
            }
        }
    }
    found.extend(entries(place)?.into_iter().filter(|path| has_prefix(path, STAGING)));
    found.sort();
    Ok(found)
}

/// Removes the [`leftovers`] of a place, and the folders that are empty then; returns what was removed
/// and how many bytes it had.
///
/// # Errors
/// [`AcquireError::File`] if something cannot be removed.
pub fn clean(
    place: &Path,
    sets: &[DataSet],
    reporter: &Reporter,
) -> Result<(Vec<PathBuf>, u64), AcquireError> {
    let found = leftovers(place, sets)?;
    if found.is_empty() {
        return Ok((found, 0));
    }
    let workspace = Workspace::open(place, reporter)?;
    let mut bytes = 0;
    for path in &found {
        // Opening the workspace has removed some of it already.
        if path.is_dir() {
            fs::remove_dir_all(path).map_err(file_error("remove", path))?;
        } else if let Ok(metadata) = path.metadata() {
            bytes += metadata.len();
            fs::remove_file(path).map_err(file_error("remove", path))?;
        }
    }
    drop(workspace);
    for name in sets.iter().map(|set| set.name).chain([DOWNLOADS]) {
        // Fails if it is not empty, as it should.
        let _ = fs::remove_dir(place.join(name));
    }
    let rest = entries(place)?;
    if rest.iter().all(|path| has_prefix(path, LOCK)) {
        let _ = fs::remove_file(place.join(LOCK));
        let _ = fs::remove_dir(place);
    }
    Ok((found, bytes))
}

fn has_prefix(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

/// What is in a folder; nothing if there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, AcquireError> {
    let listed = match disk::entries(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(file_error("list", folder))?,
    };
    Ok(listed.iter().map(|entry| entry.path()).collect())
}
