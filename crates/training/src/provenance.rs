//! Where weights come from.

use experiment::{Data, Evaluation, Program};
use serde::{Deserialize, Serialize};

/// What one has to know to trust weights, or to make them again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The command line that began the training.
    pub command: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The program, with the revision of its source where that is known.
    pub program: Program,
    /// What it was trained on.
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
