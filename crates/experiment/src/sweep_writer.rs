//! Writing the record of a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use crate::schema::read_json;
use crate::sweep::{RUNS, SUMMARY, SWEEP_CONFIG, TABLE};
use crate::{
    ExperimentError, LineChart, ModelName, Status, SweepRecord, SweepSummary, atomic, sweep_csv,
};

/// Builds the record of a sweep in a folder beside its place, and moves it there at the end.
///
/// Dropped before [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct SweepWriter {
    target: PathBuf,
    staging: PathBuf,
}

impl SweepWriter {
    /// Claims `root/<model_name>`, before the work is done.
    ///
    /// # Errors
    /// [`ExperimentError::Exists`] if a record is there and `overwrite` is not set,
    /// [`ExperimentError::Foreign`] if something is there that no sweep wrote, and
    /// [`ExperimentError::Io`].
    pub fn create(
        root: &Path,
        model_name: &ModelName,
        overwrite: bool,
    ) -> Result<Self, ExperimentError> {
        let target = root.join(model_name.as_str());
        if target.exists() {
            check_replaceable(&target, overwrite)?;
        }
        let staging = root.join(format!(".{model_name}.{}.tmp", std::process::id()));
        fs::create_dir_all(&staging).map_err(ExperimentError::io("create", &staging))?;
        Ok(Self { target, staging })
    }

    /// The folder to write more into: the run `best`.
    #[must_use]
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Writes the record and its plots, and puts the whole in its place. The folder is returned.
    ///
    /// # Errors
    /// [`ExperimentError::Io`], [`ExperimentError::Plot`]; or as [`SweepRecord::read`] does, since
    /// the record is read back before it replaces another.
    pub fn finish(
        self,
        record: &SweepRecord,
        plots: &[(&str, LineChart)],
    ) -> Result<PathBuf, ExperimentError> {
        let directory = &self.staging;
        let SweepRecord { config, runs, table, summary } = record;
        atomic::write_toml(&directory.join(SWEEP_CONFIG), config)?;
        sweep_csv::write_runs(&directory.join(RUNS), config, table, runs)?;
        sweep_csv::write_table(&directory.join(TABLE), config, table)?;
        for (name, plot) in plots {
            atomic::write(&directory.join(name), plot.to_svg()?.as_bytes())?;
        }
        atomic::write_json(&directory.join(SUMMARY), summary)?;
        SweepRecord::read(directory)?;

        // Two renames and a removal: the place is empty for a moment, never half-filled.
        let old = self.staging.with_extension("old");
        let replaces = self.target.exists();
        if replaces {
            fs::rename(&self.target, &old).map_err(ExperimentError::io("move", &self.target))?;
        }
        if let Err(error) = fs::rename(&self.staging, &self.target) {
            if replaces {
                // The old record is better than none; the first error is the one to report.
                let _ = fs::rename(&old, &self.target);
            }
            return Err(ExperimentError::io("create", &self.target)(error));
        }
        if replaces {
            fs::remove_dir_all(&old).map_err(ExperimentError::io("remove", &old))?;
        }
        Ok(self.target.clone())
    }
}

impl Drop for SweepWriter {
    fn drop(&mut self) {
        // After `finish` it is not there any more; a failure to tidy up must not hide another.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

fn check_replaceable(target: &Path, overwrite: bool) -> Result<(), ExperimentError> {
    let entries = system::entries(target).map_err(ExperimentError::io("read", target))?;
    let mut empty = true;
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = [SWEEP_CONFIG, RUNS, TABLE, SUMMARY, "best"].contains(&name.as_str())
            || name.ends_with(".svg");
        if !known {
            return Err(ExperimentError::Foreign { directory: target.to_owned(), found: name });
        }
        empty = false;
    }
    if empty || overwrite {
        return Ok(());
    }
    let status = read_json::<SweepSummary>(&target.join(SUMMARY))
        .map_or(Status::Running, |summary| summary.status);
    Err(ExperimentError::Exists { directory: target.to_owned(), status })
}
