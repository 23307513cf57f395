//! Writing the record of a run.

use std::fs::{self, File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::ArrayD;

use crate::files::{self, read_json};
use crate::metrics::{as_csv, row_as_csv};
use crate::{
    Config, Divergence, EpochMetrics, Evaluation, ExperimentError, History, IterationMetrics,
    Machine, MetricsSink, Program, SCHEMA, Status, Summary, peak_memory, predictions, run_plots,
};

/// The logger of a run; see the [crate] for what it writes, and when it overwrites.
#[derive(Debug)]
pub struct Logger {
    directory: PathBuf,
    history: History,
    /// `metrics.csv`, locked for as long as the run is in progress.
    file: File,
    /// The log that this one replaced: its lock keeps a process out that opened it just before.
    _replaced: File,
    /// The bytes of the last row of the file, which may be none.
    last_row: Range<u64>,
    summary: Summary,
    started: Instant,
    /// The time that the run had taken before it was continued.
    seconds_before: f64,
}

/// The folder of the checkpoints of a run, in its own.
pub const CHECKPOINTS: &str = "checkpoints";
/// The newest checkpoint of a run, in its folder.
pub const LAST_CHECKPOINT: &str = "checkpoints/last.safetensors";
/// The checkpoint of the epoch with the smallest validation error.
pub const BEST_CHECKPOINT: &str = "checkpoints/best.safetensors";

const METRICS: &str = "metrics.csv";
/// The files that a run ends with, besides its log and its summary.
pub(crate) const RESULTS: [&str; 3] = ["parameters.npz", run_plots::LOSS, run_plots::ACCURACY];
/// The files that a run has from the start, and those that it can be continued from.
const BEGINNINGS: [&str; 3] = [LAST_CHECKPOINT, BEST_CHECKPOINT, "config.toml"];

impl Logger {
    /// Starts the record `root/<model_name>`.
    ///
    /// # Errors
    /// If a record of a run that ended or can be continued is there, unless `overwrite` is set; if the run is in
    /// progress, the folder is something else, or a file cannot be written.
    pub fn create(
        root: &Path,
        config: &Config,
        program: Program,
        overwrite: bool,
    ) -> Result<Self, ExperimentError> {
        let directory = root.join(config.model_name.to_string());
        system::create_folder(&directory).map_err(ExperimentError::io("create", &directory))?;
        check_replaceable(&directory, overwrite)?;

        let lock = lock(&directory, true)?;
        // Whoever held the lock until now may have finished.
        check_replaceable(&directory, overwrite)?;
        // From now on it is no finished run any more, whenever this process dies.
        write_summary(&directory, &running(program.clone()))?;
        remove_temporary(&directory)?;
        remove(&directory, BEGINNINGS.iter().chain(&RESULTS).chain(&predictions::FILES))?;
        files::write_toml(&directory.join("config.toml"), config)?;
        Self::over(directory, lock, History::default(), program, 0.0)
    }

    /// The logger of a run that has these rows so far, in place of those that the file has. `held`
    /// is that file, locked.
    pub(crate) fn over(
        directory: PathBuf,
        held: File,
        history: History,
        program: Program,
        seconds_before: f64,
    ) -> Result<Self, ExperimentError> {
        let (metrics, log) = (directory.join(METRICS), as_csv(history.rows()));
        let file = system::replace_locked(&metrics, &log)
            .map_err(ExperimentError::io("write", &metrics))?;
        let last_row = history.rows().last().map_or(0, |last| row_as_csv(last).len());
        let logger = Self {
            directory,
            history,
            file,
            _replaced: held,
            last_row: (log.len() - last_row) as u64..log.len() as u64,
            summary: running(program),
            started: Instant::now(),
            seconds_before,
        };
        logger.write_summary()?;
        Ok(logger)
    }

    /// The folder of the record.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The metrics so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The time that the run has taken so far, that before it was continued included.
    pub fn wall_seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    /// Ends the record of a run that ran all its epochs, with the metrics of the `last`, and the result on
    /// the test set if the run was asked for it.
    ///
    /// # Errors
    /// If a result is not finite, or a file cannot be written; the record then remains that of a run in progress.
    pub fn finish<'a>(
        mut self,
        last: &EpochMetrics,
        test: Option<Evaluation>,
        arrays: impl IntoIterator<Item = (String, &'a ArrayD<f32>)>,
    ) -> Result<Summary, ExperimentError> {
        let EpochMetrics { train, validation, .. } = *last;
        for evaluation in [Some(train), validation, test].into_iter().flatten() {
            evaluation.validate()?;
        }
        files::write_npz(&self.directory.join("parameters.npz"), arrays)?;
        run_plots::write(&self.directory, &self.history, train.wrong.is_some())?;
        self.summary.status = Status::Finished;
        self.summary.train = Some(train);
        self.summary.validation = validation;
        self.summary.test = test;
        self.end()
    }

    /// Ends the record of a run that diverged: its log is kept, and plotted.
    pub fn diverge(mut self, divergence: Divergence) -> Result<Summary, ExperimentError> {
        self.summary.diverged = Some(divergence);
        self.stop(Status::Diverged)
    }

    /// Closes the record of a run that stops before its end; [`resume`](Self::resume) opens it again.
    pub fn interrupt(self) -> Result<Summary, ExperimentError> {
        self.stop(Status::Interrupted)
    }

    fn stop(mut self, status: Status) -> Result<Summary, ExperimentError> {
        run_plots::write(&self.directory, &self.history, false)?;
        self.summary.status = status;
        self.end()
    }

    /// The summary comes last: with it the record is complete.
    fn end(mut self) -> Result<Summary, ExperimentError> {
        let rows = self.history.rows();
        self.summary.iterations = rows.last().map_or(0, |row| row.iteration);
        let completed = rows.iter().rev().find(|row| row.train_loss.is_some());
        self.summary.epochs = completed.map_or(0, |row| row.epoch);
        self.summary.wall_seconds = Some(self.wall_seconds());
        self.summary.peak_memory_bytes = peak_memory();
        self.write_summary()?;
        Ok(self.summary)
    }

    fn write_summary(&self) -> Result<(), ExperimentError> {
        write_summary(&self.directory, &self.summary)
    }

    /// Brings the log to the disk, as it has to be before a checkpoint that a run is continued from.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn sync(&self) -> Result<(), ExperimentError> {
        self.file.sync_data().map_err(ExperimentError::io("write", &self.directory.join(METRICS)))
    }

    /// Brings the last row of the history to the file: behind the `rows` that there were before, or in place
    /// of the last of them, which is shorter and begins alike. Nothing is cut off for that, so that the row is
    /// there whenever the process dies.
    fn write_last(&mut self, rows: usize) -> Result<(), ExperimentError> {
        let Some(last) = self.history.rows().last() else { return Ok(()) };
        let Range { start, end } = self.last_row;
        let start = if self.history.rows().len() > rows { end } else { start };
        let row = row_as_csv(last);
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.file.write_all(&row))
            .map_err(ExperimentError::io("write", &self.directory.join(METRICS)))?;
        self.last_row = start..start + row.len() as u64;
        Ok(())
    }
}

