//! The record of a benchmark, as a file.

use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use experiment::{Machine, Program};
use serde::{Deserialize, Serialize};
use training::StepTable;

use crate::{By, Measurement, Quartiles, Subject, Work};

/// The version of the schema that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// The measurements of a benchmark, and the circumstances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The command line.
    pub command: String,
    /// The beginning: `2026-01-31T23:59:59Z`.
    pub date: String,
    /// The program, with the revision of its source.
    pub program: Program,
    /// Its compiler.
    pub compiler: Compiler,
    /// The machine.
    pub machine: Machine,
    /// The processor's instruction sets, of those that matter.
    pub features: Vec<String>,
    /// The `f32` in a vector of the measured peak.
    pub lanes: usize,
    /// Threads, unless a case says otherwise.
    pub threads: usize,
    /// Rounds.
    pub rounds: usize,
    /// PyTorch, if it took part.
    pub torch: Option<Torch>,
    /// The other frameworks that took part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<Framework>,
    /// The cases that were timed.
    pub measurements: Vec<Measurement>,
    /// The parts of training steps.
    pub profiles: Vec<StepProfile>,
    /// The memory of trainings.
    pub memory: Vec<PeakMemory>,
}

/// The compiler of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compiler {
    /// The output of `rustc --version`.
    pub rustc: Option<String>,
    /// Whether debug assertions are off, as in the profile `release`.
    pub release: bool,
}

/// The PyTorch that took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Torch {
    /// Its version.
    pub version: String,
    /// The version of Python.
    pub python: String,
    /// The environment of the process whose allocator keeps memory.
    pub tuned: Vec<String>,
}

/// A framework in Rust that took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// The author of its measurements.
    pub by: By,
    /// Its name, with its backend.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its optimiser.
    pub optimiser: String,
}

/// The parts of a model's training step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepProfile {
    /// The model.
    pub model: String,
    /// Examples in a step.
    pub batch: usize,
    /// The parts.
    pub table: StepTable,
}

/// The peak memory of a process that only trains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeakMemory {
    /// The model.
    pub model: String,
    /// Examples in a step.
    pub batch: usize,
    /// The author of the training.
    pub by: By,
    /// Bytes.
    pub bytes: u64,
}

impl Record {
    /// Reads a record and checks it.
    ///
    /// # Errors
    /// If the file cannot be read, or is not what this crate writes.
    pub fn read(file: &Path) -> Result<Self> {
        let name = file.display();
        let text = fs::read_to_string(file);
        let text = text.map_err(|cause| anyhow!("cannot read {name}: {cause}"))?;
        let error = |what: String| anyhow!("{name}: {what}; measure again with cargo xtask bench");
        let record: Self = serde_json::from_str(&text).map_err(|cause| {
            error(format!("expected the fields of schema {SCHEMA}, got {cause}"))
        })?;
        ensure!(
            record.schema == SCHEMA,
            error(format!("expected a benchmark of schema {SCHEMA}, got {}", record.schema))
        );
        for Measurement { name, seconds, .. } in &record.measurements {
            let timed = !seconds.is_empty() && seconds.iter().all(|s| s.is_finite() && *s > 0.0);
            ensure!(timed, error(format!("expected times above 0 of {name}, got {seconds:?}")));
        }
        Ok(record)
    }

    /// Writes it.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(file, text).map_err(|cause| anyhow!("cannot write {}: {cause}", file.display()))
    }

    /// The measurement of this name.
    pub fn find(&self, name: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| measurement.name == name)
    }

    /// The speed of the machine's arithmetic or memory on so many threads, in units of 10⁹.
    pub fn limit(&self, subject: &Subject, threads: usize) -> Option<Quartiles> {
        let of = |m: &&Measurement| m.subject == *subject && m.threads == threads;
        self.measurements.iter().find(of).map(Measurement::speed)
    }

    /// The share of what the machine can do at most that a measurement reached, by medians; nothing
    /// of what is neither arithmetic nor memory.
    pub fn share(&self, measurement: &Measurement) -> Option<f64> {
        let limit = match measurement.work {
            Work::Flop(_) => Subject::Peak,
            Work::Bytes(_) => Subject::Copy,
            Work::Examples(_) => return None,
        };
        let limit = self.limit(&limit, measurement.threads)?;
        Some(measurement.speed().median / limit.median)
    }

    /// The same as `measurement`, by somebody else.
    pub fn peer(&self, measurement: &Measurement, by: By) -> Option<&Measurement> {
        self.find(&format!("{}/{by}", measurement.key()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurement::tests::measurement;

    /// The record of the book, with these measurements.
    fn record() -> Record {
        let file =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/records/performance/bench.json");
        let step = |by, seconds: &[f64]| {
            measurement(&format!("step/air-10/{by}"), by, Work::Examples(10), seconds)
        };
        let mut peak = measurement("machine/fma", By::Ours, Work::Flop(4_000_000_000), &[2.0]);
        peak.subject = Subject::Peak;
        let [ours, theirs] = [step(By::Ours, &[0.1, 1.0 / 3.0]), step(By::Pytorch, &[0.2, 0.5])];
        Record { measurements: vec![peak, ours, theirs], ..Record::read(Path::new(file)).unwrap() }
    }

    #[test]
    fn peers_and_shares_are_found() {
        let record = record();
        let ours = record.find("step/air-10/ours").unwrap();
        let theirs = record.peer(ours, By::Pytorch).unwrap();
        // 2 and 1.5 times as fast.
        assert!((ours.ratio(theirs).median - 1.75).abs() < 1e-12);
        assert_eq!(record.peer(ours, By::PytorchTuned), None);
        assert_eq!(record.share(ours), None);
        // 2 GFLOP/s of the peak's 2 GFLOP/s.
        let product = measurement("product", By::Ours, Work::Flop(1_000_000_000), &[0.5]);
        assert_eq!(record.share(&product), Some(1.0));
        let elsewhere = Measurement { threads: 3, ..product };
        assert_eq!(record.share(&elsewhere), None);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bench.json");
        let error = Record::read(&file).unwrap_err().to_string();
        assert!(error.starts_with("cannot read "), "{error}");
        let changed = |from: &str, to: &str| {
            fs::write(&file, serde_json::to_string(&record()).unwrap().replacen(from, to, 1))
                .unwrap();
            Record::read(&file).unwrap_err().to_string()
        };
        for (from, to, expected) in [
            ("\"schema\":1", "\"schema\":9", "expected a benchmark of schema 1, got 9"),
            ("\"schema\":1", "\"extra\":1", "unknown field `extra`"),
            ("[2.0]", "[0.0]", "times above 0 of machine/fma, got [0.0]"),
            ("[2.0]", "[]", "times above 0"),
        ] {
            let error = changed(from, to);
            assert!(error.contains(expected), "{error}");
        }
    }
}
