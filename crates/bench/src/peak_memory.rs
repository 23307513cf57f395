//! How much memory a training takes.

use anyhow::{Context, Result};
use experiment::peak_memory;

use crate::BenchModel;
use crate::steps::Trainer;

/// Steps after which no more memory is taken than before: the first makes gradients and velocities.
const STEPS: usize = 3;

/// Makes some training steps and nothing else, in a process of its own, and returns its peak.
///
/// # Errors
/// If the model cannot be built, or the system does not tell the peak.
pub fn steps_for_peak_memory(model: &BenchModel, batch: usize) -> Result<u64> {
    let mut trainer = Trainer::new(model, batch)?;
    for _ in 0..STEPS {
        trainer.step()?;
    }
    peak_memory().context("this system does not tell the peak memory; Linux does")
}
