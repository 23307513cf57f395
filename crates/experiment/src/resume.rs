//! Continuing the record of a run.

use std::fs;
use std::path::Path;

use crate::logger::{RESULTS, lock, remove_if_there};
use crate::metrics::as_csv;
use crate::schema::read_toml;
use crate::{Config, ExperimentError, History, Logger, Program, atomic, predictions};

/// How far a run had come when its checkpoint was written.
#[derive(Clone, Debug, PartialEq)]
pub struct ResumePoint {
    /// Completed epochs, their metrics included.
    pub epochs: u64,
    /// Completed iterations.
    pub iteration: u64,
    /// How long that took.
    pub wall_seconds: f64,
    /// The [`History::sha256`] of the metrics so far.
    pub metrics_sha256: String,
}

impl Logger {
    /// Continues the record in this folder from `point`: later rows of `metrics.csv` are dropped,
    /// and so are plots and parameters, which are written anew at the end.
    ///
    /// # Errors
    /// [`ExperimentError::Busy`] if the run is in progress, [`ExperimentError::Invalid`] if the
    /// record is another run's (name, seed, number type or data differ from `config`) or its log
    /// is not the one of `point`, and [`ExperimentError::Io`]. The log is not changed then.
    pub fn resume(
        directory: &Path,
        config: &Config,
        program: Program,
        point: &ResumePoint,
    ) -> Result<Self, ExperimentError> {
        let config_file = directory.join("config.toml");
        let started_with: Config = read_toml(&config_file)?;
        check_same_run(&config_file, &started_with, config)?;

        let metrics_file = directory.join("metrics.csv");
        let mut log = lock(directory, &metrics_file, false)?;
        let mut history = History::read_until(&metrics_file, point.iteration)?;
        history.reopen(point.epochs);
        let rows = history.rows();
        if rows.last().is_none_or(|last| last.iteration != point.iteration) {
            let expected = format!("a row of iteration {}, as in the checkpoint", point.iteration);
            let got = rows.last().map_or("none".to_owned(), |last| {
                format!("iteration {} as the last", last.iteration)
            });
            return Err(ExperimentError::invalid(&metrics_file, expected, got));
        }
        if history.sha256() != point.metrics_sha256 {
            let expected = "the rows that there were when the checkpoint was written";
            return Err(ExperimentError::invalid(&metrics_file, expected, "others"));
        }
        let (before_last, all) = (as_csv(&rows[..rows.len() - 1]), as_csv(rows));
        let mut text =
            fs::read(&metrics_file).map_err(ExperimentError::io("read", &metrics_file))?;
        if !text.starts_with(&before_last) {
            // An editor or a spreadsheet has spelled the same numbers otherwise, or ended lines otherwise.
            atomic::write(&metrics_file, &all)?;
            log = lock(directory, &metrics_file, false)?;
            text.clone_from(&all);
        }

        if started_with.hyperparameters != config.hyperparameters {
            atomic::write_toml(&config_file, config)?;
        }
        for name in RESULTS.into_iter().chain(predictions::FILES) {
            remove_if_there(&directory.join(name))?;
        }
        let shorten = |length: usize| {
            log.file.set_len(length as u64).map_err(ExperimentError::io("shorten", &metrics_file))
        };
        let mut written = rows.len();
        if text.starts_with(&all) {
            shorten(all.len())?;
        } else {
            // The last row has the metrics of an epoch that is to be completed again.
            shorten(before_last.len())?;
            written -= 1;
        }
        let mut logger = Self::over(directory.to_owned(), log, history, program);
        logger.continue_at(written, before_last.len() as u64, point.wall_seconds)?;
        logger.write_summary()?;
        Ok(logger)
    }
}

fn check_same_run(file: &Path, record: &Config, run: &Config) -> Result<(), ExperimentError> {
    let text = |config: &Config| {
        let Config { model_name, seed, dtype, data, .. } = config;
        [
            ("model_name", model_name.to_string()),
            ("seed", seed.to_string()),
            ("dtype", dtype.to_string()),
            ("data", format!("{data:?}")),
        ]
    };
    for ((field, got), (_, expected)) in text(record).into_iter().zip(text(run)) {
        if got != expected {
            let expected = format!("{field} {expected} to continue this run");
            return Err(ExperimentError::invalid(file, expected, got));
        }
    }
    Ok(())
}
