//! The record of a training: what every program of the workspace writes, and what the book reads.
//!
//! There is one schema, [`SCHEMA`], and one logger, [`Logger`]. Every number in a record is finite. The record
//! of a sweep, which has others, is that of the crate `ffnn`.
//!
//! # A run: `experiments/<model_name>/`
//!
//! | file | content |
//! |---|---|
//! | `config.toml` | a [`Config`]: `schema`, `model_name`, `command`, `seed`, `dtype` (always `"f32"`), `[data]` (`name`, `sha256`, `train`, `validation`, `test`: examples), `[hyperparameters]` (whatever the program has) |
//! | `metrics.csv` | [`Metrics`] by iteration: `epoch`, `iteration`, `lr`, `batch_loss`, `train_loss`, `train_error`, `val_loss`, `val_error`, `weight_norm`; the last five only in the last row of an epoch. Row 0 is the state before training, without `lr` and `batch_loss` |
//! | `summary.json` | a [`Summary`]: `schema`, `status` (`"running"`, `"interrupted"`, `"finished"`, `"diverged"`), `epochs`, `iterations`, `train`, `validation`, `test` (each `null` or `examples`, `wrong`, `loss`, `error`), `diverged` (`null` or `epoch`, `iteration`, `quantity`, `value`), `wall_seconds`, `peak_memory_bytes` (absent where unknown), `machine`, `program` |
//! | `parameters.npz` | the learned parameters by name; `ffnn` writes `"{layer}.{parameter}"`, the layer counted from 0: `numpy.load("parameters.npz")["0.W"]` |
//! | `loss.svg` | loss by iteration |
//! | `accuracy.svg` | accuracy by epoch, if the run is of a classifier |
//! | `checkpoints/last.safetensors`, `checkpoints/best.safetensors` | what the crate `training` continues from ([`LAST_CHECKPOINT`]), and the epoch with the smallest validation error ([`BEST_CHECKPOINT`]) |
//!
//! An error is the fraction of examples that are classified wrongly, or the loss where nothing is
//! classified. `parameters.npz` may be left out of a committed copy.
//!
//! A run that classifies images also has what [`Predictions::write`] writes, of its test set if it
//! was tested, else of its validation set:
//!
//! | file | content |
//! |---|---|
//! | `confusion.csv` | a [`Confusion`]: the column `true`, then one for each class; a row for each true class, with how often it was taken for which |
//! | `confusion.svg` | the same, drawn |
//! | `samples.svg` | the first images, with what was predicted |
//! | `confused.svg`, `mistakes.svg` | the most frequent mistakes with images, and the surest; absent if there is none |
//! | `filters.svg` | the weights of the first layer as pictures, if they are that |
//!
//! `config.toml` and `metrics.csv` exist from the start, and each row reaches the file at once, so that a crash
//! keeps the log. Everything else is written to a temporary file, brought to the disk and renamed. A
//! finished or diverged run is only overwritten if the caller asks for it, and so is one that can be
//! continued: an interrupted run, or a crashed one (status `running`, no process holds the lock on its
//! `metrics.csv`) with a checkpoint. A crashed run without a checkpoint is replaced; a run in
//! progress never is. A run that diverges keeps its log.
//!
//! [`Logger::resume`] continues a run from a checkpoint. `metrics.csv` becomes what it was then, to
//! the byte: the rows behind it are dropped. `wall_seconds` adds
//! up; `machine` and `program` are those of the last part. `config.toml` keeps the command that
//! began the run, unless a hyperparameter (the number of epochs) was changed to continue it.
//!
//! Plots have a transparent background and the colours of [`palette`] only, which a renderer can
//! replace by the CSS variables named there; photographs in them are PNG in data URIs.

pub mod canvas;
mod config;
mod confusion;
mod confusion_plot;
mod error;
pub mod files;
mod filters;
mod image_grid;
mod line_chart;
mod logger;
mod metrics;
mod model_name;
pub mod palette;
mod picture;
mod predictions;
mod provenance;
mod record;
mod resume;
mod run_plots;
mod spread;
mod summary;

pub use config::{Config, Data, Dtype};
pub use confusion::{ConfusedPair, Confusion};
pub use error::ExperimentError;
pub use files::{SCHEMA, default_root};
pub use line_chart::{LineChart, Series};
pub use logger::{BEST_CHECKPOINT, CHECKPOINTS, LAST_CHECKPOINT, Logger};
pub use metrics::{EpochMetrics, History, IterationMetrics, Metrics, MetricsSink};
pub use model_name::ModelName;
pub use predictions::Predictions;
pub use provenance::{Machine, Program, peak_memory};
pub use record::Record;
pub use resume::ResumePoint;
pub use spread::Spread;
pub use summary::{Divergence, Evaluation, Status, Summary, status};
