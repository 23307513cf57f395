//! Reading the record of a run.

use std::path::{Path, PathBuf};

use crate::files::{read_json, read_toml};
use crate::predictions::CONFUSION;
use crate::{Config, Confusion, ExperimentError, History, Metrics, Status, Summary};

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
    /// If a file is missing or of another version, a field is missing, unknown or not finite, or the files contradict each other.
    pub fn read(directory: &Path) -> Result<Self, ExperimentError> {
        let config = read_toml(&directory.join("config.toml"))?;
        let summary_file = directory.join("summary.json");
        let summary: Summary = read_json(&summary_file)?;
        for evaluation in [summary.train, summary.validation, summary.test].into_iter().flatten() {
            evaluation.validate().map_err(|error| {
                ExperimentError::invalid(&summary_file, "a consistent evaluation", error)
            })?;
        }
        let metrics_file = directory.join("metrics.csv");
        let history = History::read(&metrics_file, u64::MAX)?;
        let confusion_file = directory.join(CONFUSION);
        let confusion =
            confusion_file.exists().then(|| Confusion::read(&confusion_file)).transpose()?;
        let directory = directory.to_owned();
        let record = Self { directory, config, history, summary, confusion };
        if record.summary.status == Status::Finished {
            record.check_agreement(&metrics_file, &confusion_file)?;
        }
        Ok(record)
    }

    /// Checks that summary, metrics and confusion matrix of a finished run end alike.
    fn check_agreement(&self, metrics: &Path, confusion: &Path) -> Result<(), ExperimentError> {
        let agree = |file: &Path, expected: String, got: String| match expected == got {
            true => Ok(()),
            false => {
                let expected = format!("{expected}, as summary.json says");
                Err(ExperimentError::invalid(file, expected, got))
            }
        };
        let Summary { epochs, iterations, train, validation, test, .. } = self.summary;
        if let Some(matrix) = &self.confusion {
            let counted = |examples, wrong| format!("{examples} examples, {wrong} of them wrong");
            let wrong = matrix.examples() - matrix.right();
            let measured =
                test.or(validation).and_then(|e| Some((e.examples as u64, e.wrong? as u64)));
            let expected = measured.map_or("none".to_owned(), |(of, wrong)| counted(of, wrong));
            agree(confusion, expected, counted(matrix.examples(), wrong))?;
        }
        let ends = Metrics {
            epoch: epochs,
            iteration: iterations,
            train_loss: train.map(|train| train.loss),
            train_error: train.map(|train| train.error),
            val_loss: validation.map(|validation| validation.loss),
            val_error: validation.map(|validation| validation.error),
            ..Metrics::default()
        };
        let last = self.history.rows().last();
        // What a summary does not have.
        let (lr, batch_loss, weight_norm) = (None, None, None);
        let last = last.map(|&last| Metrics { lr, batch_loss, weight_norm, ..last });
        agree(metrics, format!("{:?}", Some(ends)), format!("{last:?}"))
    }
}
