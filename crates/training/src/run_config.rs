//! The configuration of a training.

use numerics::Scalar;
use optim::{Grouped, ParameterGroup, Schedule, SgdConfig};
use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// All that a training depends on, besides the model and the number of threads, which it does not
/// depend on. A run is continued with the same configuration; only `epochs` may grow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The number of times that every example is seen.
    pub epochs: u64,
    /// The number of examples in a mini-batch.
    pub batch_size: usize,
    /// The seed of everything random.
    pub seed: u64,
    /// The optimiser of the parameters in no group.
    pub sgd: SgdConfig,
    /// Their learning rate, by iteration.
    pub schedule: Schedule,
    /// Parameters with an optimiser or a schedule of their own; usually none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ParameterGroup>,
    /// The share of a training target that is spread evenly over all classes, in `[0, 1)`.
    pub label_smoothing: f64,
    /// The change of training images, as [`Augmentation`](datasets::Augmentation) displays it.
    pub augmentation: String,
    /// The SHA-256 of the data.
    pub data_sha256: String,
}

impl RunConfig {
    /// Checks optimiser, schedules and epochs; sources of mini-batches check their size.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] or [`TrainingError::Optim`] with the first number that is out of range.
    pub fn validate(&self) -> Result<(), TrainingError> {
        self.optimiser::<f64>()?;
        if self.epochs == 0 {
            return Err(TrainingError::config("the number of epochs", "at least 1", 0));
        }
        Ok(())
    }

    /// The optimiser of all parameters, at rest.
    pub(crate) fn optimiser<T: Scalar>(&self) -> Result<Grouped<T>, TrainingError> {
        Ok(Grouped::new(self.sgd, self.schedule, &self.groups)?)
    }

    /// Whether a schedule has an end: that of the run, or of one of its groups.
    pub(crate) fn schedules_end(&self) -> bool {
        let of_groups = self.groups.iter().filter_map(|group| group.schedule);
        of_groups.chain([self.schedule]).any(|schedule| schedule.total_steps().is_some())
    }
}
