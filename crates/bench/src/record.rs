//! The record of a benchmark, as a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use experiment::{Machine, Program};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
        let record = Self::parse(&text);
        record.map_err(|error| anyhow!("{name}: {error}; measure again with cargo xtask bench"))
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(file, text).map_err(|cause| anyhow!("cannot write {}: {cause}", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| anyhow!("expected JSON, got {error}"))?;
        let schema = value.get("schema").and_then(Value::as_u64);
        let got = schema.map_or_else(|| "none".to_owned(), |schema| schema.to_string());
        let expected = Some(u64::from(SCHEMA));
        ensure!(schema == expected, "expected a benchmark of schema {SCHEMA}, got {got}");
        let record: Self = serde_json::from_value(value)
            .map_err(|error| anyhow!("expected the fields of the schema, got {error}"))?;
        let mut names = BTreeSet::new();
        for Measurement { name, seconds, work, .. } in &record.measurements {
            ensure!(names.insert(name), "expected names that differ, got {name:?} twice");
            let positive = seconds.iter().all(|s| s.is_finite() && *s > 0.0);
            let timed = positive && !seconds.is_empty();
            ensure!(timed, "expected times above 0 of {name}, got {seconds:?}");
            ensure!(work.amount() > 0, "expected work of {name}, got none");
        }
        Ok(record)
    }

    /// The measurement of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| measurement.name == name)
    }

    /// The speed of the machine's arithmetic or memory on so many threads, in units of 10⁹.
    #[must_use]
    pub fn limit(&self, subject: &Subject, threads: usize) -> Option<Quartiles> {
        let of = |m: &&Measurement| m.subject == *subject && m.threads == threads;
        self.measurements.iter().find(of).map(Measurement::speed)
    }

    /// The share of what the machine can do at most that a measurement reached, by medians; nothing
    /// of what is neither arithmetic nor memory.
    #[must_use]
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
    #[must_use]
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
    fn a_record_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bench.json");
        let more = record();
        // Without other frameworks as records were before there were any.
        let fewer = Record { frameworks: Vec::new(), ..record() };
        for record in [&more, &fewer] {
            record.write(&file).unwrap();
            assert_eq!(Record::read(&file).unwrap(), *record);
        }
        assert!(!fs::read_to_string(&file).unwrap().contains("frameworks"));
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
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut value = serde_json::to_value(record()).unwrap();
            change(&mut value);
            fs::write(&file, value.to_string()).unwrap();
            Record::read(&file).unwrap_err().to_string()
        };
        fn second(value: &mut Value) -> &mut Value {
            &mut value["measurements"][1]
        }
        for (error, expected) in [
            (changed(&|v| v["schema"] = 9.into()), "expected a benchmark of schema 1, got 9"),
            (changed(&|v| v["schema"] = "1".into()), "got none"),
            (changed(&|v| v["extra"] = 1.into()), "unknown field `extra`"),
            (changed(&|v| v["date"] = 1.into()), "the fields of the schema"),
            (changed(&|v| second(v)["name"] = "machine/fma".into()), "got \"machine/fma\" twice"),
            (changed(&|v| second(v)["seconds"][0] = 0.into()), "times above 0 of step/air-10/ours"),
            (changed(&|v| second(v)["seconds"] = serde_json::json!([])), "times above 0"),
        ] {
            assert!(error.contains(expected), "{error}");
        }
        fs::write(&file, "{").unwrap();
        assert!(Record::read(&file).unwrap_err().to_string().contains("expected JSON"));
    }
}
