//! The optimisers and the schedules of their learning rates.
//!
//! [`Sgd`] and [`Muon`] change one parameter tensor at a time and remember a velocity for each, by
//! name. The learning rate is not their business: a [`Schedule`] says what it is at each step. Where
//! parameters of one network differ in optimiser or schedule, [`Grouped`] finds the one to ask.
//!
//! ```
//! use ndarray::array;
//! use optim::{Schedule, SgdConfig, Step};
//!
//! let schedule = Schedule::Constant { lr: 0.5 }.build()?;
//! let mut sgd = SgdConfig { momentum: 0.5, ..SgdConfig::default() }.build::<f64>()?;
//! let step = |t| Step { lr: schedule.rate(t), decays: true };
//! let (mut p, gradient) = (array![8.0].into_dyn(), array![2.0].into_dyn());
//! sgd.update("W", &mut p, &gradient, step(0))?; // v = 0.5 * 2, p = 8 - 1
//! sgd.update("W", &mut p, &gradient, step(1))?; // v = 0.5 * 1 + 0.5 * 2, p = 7 - 1.5
//! assert_eq!(p, array![5.5].into_dyn());
//! # Ok::<(), optim::OptimError>(())
//! ```

mod error;
mod grouped;
mod muon;
mod newton_schulz;
mod norm;
mod parameter_group;
mod schedule;
mod sgd;
mod velocities;

pub use error::OptimError;
pub use grouped::Grouped;
pub use muon::{Muon, MuonConfig};
pub use newton_schulz::{NEWTON_SCHULZ, NORM_EPS, orthogonalise};
pub use parameter_group::{OptimiserConfig, ParameterGroup};
pub use schedule::{Cycle, Schedule};
pub use sgd::{Sgd, SgdConfig, Step};
pub use velocities::Velocities;
