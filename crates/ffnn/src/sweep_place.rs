//! The place of a sweep's record.

use std::fs;
use std::path::{Path, PathBuf};

use experiment::{ExperimentError, ModelName, Status, files};
use tempfile::TempDir;

use crate::SweepSummary;
use crate::sweep_record::{CONFIG, RUNS, SUMMARY, TABLE};

/// The place of a record, which is written beside it: until that is complete, what was there stays.
#[derive(Debug)]
pub struct SweepPlace {
    target: PathBuf,
    /// Removed when it is dropped.
    staging: TempDir,
}

impl SweepPlace {
    /// Claims `root/<model_name>`, before the work is done.
    ///
    /// # Errors
    /// [`ExperimentError::Refused`] if a record is there and `overwrite` is not set, or something that no
    /// sweep wrote; and [`ExperimentError::Io`].
    pub fn claim(
        root: &Path,
        model_name: &ModelName,
        overwrite: bool,
    ) -> Result<Self, ExperimentError> {
        let target = root.join(model_name.as_str());
        if target.exists() {
            check_replaceable(&target, overwrite)?;
        }
        let failed = || ExperimentError::io("create a folder in", root);
        fs::create_dir_all(root).map_err(ExperimentError::io("create", root))?;
        let staging = system::temporary_folder(root, ".sweep").map_err(failed())?;
        let place = Self { target, staging };
        fs::create_dir(place.folder()).map_err(failed())?;
        Ok(place)
    }

    /// The folder to write the record into.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.staging.path().join("record")
    }

    /// Puts what was written in its place, which is returned.
    ///
    /// # Errors
    /// [`ExperimentError::Io`]; what was there before stays.
    pub fn fill(self) -> Result<PathBuf, ExperimentError> {
        // Two renames: the place is empty for a moment, never half-filled.
        let old = self.staging.path().join("old");
        let replaces = self.target.exists();
        if replaces {
            fs::rename(&self.target, &old).map_err(ExperimentError::io("move", &self.target))?;
        }
        if let Err(error) = fs::rename(self.folder(), &self.target) {
            // The old record is better than none, and better hidden than lost.
            if replaces && fs::rename(&old, &self.target).is_err() {
                let _ = self.staging.keep();
            }
            return Err(ExperimentError::io("create", &self.target)(error));
        }
        Ok(self.target)
    }
}

fn check_replaceable(target: &Path, overwrite: bool) -> Result<(), ExperimentError> {
    let entries = system::entries(target).map_err(ExperimentError::io("read", target))?;
    for entry in &entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if ![CONFIG, RUNS, TABLE, SUMMARY, "best"].contains(&&*name) && !name.ends_with(".svg") {
            return Err(ExperimentError::foreign(target, &name));
        }
    }
    if entries.is_empty() || overwrite {
        return Ok(());
    }
    let status = files::read_json::<SweepSummary>(&target.join(SUMMARY))
        .map_or(Status::Running, |summary| summary.status);
    Err(ExperimentError::exists(target, status))
}
