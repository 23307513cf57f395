//! Writing the record of a run.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::ArrayD;
use numerics::Scalar;

use crate::peak_memory::peak_memory;
use crate::schema::read_json;
use crate::sweep::SWEEP_CONFIG;
use crate::{
    Config, Divergence, EpochMetrics, Evaluation, ExperimentError, History, IterationMetrics,
    Machine, Metrics, MetricsSink, Program, SCHEMA, Status, Summary, atomic, parameters,
    predictions, run_plots,
};

/// The logger of a run; see the [crate] for what it writes, and when it overwrites.
#[derive(Debug)]
pub struct Logger {
    directory: PathBuf,
    history: History,
    /// `metrics.csv`, locked for as long as the run is in progress.
    file: csv::Writer<File>,
    /// Why it is not locked, where the file system has no locks.
    unlocked: Option<io::Error>,
    /// How many rows of the history are in the file.
    written: usize,
    summary: Summary,
    started: Instant,
    /// What the run had taken before it was continued.
    seconds_before: f64,
    /// Where the last row begins in the file of a run that was just continued.
    last_row: Option<u64>,
}

/// What a run ends with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Results {
    /// The training set.
    pub train: Evaluation,
    /// The validation set, if there is one.
    pub validation: Option<Evaluation>,
    /// The test set, if the run was asked for it.
    pub test: Option<Evaluation>,
}

/// The newest checkpoint of a run, in its folder.
pub const LAST_CHECKPOINT: &str = "checkpoints/last.safetensors";
/// The checkpoint of the epoch with the smallest validation error.
pub const BEST_CHECKPOINT: &str = "checkpoints/best.safetensors";

/// What a run ends with, besides its log and its summary.
pub(crate) const RESULTS: [&str; 4] =
    ["parameters.npz", run_plots::LOSS, run_plots::ERROR, run_plots::ACCURACY];
/// What a run has from the start, and what it can be continued from.
const BEGINNINGS: [&str; 4] = ["config.toml", "summary.json", LAST_CHECKPOINT, BEST_CHECKPOINT];

impl Logger {
    /// Starts the record `root/<model_name>`.
    ///
    /// # Errors
    /// [`ExperimentError::Exists`] if a record of a run that ended is there, and
    /// [`ExperimentError::Unfinished`] if one that can be continued is, unless `overwrite` is set;
    /// [`ExperimentError::Busy`] if the run is in progress, [`ExperimentError::Foreign`] if the
    /// folder is something else, and [`ExperimentError::Io`].
    pub fn create(
        root: &Path,
        config: &Config,
        program: Program,
        overwrite: bool,
    ) -> Result<Self, ExperimentError> {
        let directory = root.join(config.model_name.as_str());
        fs::create_dir_all(&directory).map_err(ExperimentError::io("create", &directory))?;
        check_replaceable(&directory, overwrite)?;

        let metrics_file = directory.join("metrics.csv");
        let log = lock(&directory, &metrics_file, true)?;
        for name in BEGINNINGS.iter().chain(&RESULTS).chain(&predictions::FILES) {
            remove_if_there(&directory.join(name))?;
        }
        log.file.set_len(0).map_err(ExperimentError::io("empty", &metrics_file))?;
        let mut logger = Self::over(directory, log, History::default(), program);
        atomic::write_toml(&logger.directory.join("config.toml"), config)?;
        logger.write_summary()?;
        let header = logger.file.write_record(Metrics::COLUMNS);
        logger.flushed(header)?;
        Ok(logger)
    }

    /// The logger of a run in progress, which has these rows, none of which counts as written.
    pub(crate) fn over(directory: PathBuf, log: Log, history: History, program: Program) -> Self {
        let summary = Summary {
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
        };
        let file = csv::WriterBuilder::new().has_headers(false).from_writer(log.file);
        let started = Instant::now();
        Self {
            directory,
            history,
            file,
            unlocked: log.unlocked,
            written: 0,
            summary,
            started,
            seconds_before: 0.0,
            last_row: None,
        }
    }

