//! Continuing the record of a run.

use std::path::Path;

use crate::logger::{RESULTS, lock, remove, remove_temporary};
use crate::{Config, ExperimentError, History, Logger, Program, files, predictions};

/// The position of a run when its checkpoint was written.
#[derive(Clone, Debug, PartialEq)]
pub struct ResumePoint {
    /// Completed epochs, their metrics included.
    pub epochs: u64,
    /// Completed iterations.
    pub iteration: u64,
    /// The time until then.
    pub wall_seconds: f64,
    /// The [`History::sha256`] of the metrics so far.
    pub metrics_sha256: String,
}

impl Logger {
    /// Continues the record in this folder from `point`: later rows of `metrics.csv` are dropped,
    /// and so are plots and parameters, which are written anew at the end.
    ///
    /// # Errors
    /// If the run is in progress, the record is another run's (name, seed or data differ from
    /// `config`), its log is not the one of `point`, or a file cannot be read. The log is not changed then.
    pub fn resume(
        directory: &Path,
        config: &Config,
        program: Program,
        point: &ResumePoint,
    ) -> Result<Self, ExperimentError> {
        let config_file = directory.join("config.toml");
        let started_with: Config = files::read_toml(&config_file)?;
        let run = |Config { model_name, seed, data, .. }: &Config| {
            format!("{model_name} with seed {seed} on {data:?}")
        };
        let (expected, got) = (run(config), run(&started_with));
        if expected != got {
            return Err(ExperimentError::invalid(&config_file, format!("the run {expected}"), got));
        }

        let metrics_file = directory.join("metrics.csv");
        let lock = lock(directory, false)?;
        let mut history = History::read(&metrics_file, point.iteration)?;
        history.reopen(point.epochs);
        let last = history.rows().last().map(|last| last.iteration);
        if last != Some(point.iteration) {
            let expected = format!("a row of iteration {}, as in the checkpoint", point.iteration);
            let got =
                last.map_or("none".to_owned(), |last| format!("iteration {last} as the last"));
            return Err(ExperimentError::invalid(&metrics_file, expected, got));
        }
        if history.sha256() != point.metrics_sha256 {
            let expected = "the rows that there were when the checkpoint was written";
            return Err(ExperimentError::invalid(&metrics_file, expected, "others"));
        }

        if started_with.hyperparameters != config.hyperparameters {
            files::write_toml(&config_file, config)?;
        }
        remove_temporary(directory)?;
        remove(directory, RESULTS.iter().chain(&predictions::FILES))?;
        Self::over(directory.to_owned(), lock, history, program, point.wall_seconds)
    }
}
