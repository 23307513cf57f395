//! Reading the record of a run.

use std::path::{Path, PathBuf};

use crate::files::{read_json, read_toml};
use crate::predictions::CONFUSION;
use crate::{Config, Confusion, ExperimentError, History, Status, Summary};

/// The record of a run, checked against the schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The folder.
    pub directory: PathBuf,
    /// `config.toml`.
    pub config: Config,
    /// `metrics.csv`.
    pub history: History,
    /// `summary.json`.
    pub summary: Summary,
    /// `confusion.csv`, if the run classified images: of the test set if it was tested, else of the
    /// validation set.
    pub confusion: Option<Confusion>,
}

impl Record {
    /// Reads a folder that a [`Logger`](crate::Logger) wrote.
    ///
    /// # Errors
    /// [`ExperimentError::Io`] if a file is missing, [`ExperimentError::Refused`] if it is of another
    /// version, a field is missing, unknown or not finite, or the files contradict each other.
    pub fn read(directory: &Path) -> Result<Self, ExperimentError> {
        let config_file = directory.join("config.toml");
        let config: Config = read_toml(&config_file)?;
        config.data.validate(&config_file)?;
        let summary_file = directory.join("summary.json");
        let summary: Summary = read_json(&summary_file)?;
        summary.validate(&summary_file)?;
        let metrics_file = directory.join("metrics.csv");
        let history = History::read(&metrics_file, u64::MAX)?;
        let confusion_file = directory.join(CONFUSION);
        let confusion =
            confusion_file.exists().then(|| Confusion::read(&confusion_file)).transpose()?;
        let directory = directory.to_owned();
        let record = Self { directory, config, history, summary, confusion };
        record.check_agreement(&metrics_file, &confusion_file)?;
        Ok(record)
    }

    /// Summary, metrics and confusion matrix of a finished run end alike.
    fn check_agreement(
        &self,
        metrics_file: &Path,
        confusion_file: &Path,
    ) -> Result<(), ExperimentError> {
        if self.summary.status != Status::Finished {
            return Ok(());
        }
        if let Some(confusion) = &self.confusion {
            let evaluation = self.summary.test.or(self.summary.validation);
            confusion.check_agreement(confusion_file, evaluation)?;
        }
        let last = self.history.rows().last();
        let got = last.map(|row| {
            (row.epoch, row.iteration, row.train_loss, row.train_error, row.val_loss, row.val_error)
        });
        let (train, validation) = (self.summary.train, self.summary.validation);
        let expected = (
            self.summary.epochs,
            self.summary.iterations,
            train.map(|train| train.loss),
            train.map(|train| train.error),
            validation.map(|validation| validation.loss),
            validation.map(|validation| validation.error),
        );
        if got == Some(expected) {
            return Ok(());
        }
        let expected = format!("a last row that agrees with summary.json, {expected:?}");
        Err(ExperimentError::invalid(metrics_file, expected, format!("{got:?}")))
    }
}