    /// Counts these rows as written and writes the rest; the last of all begins at `last_row`.
    pub(crate) fn continue_at(
        &mut self,
        written: usize,
        last_row: u64,
        seconds_before: f64,
    ) -> Result<(), ExperimentError> {
        (self.written, self.last_row, self.seconds_before) =
            (written, Some(last_row), seconds_before);
        self.write_rows(self.history.rows().len())
    }

    /// The folder of the record.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What to warn of: on a file system without locks, as some networks have, nothing keeps a second run
    /// out of this record.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let cause = self.unlocked.as_ref()?;
        let directory = self.directory.display();
        Some(format!(
            "{directory} cannot be locked ({cause}): start no other run of this name there"
        ))
    }

    /// The metrics so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How long the run has taken so far, the time before it was continued included.
    #[must_use]
    pub fn wall_seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    /// Ends the record of a run that ran all its epochs.
    ///
    /// # Errors
    /// [`ExperimentError::NotFinite`] if a result is not, [`ExperimentError::Io`] if a file cannot
    /// be written; the record then remains that of a run in progress.
    pub fn finish<'a, T: Scalar>(
        mut self,
        results: Results,
        arrays: impl IntoIterator<Item = (String, &'a ArrayD<T>)>,
    ) -> Result<Summary, ExperimentError> {
        let Results { train, validation, test } = results;
        for evaluation in [Some(train), validation, test].into_iter().flatten() {
            evaluation.validate()?;
        }
        self.write_rows(self.history.rows().len())?;
        parameters::write(&self.directory.join("parameters.npz"), arrays)?;
        run_plots::write(&self.directory, &self.history, train.wrong.is_some())?;
        self.summary.status = Status::Finished;
        self.summary.train = Some(train);
        self.summary.validation = validation;
        self.summary.test = test;
        self.end()
    }

    /// Ends the record of a run that diverged: its log is kept, and plotted.
    ///
    /// # Errors
    /// [`ExperimentError::Io`] if a file cannot be written.
    pub fn diverge(mut self, divergence: Divergence) -> Result<Summary, ExperimentError> {
        self.write_rows(self.history.rows().len())?;
        run_plots::write(&self.directory, &self.history, false)?;
        self.summary.status = Status::Diverged;
        self.summary.diverged = Some(divergence);
        self.end()
    }

    /// Closes the record of a run that stops before its end; [`resume`](Self::resume) opens it again.
    ///
    /// # Errors
    /// [`ExperimentError::Io`] if a file cannot be written.
    pub fn interrupt(mut self) -> Result<Summary, ExperimentError> {
        self.write_rows(self.history.rows().len())?;
        run_plots::write(&self.directory, &self.history, false)?;
        self.summary.status = Status::Interrupted;
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

    pub(crate) fn write_summary(&self) -> Result<(), ExperimentError> {
        atomic::write_json(&self.directory.join("summary.json"), &self.summary)
    }

    /// Brings the rows before this one to the file.
    fn write_rows(&mut self, end: usize) -> Result<(), ExperimentError> {
        for row in self.written..end {
            let result = self.file.serialize(self.history.rows()[row]);
            self.flushed(result)?;
            self.written = row + 1;
        }
        Ok(())
    }

    fn flushed(&mut self, result: csv::Result<()>) -> Result<(), ExperimentError> {
        result
            .map_err(Into::into)
            .and_then(|()| self.file.flush())
            .map_err(ExperimentError::io("write", &self.directory.join("metrics.csv")))
    }
}

impl MetricsSink for Logger {
    fn iteration(&mut self, metrics: &IterationMetrics) -> Result<(), ExperimentError> {
        // The last row stays back: the metrics of its epoch may yet come.
        self.last_row = None;
        self.write_rows(self.history.rows().len())?;
        self.history.iteration(metrics)
    }

    fn epoch(&mut self, metrics: &EpochMetrics) -> Result<(), ExperimentError> {
        self.history.epoch(metrics)?;
        // A run that stopped between the last iteration of an epoch and its metrics has written the
        // row that gets them.
        if let Some(offset) = self.last_row.take()
            && self.written == self.history.rows().len()
        {
            let file = self.directory.join("metrics.csv");
            let shortened = self.file.get_ref().set_len(offset);
            shortened.map_err(ExperimentError::io("shorten", &file))?;
            self.written -= 1;
        }
        self.write_rows(self.history.rows().len())
    }
}

