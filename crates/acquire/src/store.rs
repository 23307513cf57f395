//! The place that fetched files are put into.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::file_error;
use crate::{AcquireError, DataSet, Files};

/// The beginning of the names of folders for what clients download and unpack, which are there during a run.
const PACKAGES: &str = ".cs189-packages";
/// The folder of downloads that can be resumed, with a folder for each data set.
const DOWNLOADS: &str = "downloads";

/// An empty folder for a package, removed when it is dropped.
pub(crate) fn package_folder(place: &Path) -> Result<TempDir, AcquireError> {
    system::temporary_folder(place, PACKAGES).map_err(file_error("write to the folder", place))
}

/// The file that keeps a download until it is complete, also over several runs.
pub(crate) fn partial_download(
    place: &Path,
    set: &DataSet,
    name: &str,
) -> Result<PathBuf, AcquireError> {
    let folder = downloads(place, set);
    fs::create_dir_all(&folder).map_err(file_error("create the folder", &folder))?;
    Ok(folder.join(format!("{name}.part")))
}

/// Writes the files of a data set, each as a whole, and removes its downloads.
pub(crate) fn install(place: &Path, set: &DataSet, files: &Files) -> Result<PathBuf, AcquireError> {
    let folder = place.join(set.name);
    system::create_folder(&folder).map_err(file_error("create the folder", &folder))?;
    for file in set.files {
        let target = folder.join(file.name);
        system::replace(&target, &files[file.name]).map_err(file_error("write", target))?;
    }
    for path in entries(&downloads(place, set))? {
        fs::remove_file(&path).map_err(file_error("remove", path))?;
    }
    Ok(folder)
}

/// Removes the folders of downloads that are empty.
pub(crate) fn tidy(place: &Path, set: &DataSet) {
    let _ = fs::remove_dir(downloads(place, set));
    let _ = fs::remove_dir(place.join(DOWNLOADS));
}

/// Removes what this program made at a place, and nothing else: the data sets' files, partial downloads,
/// packages, and the folders that are empty then. Returns what was removed and how many bytes it had.
///
/// # Errors
/// [`AcquireError::File`] if a folder cannot be listed, or something cannot be removed.
pub fn clean(place: &Path, sets: &[DataSet]) -> Result<(Vec<PathBuf>, u64), AcquireError> {
    let mut found = entries(place)?;
    found.retain(|path| name(path).starts_with(PACKAGES));
    for set in sets {
        let is_file = |path: &PathBuf| set.files.iter().any(|file| file.name == name(path));
        found.extend(entries(&place.join(set.name))?.into_iter().filter(is_file));
        found.extend(entries(&downloads(place, set))?);
    }
    found.sort();
    let mut bytes = 0;
    for path in &found {
        let removed = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            bytes += path.metadata().map_or(0, |metadata| metadata.len());
            fs::remove_file(path)
        };
        removed.map_err(file_error("remove", path))?;
    }
    if !found.is_empty() {
        // A folder that is not empty stays.
        for set in sets {
            let _ = fs::remove_dir(place.join(set.name));
            tidy(place, set);
        }
        let _ = fs::remove_dir(place);
    }
    Ok((found, bytes))
}

/// The folder of what was downloaded of a data set, complete or not.
fn downloads(place: &Path, set: &DataSet) -> PathBuf {
    place.join(DOWNLOADS).join(set.name)
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
