//! The Iris experiment of question 5: one training, or a sweep over learning rates and hidden sizes.
//!
//! An [`IrisConfig`] has the hyperparameters of a training, and [`IrisConfig::run`] trains with them. A
//! [`Grid`] has those of many; [`sweep`] runs them all and chooses on validation. The program does the same set by
//! set: [`run_set`] is a task, whose result is kept in `experiments/<model_name>.tasks/` until all are there to
//! [`choose`] from.
//!
//! The network is the crate [`network`], the training loop the crate [`training`]. The record of a training
//! is that of the crate [`experiment`].
//!
//! # The record of a sweep: `experiments/<model_name>/`
//!
//! | file | content |
//! |---|---|
//! | `sweep.toml` | a [`SweepConfig`]: `schema`, `model_name`, `command`, `dtype`, `seeds`, `selection` (the rule, in words), `[data]`, `[[axes]]` (`name`, `values`), `[hyperparameters]` (those that do not vary) |
//! | `runs.csv` | one row a run: `set`, `lr`, `hidden`, `seed`, `status`, `train_loss`, `train_error`, `val_loss`, `val_error` (empty if it diverged) |
//! | `table.csv` | one row a set: `set`, `role` (`candidate` or `baseline`), `lr`, `hidden`, `runs`, `diverged`, `train_loss_mean`, `train_error_mean`, `val_loss_mean`, `val_loss_sd`, `val_error_mean`, `val_error_sd` (empty if a run diverged) |
//! | `summary.json` | a [`SweepSummary`]: `schema`, `status`, `best` and `baseline` (`null` or a [`Choice`]: the set and its test results over the seeds), `wall_seconds`, `machine`, `program` |
//! | `best/` | the record of the best set's run with the first seed |
//! | `*.svg` | plots |
//!
//! Every `_sd` is the standard deviation of a sample (divisor n - 1). Only the best set and the
//! best baseline are ever tested; both are chosen on validation.

mod feature_plane;
mod grid;
mod iris;
mod loss_plane;
mod sweep;
mod sweep_plots;
mod sweep_record;
mod weight_norm;

pub use feature_plane::FeaturePlane;
pub use grid::Grid;
pub use iris::{Decay, Hidden, Hyperparameters, IrisConfig};
pub use loss_plane::LossPlane;
pub use network::NeuralNetwork;
pub use sweep::{Choice, Role, SweepOutcome, SweepRun, SweepSet, Tested, choose, run_set, sweep};
pub use sweep_plots::sweep_plots;
pub use sweep_record::{Axis, SweepConfig, SweepRecord, SweepSummary};
pub use weight_norm::{WeightNorm, weight_norms};
