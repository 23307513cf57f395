//! What a training has to remember to continue.

use std::collections::BTreeMap;

use experiment::Evaluation;
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use crate::RunConfig;

/// How far a training has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Completed epochs, their evaluation included.
    pub epochs: u64,
    /// Completed steps of the epoch after these. If it is all of them, the evaluation is due.
    pub step: u64,
    /// Completed steps of all epochs.
    pub iteration: u64,
}

/// The epoch with the smallest validation error so far; of equal ones, the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The validation set after it.
    pub validation: Evaluation,
}

/// What a checkpoint has besides the model, if a training can be continued from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunState {
    pub(crate) config: RunConfig,
    pub(crate) position: Position,
    pub(crate) best: Option<Best>,
    pub(crate) wall_seconds: f64,
    /// The checksum of the metrics so far.
    pub(crate) metrics_sha256: String,
    /// The velocity of each parameter that is not frozen, by its name; empty before the first step.
    /// They are tensors of the file.
    #[serde(skip)]
    pub(crate) velocities: BTreeMap<String, ArrayD<f32>>,
}
