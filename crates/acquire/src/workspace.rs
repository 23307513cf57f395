//! The place that fetched files are put into.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::file_error;
use crate::{AcquireError, DataSet, Files, Reporter};

/// The exclusive right to write to a place.
#[derive(Debug)]
pub(crate) struct Workspace {
    place: PathBuf,
    /// Unlocked when it is closed.
    _lock: File,
}

const LOCK: &str = ".lock";
/// The folder of what clients download and unpack; it is there only during a run.
const PACKAGES: &str = ".cs189-packages";
/// Between the name of a file that was set aside and a number.
const DAMAGED: &str = ".damaged-";
/// The folder of downloads that can be resumed.
const DOWNLOADS: &str = "downloads";
/// Behind the name of such a download.
const PART: &str = ".part";

impl Workspace {
    /// Creates the place if need be, and waits until no other run writes to it.
    pub(crate) fn open(place: &Path, reporter: &Reporter) -> Result<Self, AcquireError> {
        fs::create_dir_all(place).map_err(file_error("create the folder", place))?;
        let path = place.join(LOCK);
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(file_error("write", &path))?;
        let shown = place.display();
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                reporter.say(&format!("another run is writing to {shown}; waiting until it ends"));
                lock.lock().map_err(file_error("lock", &path))?;
            }
            // Some network file systems have no locks; renaming is still atomic there.
            Err(TryLockError::Error(error)) => reporter.say(&format!(
                "{shown} cannot be locked ({error}): start no other run that writes there"
            )),
        }
        Ok(Self { place: place.to_owned(), _lock: lock })
    }

    /// The file that keeps a download until it is complete, also over several runs.
    pub(crate) fn partial_download(&self, name: &str) -> Result<PathBuf, AcquireError> {
        let folder = self.place.join(DOWNLOADS);
        fs::create_dir_all(&folder).map_err(file_error("create the folder", &folder))?;
        Ok(folder.join(name.to_owned() + PART))
    }

    /// An empty folder for a package; what a run that was killed has left in it is removed.
    pub(crate) fn package_folder(&self, name: &str) -> Result<PathBuf, AcquireError> {
        let folder = self.place.join(PACKAGES).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(file_error("remove", &folder))?;
        }
        fs::create_dir_all(&folder).map_err(file_error("create the folder", &folder))?;
        Ok(folder)
    }

    /// Writes the files of a data set, each as a whole, and removes its downloads. Files with the wrong checksum
    /// that are there are set aside.
    pub(crate) fn install(
        &self,
        set: &DataSet,
        files: &Files,
        reporter: &Reporter,
    ) -> Result<PathBuf, AcquireError> {
        let folder = self.place.join(set.name);
        fs::create_dir_all(&folder).map_err(file_error("create the folder", &folder))?;
        for file in set.files {
            let target = folder.join(file.name);
            if target.exists() && file.read_at(&target).is_err() {
                let aside = unused_name(&target);
                fs::rename(&target, &aside).map_err(file_error("set aside", &target))?;
                let (target, aside) = (target.display(), aside.display());
                reporter.say(&format!("{target} was damaged; it is now {aside}"));
            }
            system::replace(&target, &files[file.name]).map_err(file_error("write", target))?;
        }
        for path in downloads(&self.place, set)? {
            fs::remove_file(&path).map_err(file_error("remove", path))?;
        }
        Ok(folder)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What is left is removed by the next run.
        let _ = fs::remove_dir_all(self.place.join(PACKAGES));
        // Fails if there is a partial download, as it should.
        let _ = fs::remove_dir(self.place.join(DOWNLOADS));
    }
}

fn unused_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().display();
    let numbered = |n: u32| path.with_file_name(format!("{name}{DAMAGED}{n}"));
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(0))
}

/// Removes what this program made at a place, and nothing else: the data sets' files, what was set aside,
/// partial downloads, packages, and the folders that are empty then. Returns what was removed and
/// how many bytes it had.
///
/// # Errors
/// [`AcquireError::File`] if a folder cannot be listed, or something cannot be removed.
pub fn clean(
    place: &Path,
    sets: &[DataSet],
    reporter: &Reporter,
) -> Result<(Vec<PathBuf>, u64), AcquireError> {
    let mut found: Vec<_> =
        Some(place.join(PACKAGES)).into_iter().filter(|folder| folder.is_dir()).collect();
    for set in sets {
        let is_file = |name: &str| set.files.iter().any(|file| file.name == name);
        let is_made =
            |path: &PathBuf| is_file(name(path).split(DAMAGED).next().unwrap_or_default());
        found.extend(entries(&place.join(set.name))?.into_iter().filter(is_made));
        found.extend(downloads(place, set)?);
    }
    if found.is_empty() {
        return Ok((found, 0));
    }
    found.sort();
    let workspace = Workspace::open(place, reporter)?;
    let mut bytes = 0;
    for path in found.iter().filter(|path| path.is_file()) {
        bytes += path.metadata().map_or(0, |metadata| metadata.len());
        fs::remove_file(path).map_err(file_error("remove", path))?;
    }
    drop(workspace);
    for set in sets {
        // Fails if it is not empty, as it should.
        let _ = fs::remove_dir(place.join(set.name));
    }
    if entries(place)?.iter().all(|path| name(path) == LOCK) {
        let _ = fs::remove_file(place.join(LOCK));
        let _ = fs::remove_dir(place);
    }
    Ok((found, bytes))
}

/// What was downloaded of a data set at a place, complete or not.
fn downloads(place: &Path, set: &DataSet) -> Result<Vec<PathBuf>, AcquireError> {
    let mut paths = entries(&place.join(DOWNLOADS))?;
    paths.retain(|path| name(path).strip_suffix(PART).is_some_and(|name| set.is_download(name)));
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The content of a folder; nothing if there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, AcquireError> {
    let listed = match system::entries(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(file_error("list", folder))?,
    };
    Ok(listed.iter().map(|entry| entry.path()).collect())
}
