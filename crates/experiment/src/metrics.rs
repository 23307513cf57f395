//! `metrics.csv`: loss and error by iteration.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::finite;
use crate::{Evaluation, ExperimentError};

/// One row of `metrics.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The epoch, from 1; 0 before training.
    pub epoch: u64,
    /// The iteration, from 1 and through all epochs; 0 before training.
    pub iteration: u64,
    /// The learning rate of the iteration.
    pub lr: Option<f64>,
    /// The loss of its mini-batch, before the update.
    pub batch_loss: Option<f64>,
    /// The loss of the training set, after the last update of an epoch.
    pub train_loss: Option<f64>,
    /// The error of the training set then.
    pub train_error: Option<f64>,
    /// The loss of the validation set then.
    pub val_loss: Option<f64>,
    /// The error of the validation set then.
    pub val_error: Option<f64>,
    /// The Euclidean norm of all weights then; records of older programs lack the column.
    pub weight_norm: Option<f64>,
}

/// A training's report after each update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterationMetrics {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The iteration, from 1.
    pub iteration: u64,
    /// The learning rate.
    pub lr: f64,
    /// The loss of the mini-batch.
    pub batch_loss: f64,
}

/// A training's report before it starts and after each epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochMetrics {
    /// The epoch, 0 before training.
    pub epoch: u64,
    /// The iterations so far.
    pub iteration: u64,
    /// The training set.
    pub train: Evaluation,
    /// The validation set, if there is one.
    pub validation: Option<Evaluation>,
    /// The Euclidean norm of all weights on which weight decay can act.
    pub weight_norm: f64,
}

/// Where a training reports to: the log of a [`Logger`](crate::Logger), or a [`History`].
pub trait MetricsSink {
    /// Takes the metrics of an iteration.
    ///
    /// # Errors
    /// If a number is not finite, or the file behind it cannot be written.
    fn iteration(&mut self, metrics: &IterationMetrics) -> Result<(), ExperimentError>;

    /// Takes the metrics of an epoch, after those of its iterations.
    fn epoch(&mut self, metrics: &EpochMetrics) -> Result<(), ExperimentError>;
}

/// The metrics of a run in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    rows: Vec<Metrics>,
}

impl History {
    /// The rows by iteration.
    pub fn rows(&self) -> &[Metrics] {
        &self.rows
    }

    /// A column as points over the iterations at which it has a value.
    pub fn column(&self, value: impl Fn(&Metrics) -> Option<f64>) -> Vec<(f64, f64)> {
        let point = |row: &Metrics| Some((row.iteration as f64, value(row)?));
        self.rows.iter().filter_map(point).collect()
    }

    /// A checksum of the rows, as `metrics.csv` has them.
    pub fn sha256(&self) -> String {
        system::hex(&Sha256::digest(as_csv(&self.rows)))
    }

    /// Reads `metrics.csv` up to the row of this iteration; what comes behind it may be torn.
    pub(crate) fn read(file: &Path, up_to: u64) -> Result<Self, ExperimentError> {
        let reader = csv::Reader::from_path(file)
            .map_err(|error| ExperimentError::io("read", file)(error.into()))?;
        let mut rows: Vec<Metrics> = Vec::new();
        for row in reader.into_deserialize() {
            if rows.last().is_some_and(|last| last.iteration >= up_to) {
                break;
            }
            let row: Metrics = row.map_err(|error| {
                ExperimentError::invalid(file, "the columns of the schema", error)
            })?;
            let Metrics { lr, batch_loss, train_loss, train_error, weight_norm, .. } = row;
            let Metrics { val_loss, val_error, .. } = row;
            let losses = [batch_loss, train_loss, val_loss];
            let numbers = [lr, train_error, val_error, weight_norm].into_iter().chain(losses);
            let is_finite = numbers.flatten().all(f64::is_finite);
            let is_complete = (row.iteration > 0) == (lr.is_some() && batch_loss.is_some());
            let follows =
                |last: &Metrics| row.iteration > last.iteration && row.epoch >= last.epoch;
            if !(is_finite && is_complete && rows.last().is_none_or(follows)) {
                let expected =
                    "finite numbers, lr and batch_loss from iteration 1 on, rows in order";
                return Err(ExperimentError::invalid(file, expected, format!("{row:?}")));
            }
            rows.push(row);
        }
        Ok(Self { rows })
    }

    /// Forgets the metrics of the epoch of the last row, if that epoch is not among the `completed`
    /// ones.
    pub(crate) fn reopen(&mut self, completed: u64) {
        if let Some(last) = self.rows.last_mut()
            && last.epoch > completed
        {
            let Metrics { epoch, iteration, lr, batch_loss, .. } = *last;
            *last = Metrics { epoch, iteration, lr, batch_loss, ..Metrics::default() };
        }
    }
}

impl MetricsSink for History {
    fn iteration(&mut self, metrics: &IterationMetrics) -> Result<(), ExperimentError> {
        let IterationMetrics { epoch, iteration, lr, batch_loss } = *metrics;
        let lr = Some(finite("the learning rate", lr)?);
        let batch_loss = Some(finite("the loss of a mini-batch", batch_loss)?);
        self.rows.push(Metrics { epoch, iteration, lr, batch_loss, ..Metrics::default() });
        Ok(())
    }

    fn epoch(&mut self, metrics: &EpochMetrics) -> Result<(), ExperimentError> {
        let EpochMetrics { epoch, iteration, train, validation, weight_norm } = *metrics;
        for evaluation in [Some(train), validation].into_iter().flatten() {
            evaluation.validate()?;
        }
        let weight_norm = finite("the norm of the weights", weight_norm)?;
        // The row of the epoch's last iteration; before training there is none.
        if self.rows.last().is_none_or(|last| last.iteration != iteration) {
            self.rows.push(Metrics { epoch, iteration, ..Metrics::default() });
        }
        let last = self.rows.last_mut().expect("a row has just been found or added");
        last.train_loss = Some(train.loss);
        last.train_error = Some(train.error);
        last.val_loss = validation.map(|validation| validation.loss);
        last.val_error = validation.map(|validation| validation.error);
        last.weight_norm = Some(weight_norm);
        Ok(())
    }
}

/// The text of `metrics.csv` with these rows.
pub(crate) fn as_csv(rows: &[Metrics]) -> Vec<u8> {
    const IN_MEMORY: &str = "writing to memory does not fail";
    // Without a row there is a header, too.
    let header =
        "epoch,iteration,lr,batch_loss,train_loss,train_error,val_loss,val_error,weight_norm\n";
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(header.into());
    rows.iter().try_for_each(|row| writer.serialize(row)).expect(IN_MEMORY);
    writer.into_inner().expect(IN_MEMORY)
}

/// The line of `metrics.csv` with this row.
pub(crate) fn row_as_csv(row: &Metrics) -> Vec<u8> {
    as_csv(std::slice::from_ref(row)).split_off(as_csv(&[]).len())
}
