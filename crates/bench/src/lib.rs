//! How fast kernels and training steps are: measuring, and the record of what was measured.
//!
//! A [`Case`] is something to be timed. Cases run in turn, round after round ([`run`]), so that what
//! else the machine does meets all of them alike. A comparison is the median of the ratios within a
//! round, never the ratio of two runs that were far apart. The [`Record`] keeps every single time;
//! medians, quartiles, speeds and ratios follow from it.
//!
//! `cargo xtask bench` runs the program; the performance chapter of the book reads its record.

mod convolutions;
mod machine;
mod measurement;
mod memory_bound;
mod models;
mod peer;
mod products;
mod quartiles;
mod record;
mod rounds;
mod steps;

pub use convolutions::{AIR_CONVOLUTIONS, Convolution, convolution_cases};
pub use machine::{machine_cases, vector_lanes};
pub use measurement::{By, Measurement, Pass, Subject, Work};
pub use memory_bound::{memory_bound_cases, traffic};
pub use models::BenchModel;
pub use peer::{Introduction, Peer};
pub use products::product_cases;
pub use quartiles::Quartiles;
pub use record::{Compiler, Framework, PeakMemory, Record, SCHEMA, StepProfile, Torch};
pub use rounds::{Case, Run, Sample, run};
pub use steps::{inference_case, profile_step, step_case, steps_for_peak_memory};