/// Whether a run may be written into this folder, which exists.
fn check_replaceable(directory: &Path, overwrite: bool) -> Result<(), ExperimentError> {
    let summary_file = directory.join("summary.json");
    if directory.join(SWEEP_CONFIG).exists() {
        let (directory, found) = (directory.to_owned(), "the record of a sweep".to_owned());
        return Err(ExperimentError::Foreign { directory, found });
    }
    if summary_file.exists() {
        if overwrite {
            return Ok(());
        }
        // A summary that cannot be read is no licence to delete it.
        let status = read_json::<Summary>(&summary_file)?.status;
        let directory = directory.to_owned();
        return match status {
            // A crash; without a checkpoint there is nothing to continue from.
            Status::Running if !directory.join(LAST_CHECKPOINT).exists() => Ok(()),
            Status::Running | Status::Interrupted => {
                Err(ExperimentError::Unfinished { directory, status })
            }
            Status::Finished | Status::Diverged => {
                Err(ExperimentError::Exists { directory, status })
            }
        };
    }
    // A crash before the first summary leaves these two; anything else is somebody's.
    let entries = disk::entries(directory).map_err(ExperimentError::io("read", directory))?;
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name != "metrics.csv" && name != "config.toml" && !name.ends_with(".tmp") {
            let (directory, found) = (directory.to_owned(), name.into_owned());
            return Err(ExperimentError::Foreign { directory, found });
        }
    }
    Ok(())
}

/// `metrics.csv`, open.
pub(crate) struct Log {
    pub(crate) file: File,
    /// Why it is not locked, where the file system has no locks.
    unlocked: Option<io::Error>,
}

/// Opens the log and locks it, for as long as the file is open.
pub(crate) fn lock(
    directory: &Path,
    metrics_file: &Path,
    create: bool,
) -> Result<Log, ExperimentError> {
    let file = File::options()
        .create(create)
        .append(true)
        .open(metrics_file)
        .map_err(ExperimentError::io(if create { "create" } else { "open" }, metrics_file))?;
    let unlocked = reason_unlocked(file.try_lock(), directory)?;
    Ok(Log { file, unlocked })
}

/// Why a file is not locked, if it is not. The error codes of file systems without locks are several, and
/// not all have an [`io::ErrorKind`]; only "would block" says that somebody else has the lock.
fn reason_unlocked(
    tried: Result<(), TryLockError>,
    directory: &Path,
) -> Result<Option<io::Error>, ExperimentError> {
    match tried {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            Err(ExperimentError::Busy { directory: directory.to_owned() })
        }
        Err(TryLockError::Error(error)) => Ok(Some(error)),
    }
}

pub(crate) fn remove_if_there(path: &Path) -> Result<(), ExperimentError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ExperimentError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lock_that_somebody_has_is_busy() {
        let reason = |tried| reason_unlocked(tried, Path::new("run"));
        assert!(reason(Ok(())).unwrap().is_none());
        let busy = reason(Err(TryLockError::WouldBlock)).unwrap_err();
        assert!(matches!(busy, ExperimentError::Busy { .. }), "{busy}");
        for kind in [io::ErrorKind::Unsupported, io::ErrorKind::Other, io::ErrorKind::InvalidInput]
        {
            let unlocked = reason(Err(TryLockError::Error(kind.into()))).unwrap();
            assert_eq!(unlocked.unwrap().kind(), kind);
        }
    }

    #[test]
    fn a_record_that_cannot_be_locked_is_written_with_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("metrics.csv")).unwrap();
        let program = Program { name: "test".into(), version: "0".into(), revision: None };
        let log = Log { file, unlocked: Some(io::ErrorKind::Unsupported.into()) };
        let logger = Logger::over("run".into(), log, History::default(), program);
        let expected = "run cannot be locked (unsupported): start no other run of this name there";
        assert_eq!(logger.warning().unwrap(), expected);
    }
}