impl MetricsSink for Logger {
    fn iteration(&mut self, metrics: &IterationMetrics) -> Result<(), ExperimentError> {
        let rows = self.history.rows().len();
        self.history.iteration(metrics)?;
        self.write_last(rows)
    }

    fn epoch(&mut self, metrics: &EpochMetrics) -> Result<(), ExperimentError> {
        let rows = self.history.rows().len();
        self.history.epoch(metrics)?;
        self.write_last(rows)
    }
}

/// The summary of a run that has begun.
fn running(program: Program) -> Summary {
    Summary {
        schema: SCHEMA,
        status: Status::Running,
        epochs: 0,
        iterations: 0,
        train: None,
        validation: None,
        test: None,
        diverged: None,
        wall_seconds: None,
        peak_memory_bytes: None,
        machine: Machine::current(),
        program,
    }
}

fn write_summary(directory: &Path, summary: &Summary) -> Result<(), ExperimentError> {
    files::write_json(&directory.join("summary.json"), summary)
}

/// Whether a run may be written into this folder, which exists.
fn check_replaceable(directory: &Path, overwrite: bool) -> Result<(), ExperimentError> {
    let summary_file = directory.join("summary.json");
    if directory.join("sweep.toml").exists() {
        return Err(ExperimentError::foreign(directory, "the record of a sweep"));
    }
    if summary_file.exists() {
        if overwrite {
            return Ok(());
        }
        // A summary that cannot be read is no licence to delete it.
        let status = read_json::<Summary>(&summary_file)?.status;
        return match status {
            // A crash; without a checkpoint there is nothing to continue from.
            Status::Running if !directory.join(LAST_CHECKPOINT).exists() => Ok(()),
            Status::Running | Status::Interrupted => {
                let reason = format!(
                    "holds a run that is not finished ({status}): continue it with --resume, choose \
                     another model name, or pass --overwrite to begin anew"
                );
                Err(ExperimentError::taken(directory, reason))
            }
            Status::Finished | Status::Diverged => Err(ExperimentError::exists(directory, status)),
        };
    }
    // A crash before the first summary leaves the log and a temporary file; anything else is somebody's.
    for entry in system::entries(directory).map_err(ExperimentError::io("read", directory))? {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name != METRICS && !system::is_temporary(&entry.file_name()) {
            return Err(ExperimentError::foreign(directory, &name));
        }
    }
    Ok(())
}

/// Opens the log and locks it, for as long as the file is open. Some network file systems have no locks:
/// there a second run of this name is not kept out.
pub(crate) fn lock(directory: &Path, create: bool) -> Result<File, ExperimentError> {
    let path = directory.join(METRICS);
    let file = File::options()
        .create(create)
        .append(true)
        .open(&path)
        .map_err(ExperimentError::io(if create { "create" } else { "open" }, &path))?;
    // The error codes of file systems without locks are several.
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        let reason =
            "is being written by another process: wait for it, or choose another model name";
        return Err(ExperimentError::taken(directory, reason));
    }
    Ok(file)
}

/// Removes the temporary files that a process left in a record when it was killed. The record is locked.
pub(crate) fn remove_temporary(directory: &Path) -> Result<(), ExperimentError> {
    let checkpoints = directory.join(CHECKPOINTS);
    for folder in [directory, &checkpoints].into_iter().filter(|folder| folder.exists()) {
        for entry in system::entries(folder).map_err(ExperimentError::io("read", folder))? {
            if system::is_temporary(&entry.file_name()) {
                let path = entry.path();
                fs::remove_file(&path).map_err(ExperimentError::io("remove", &path))?;
            }
        }
    }
    Ok(())
}

/// Removes these files of a record, as far as they are there.
pub(crate) fn remove<'a>(
    directory: &Path,
    names: impl IntoIterator<Item = &'a &'static str>,
) -> Result<(), ExperimentError> {
    for path in names.into_iter().map(|name| directory.join(name)) {
        if path.exists() {
            fs::remove_file(&path).map_err(ExperimentError::io("remove", &path))?;
        }
    }
    Ok(())
}
