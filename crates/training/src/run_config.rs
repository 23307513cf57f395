//! How a model is trained.

use optim::{ScheduleConfig, SgdConfig};
use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// All that a training depends on, besides the model and the number of threads, which it does not
/// depend on. A run is continued with the same configuration; only `epochs` may grow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// How often every example is seen.
    pub epochs: u64,
    /// The number of examples in a mini-batch.
    pub batch_size: usize,
    /// The seed of everything random.
    pub seed: u64,
    /// The optimiser.
    pub sgd: SgdConfig,
    /// The learning rate, by iteration.
    pub schedule: ScheduleConfig,
    /// The share of a training target that is spread evenly over all classes, in `[0, 1)`.
    pub label_smoothing: f64,
    /// What is done to training images, as [`Augment::description`](crate::Augment::description)
    /// says it.
    pub augmentation: String,
    /// The SHA-256 of the data.
    pub data_sha256: String,
}

impl RunConfig {
    pub(crate) fn validate(&self) -> Result<(), TrainingError> {
        let invalid = |what, expected: &str, got: String| {
            Err(TrainingError::Config { what, expected: expected.to_owned(), got })
        };
        if self.epochs == 0 {
            return invalid("the number of epochs", "at least 1", "0".to_owned());
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            let got = self.label_smoothing.to_string();
            return invalid("the label smoothing", "in [0, 1)", got);
        }
        self.sgd.build::<f32>()?;
        self.schedule.build()?;
        Ok(())
    }

    /// The number of steps for which the schedule was made, if it has an end.
    pub(crate) fn schedule_steps(&self) -> Option<u64> {
        match self.schedule {
            ScheduleConfig::Constant { .. } | ScheduleConfig::Exponential { .. } => None,
            ScheduleConfig::Triangular { total_steps, .. }
            | ScheduleConfig::OneCycle { total_steps, .. } => Some(total_steps),
        }
    }
}
