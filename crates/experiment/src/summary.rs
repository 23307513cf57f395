//! `summary.json`: what came out of a run.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::finite;
use crate::{ExperimentError, Machine, Program, files};

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// The state of the run.
    pub status: Status,
    /// Completed epochs.
    pub epochs: u64,
    /// Completed iterations.
    pub iterations: u64,
    /// The training set after the last epoch.
    pub train: Option<Evaluation>,
    /// The validation set after the last epoch.
    pub validation: Option<Evaluation>,
    /// The test set after the last epoch, if the run was asked for it.
    pub test: Option<Evaluation>,
    /// Where the run diverged, if it did.
    pub diverged: Option<Divergence>,
    /// The time that it took, that before it was continued included; `None` while it runs.
    pub wall_seconds: Option<f64>,
    /// The most memory that the program had, if the run has ended and the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Where it ran.
    pub machine: Machine,
    /// The program that wrote it.
    pub program: Program,
}

/// The state of the run whose record is in this folder; `None` if there is none.
pub fn status(directory: &Path) -> Result<Option<Status>, ExperimentError> {
    let file = directory.join("summary.json");
    if !file.exists() {
        return Ok(None);
    }
    Ok(Some(files::read_json::<Summary>(&file)?.status))
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum_macros::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// It has not ended: it is in progress, or it crashed.
    Running,
    /// It was stopped before its end, and can be continued.
    Interrupted,
    /// It ran all its epochs.
    Finished,
    /// A loss was not finite, which ended it.
    Diverged,
}

/// Loss and error on one data set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Its number of examples.
    pub examples: usize,
    /// The number that are classified wrongly; `None` where nothing is classified.
    pub wrong: Option<usize>,
    /// The mean loss.
    pub loss: f64,
    /// `wrong / examples`, or the loss where nothing is classified.
    pub error: f64,
}

impl Evaluation {
    /// The evaluation of a classifier.
    pub fn classification(loss: f64, wrong: usize, examples: usize) -> Self {
        Self { examples, wrong: Some(wrong), loss, error: wrong as f64 / examples as f64 }
    }

    /// The evaluation of a regression, whose error is its loss.
    pub fn regression(loss: f64, examples: usize) -> Self {
        Self { examples, wrong: None, loss, error: loss }
    }

    /// Checks that loss and error are finite, and that the error follows from the rest.
    pub fn validate(&self) -> Result<(), ExperimentError> {
        finite("the loss", self.loss)?;
        let expected = match self.wrong {
            Some(wrong) => wrong as f64 / self.examples as f64,
            None => self.loss,
        };
        if self.examples > 0 && self.error == expected {
            return Ok(());
        }
        let expected = "wrong / examples, or the loss without a wrong";
        Err(ExperimentError::value("the error", expected, format!("{self:?}")))
    }
}

/// Where a run stopped because a number was not finite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The iteration, from 1.
    pub iteration: u64,
    /// The loss that was not finite.
    pub quantity: String,
    /// `"NaN"`, `"inf"` or `"-inf"`.
    pub value: String,
}
