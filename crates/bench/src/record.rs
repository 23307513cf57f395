//! The record of a benchmark, as a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use experiment::{Machine, Program};
use serde::{Deserialize, Serialize};
use training::StepTable;

use crate::{By, Measurement, Spread, Subject};

/// The version of the schema that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// All that a benchmark has measured, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The command line.
    pub command: String,
    /// When it began: `2026-01-31T23:59:59Z`.
    pub date: String,
    /// The program, with the revision of its source.
    pub program: Program,
    /// How it was compiled.
    pub compiler: Compiler,
    /// The machine.
    pub machine: Machine,
    /// The processor's instruction sets, of those that matter.
    pub features: Vec<String>,
    /// How many `f32` are in a vector of the measured peak.
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
    /// What was timed.
    pub measurements: Vec<Measurement>,
    /// Where the time of steps goes.
    pub profiles: Vec<StepProfile>,
    /// How much memory trainings take.
    pub memory: Vec<PeakMemory>,
}

/// How a program was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compiler {
    /// What `rustc --version` says.
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
    /// Whose measurements are its own.
    pub by: By,
    /// What it is called, with its backend.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it updates parameters with.
    pub optimiser: String,
}

/// Where the time of a model's step goes.
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

/// How much memory a process takes that only trains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeakMemory {
    /// The model.
    pub model: String,
    /// Examples in a step.
    pub batch: usize,
    /// Whose training it is.
    pub by: By,
    /// Bytes.
    pub bytes: u64,
}

/// A record that is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read or written.
    #[error("cannot {action} {}: {cause}", file.display())]
    Io {
        /// What failed.
        action: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: expected {expected}, got {got}; measure again with cargo xtask bench", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
}

