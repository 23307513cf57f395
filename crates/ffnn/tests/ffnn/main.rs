//! The Iris experiment: trainings, sweeps, and the program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;
mod sweep;
mod training;

use datasets::{Preprocess, Splits};
use numerics::Scalar;

fn iris<T: Scalar>() -> Splits<T> {
    Splits::iris().unwrap().preprocess(Preprocess::Standardise).unwrap()
}
