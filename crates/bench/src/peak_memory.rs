//! How much memory a training takes.

use std::fs;

use anyhow::{Context, Result};

use crate::BenchModel;
use crate::steps::Trainer;

/// Steps after which no more memory is taken than before: the first makes gradients and velocities.
const STEPS: usize = 3;

/// Makes some training steps and nothing else, in a process of its own, and returns its peak.
///
/// # Errors
/// If the model cannot be built, or the peak cannot be read.
pub fn steps_for_peak_memory(model: &BenchModel, batch: usize) -> Result<u64> {
    let mut trainer = Trainer::new(model, batch)?;
    for _ in 0..STEPS {
        trainer.step()?;
    }
    peak_memory_of_this_process()
}

/// The largest number of bytes that this process has had in memory so far (Linux).
///
/// # Errors
/// If the system does not say.
pub fn peak_memory_of_this_process() -> Result<u64> {
    const FILE: &str = "/proc/self/status";
    let text = fs::read_to_string(FILE)
        .with_context(|| format!("cannot read the peak memory from {FILE}, which Linux has"))?;
    high_water_mark(&text).with_context(|| format!("{FILE} has no line `VmHWM: N kB`"))
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kilobytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_and_read() {
        let status = "Name:\tbench\nVmPeak:\t 9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(high_water_mark(status), Some(2 * 1024 * 1024));
        assert_eq!(high_water_mark("Name:\tbench\n"), None);
        assert_eq!(high_water_mark("VmHWM:\t2048 pages\n"), None);
    }
}
