//! The optimiser and the schedules of its learning rate.
//!
//! [`Sgd`] changes one parameter tensor at a time and remembers a velocity for each, by name. The
//! learning rate is not its business: a [`Schedule`] says what it is at each step.
//!
//! ```
//! use ndarray::array;
//! use optim::{ScheduleConfig, SgdConfig, Step};
//!
//! let schedule = ScheduleConfig::Constant { lr: 0.5 }.build()?;
//! let mut sgd = SgdConfig { momentum: 0.5, ..SgdConfig::default() }.build::<f64>()?;
//! let step = |t| Step { lr: schedule.lr(t), decays: true };
//! let (mut p, gradient) = (array![8.0].into_dyn(), array![2.0].into_dyn());
//! sgd.update("W", &mut p, &gradient, step(0))?; // v = 0.5 * 2, p = 8 - 1
//! sgd.update("W", &mut p, &gradient, step(1))?; // v = 0.5 * 1 + 0.5 * 2, p = 7 - 1.5
//! assert_eq!(p, array![5.5].into_dyn());
//! # Ok::<(), optim::OptimError>(())
//! ```

mod constant;
mod cycle;
mod error;
mod exponential;
mod one_cycle;
mod schedule;
mod sgd;
mod triangular;

pub use constant::Constant;
pub use cycle::Cycle;
pub use error::OptimError;
pub use exponential::Exponential;
pub use one_cycle::OneCycle;
pub use schedule::{Schedule, ScheduleConfig};
pub use sgd::{Sgd, SgdConfig, Step};
pub use triangular::Triangular;
