//! The Iris experiment of question 5: one training, or a sweep over learning rates and hidden sizes.
//!
//! An [`IrisConfig`] has the hyperparameters of a training, and [`IrisConfig::run`] trains with them. A
//! [`Grid`] has those of many; [`sweep`] runs them all and chooses on validation, and [`compare`] says
//! whether a record is reproduced.
//!
//! The network is the crate [`network`], the training loop the crate [`training`].

mod error;
mod grid;
mod hidden;
mod iris;
mod sweep;
mod sweep_check;
mod sweep_plots;

pub use error::FfnnError;
pub use grid::{Grid, GridSet};
pub use hidden::Hidden;
pub use iris::{Decay, Hyperparameters, IrisConfig, Outcome};
pub use network::NeuralNetwork;
pub use sweep::{SweepOutcome, sweep};
pub use sweep_check::{Agreement, compare};
pub use sweep_plots::sweep_plots;
