//! How a model is trained.

use optim::{Grouped, ParameterGroup, ScheduleConfig, SgdConfig};
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
    /// The optimiser of the parameters in no group.
    pub sgd: SgdConfig,
    /// Their learning rate, by iteration.
    pub schedule: ScheduleConfig,
    /// Parameters with an optimiser or a schedule of their own; usually none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ParameterGroup>,
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
        self.optimiser()?;
        Ok(())
    }

    /// The optimiser of all parameters, at rest.
    pub(crate) fn optimiser(&self) -> Result<Grouped<f32>, TrainingError> {
        Ok(Grouped::new(self.sgd, self.schedule, &self.groups)?)
    }

    /// The schedule with an end that there is, if any: that of the run, or of one of its groups.
    pub(crate) fn ending_schedule(&self) -> Option<u64> {
        let of_groups = self.groups.iter().filter_map(|group| group.schedule);
        std::iter::once(self.schedule).chain(of_groups).find_map(ScheduleConfig::total_steps)
    }

    /// Checks that the schedules were made for a run of so many epochs and steps: that of the run for
    /// all of it, those of groups for all or less.
    pub(crate) fn check_schedules(&self, steps_per_epoch: u64) -> Result<(), TrainingError> {
        let epochs = format!("{} epochs of {steps_per_epoch} steps", self.epochs);
        let Some(total) = self.epochs.checked_mul(steps_per_epoch) else {
            return Err(TrainingError::Config {
                what: "the number of steps of the training",
                expected: format!("at most {}", u64::MAX),
                got: epochs,
            });
        };
        if let Some(planned) = self.schedule.total_steps()
            && planned != total
        {
            return Err(TrainingError::Config {
                what: "the number of steps of the schedule",
                expected: format!("{total}, {epochs}"),
                got: planned.to_string(),
            });
        }
        let of_groups = self.groups.iter().filter_map(|group| group.schedule?.total_steps());
        match of_groups.max() {
            Some(planned) if planned > total => Err(TrainingError::Config {
                what: "the number of steps of the schedule of a parameter group",
                expected: format!("at most {total}, {epochs}"),
                got: planned.to_string(),
            }),
            _ => Ok(()),
        }
    }
}