impl Record {
    /// Reads a record and checks it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn read(file: &Path) -> Result<Self, RecordError> {
        let io = |cause| RecordError::Io { action: "read", file: file.to_owned(), cause };
        let text = fs::read_to_string(file).map_err(io)?;
        let invalid = |expected: &str, got: String| RecordError::Invalid {
            file: file.to_owned(),
            expected: expected.to_owned(),
            got,
        };
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| invalid("JSON", error.to_string()))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_u64);
        if schema != Some(u64::from(SCHEMA)) {
            let got = schema.map_or_else(|| "none".to_owned(), |schema| schema.to_string());
            return Err(invalid(&format!("a benchmark of schema {SCHEMA}"), got));
        }
        let record: Self = serde_json::from_value(value)
            .map_err(|error| invalid("the fields of the schema", error.to_string()))?;
        record.check().map_err(|(expected, got)| invalid(&expected, got))?;
        Ok(record)
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn write(&self, file: &Path) -> Result<(), RecordError> {
        let io = |cause| RecordError::Io { action: "write", file: file.to_owned(), cause };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| io(error.into()))?;
        text.push('\n');
        fs::write(file, text).map_err(io)
    }

    /// What was expected and what came, if that is not the same.
    fn check(&self) -> Result<(), (String, String)> {
        let mut names = BTreeSet::new();
        for measurement in &self.measurements {
            let Measurement { name, seconds, work, .. } = measurement;
            if !names.insert(name) {
                return Err(("names that differ".to_owned(), format!("{name:?} twice")));
            }
            if seconds.is_empty() || seconds.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
                let expected = format!("times above 0 of {name}");
                return Err((expected, format!("{seconds:?}")));
            }
            if work.amount() == 0 {
                return Err((format!("work of {name}"), "none".to_owned()));
            }
        }
        Ok(())
    }

    /// The measurement of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| measurement.name == name)
    }

    /// The speed of the machine's arithmetic or memory on so many threads, in units of 10⁹.
    #[must_use]
    pub fn limit(&self, subject: &Subject, threads: usize) -> Option<Spread> {
        let found =
            self.measurements.iter().find(|m| m.subject == *subject && m.threads == threads);
        found.map(Measurement::speed)
    }

    /// The share of what the machine can do at most that a measurement reached, by medians; nothing
    /// of what is neither arithmetic nor memory.
    #[must_use]
    pub fn share(&self, measurement: &Measurement) -> Option<f64> {
        let limit = match measurement.work {
            crate::Work::Flop(_) => Subject::Peak,
            crate::Work::Bytes(_) => Subject::Copy,
            crate::Work::Examples(_) => return None,
        };
        let limit = self.limit(&limit, measurement.threads)?;
        Some(measurement.speed().median / limit.median)
    }

    /// The same as `measurement`, by somebody else.
    #[must_use]
    pub fn peer(&self, measurement: &Measurement, by: By) -> Option<&Measurement> {
        let (key, _) = measurement.name.rsplit_once('/')?;
        self.find(&format!("{key}/{by}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Work;
    use crate::measurement::tests::measurement;

    fn record() -> Record {
        let step = |by, seconds: &[f64]| {
            measurement(&format!("step/air-10/{by}"), by, Work::Examples(10), seconds)
        };
        let mut peak = measurement("machine/fma", By::Ours, Work::Flop(4_000_000_000), &[2.0]);
        peak.subject = Subject::Peak;
        Record {
            schema: SCHEMA,
            command: "cargo xtask bench".to_owned(),
            date: "2026-01-31T23:59:59Z".to_owned(),
            program: Program { name: "bench".into(), version: "0".into(), revision: None },
            compiler: Compiler { rustc: None, release: true },
            machine: Machine { arch: "x".into(), os: "y".into(), cores: 2, cpu: None },
            features: vec!["avx2".to_owned()],
            lanes: 8,
            threads: 2,
            rounds: 2,
            torch: None,
            frameworks: Vec::new(),
            measurements: vec![
                peak,
                step(By::Ours, &[0.1, 1.0 / 3.0]),
                step(By::Pytorch, &[0.2, 0.5]),
            ],
            profiles: Vec::new(),
            memory: vec![PeakMemory {
                model: "air".into(),
                batch: 10,
                by: By::Ours,
                bytes: 1 << 30,
            }],
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bench.json");
        // Without other frameworks as records were before there were any.
        record().write(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap(), record());
        assert!(!fs::read_to_string(&file).unwrap().contains("frameworks"));
        let [name, version, optimiser] = ["candle", "1", "SGD"].map(str::to_owned);
        let frameworks = vec![Framework { by: By::Candle, name, version, optimiser }];
        let more = Record { frameworks, ..record() };
        more.write(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap(), more);
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
        assert!(matches!(Record::read(&file), Err(RecordError::Io { .. })));
        let changed = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut value = serde_json::to_value(record()).unwrap();
            change(&mut value);
            fs::write(&file, value.to_string()).unwrap();
            Record::read(&file).unwrap_err().to_string()
        };
        for (error, expected) in [
            (changed(&|v| v["schema"] = 9.into()), "expected a benchmark of schema 1, got 9"),
            (changed(&|v| v["schema"] = "1".into()), "got none"),
            (changed(&|v| v["extra"] = 1.into()), "unknown field `extra`"),
            (changed(&|v| v["date"] = 1.into()), "the fields of the schema"),
            (
                changed(&|v| v["measurements"][1]["name"] = "machine/fma".into()),
                "got \"machine/fma\" twice",
            ),
            (
                changed(&|v| v["measurements"][1]["seconds"][0] = 0.into()),
                "times above 0 of step/air-10/ours",
            ),
            (
                changed(&|v| v["measurements"][1]["seconds"] = serde_json::json!([])),
                "times above 0",
            ),
        ] {
            assert!(error.contains(expected), "{error}");
        }
        fs::write(&file, "{").unwrap();
        assert!(Record::read(&file).unwrap_err().to_string().contains("expected JSON"));
    }
}
