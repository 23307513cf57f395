//! The record of how fast kernels and training steps are.
//!
//! A [`Record`] keeps every single time; medians, quartiles, speeds and ratios follow from it. A comparison is
//! the median of the ratios within a round, never the ratio of two runs that were far apart.
//!
//! The program, `cargo xtask bench`, measures and writes it; the performance chapter of the book reads it.

mod measurement;
mod quartiles;
mod record;

pub use measurement::{By, Measurement, Pass, Subject, Work, output_side};
pub use quartiles::Quartiles;
pub use record::{Compiler, Framework, PeakMemory, Record, SCHEMA, StepProfile, Torch};
