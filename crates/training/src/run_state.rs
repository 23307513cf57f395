//! The state of a training that a checkpoint keeps besides the model.

use std::collections::BTreeMap;

use experiment::{Data, Evaluation, Program};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use crate::RunConfig;

/// The progress of a training.
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

/// The origin of weights: enough to trust them, or to make them again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The command line that began the training.
    pub command: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The program, with the revision of its source where that is known.
    pub program: Program,
    /// The data that it was trained on.
    pub data: Data,
    /// Completed epochs.
    pub epochs: u64,
    /// Completed iterations.
    pub iterations: u64,
    /// The training images that are watched, after the last completed epoch; see
    /// [`Monitor`](crate::Monitor).
    pub train: Option<Evaluation>,
    /// The validation set then.
    pub validation: Option<Evaluation>,
    /// The test set, if these weights were tested.
    pub test: Option<Evaluation>,
}

/// All that it takes to continue a training.
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
