//! Training: the loop of every network, image classifiers with a description from which they are built again, checkpoints.
//!
//! A [`Learner`] is the loop: it takes a network, or anything [`Trainable`], from event to event, with
//! mini-batches from a [`BatchSource`].
//!
//! For images there is more around it. A [`ModelSpec`] describes a model; [`Model::build`] draws its
//! weights. A [`Run`] begins or continues a training and its record, and [`Run::train`] goes on until all
//! epochs are done or an [`Interrupt`] asks to stop. The result has the same bits for any number of
//! threads, and however often it was interrupted and continued.
//!
//! [`Tasks`] are independent runs of one command, done by any number of processes.
//!
//! The command `kaggle train` (`crates/kaggle/src/train_command.rs`) has all of it in use.

mod airbench;
mod batch_source;
mod checkpoint;
mod command_line;
mod difference;
mod error;
mod interrupt;
mod job_script;
mod layer_spec;
mod learner;
mod model;
mod model_spec;
mod monitor;
mod progress;
mod run;
mod run_config;
mod run_state;
mod step_table;
mod tasks;
mod tensor_file;

pub use airbench::airbench_layers;
pub use batch_source::{BatchSource, ImageBatches};
pub use checkpoint::Checkpoint;
pub use command_line::{UsageError, command_line};
pub use error::TrainingError;
pub use interrupt::{INTERRUPTED, Interrupt};
pub use layer_spec::LayerSpec;
pub use learner::{Event, Learner, Step, Trainable};
pub use model::Model;
pub use model_spec::ModelSpec;
pub use monitor::Monitor;
pub use progress::Progress;
pub use run::{Finished, Run};
pub use run_config::RunConfig;
pub use run_state::{Best, Position, Provenance};
pub use step_table::{StepRow, StepTable};
pub use tasks::{Claim, TaskOptions, Tasks};
