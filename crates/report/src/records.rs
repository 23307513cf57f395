//! Committed records of real runs: `book/records/`.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use experiment::{Record, Status, SweepRecord};
use serde_json::Value;

use crate::ablation::Ablation;
use crate::data_checksums::DataChecksums;
use crate::evidence::Evidence;
use crate::network_table::run_network;
use crate::numbers::{percentage, significant};
use crate::performance;
use crate::record_tables::{run_results, sweep_best, sweep_table};
use crate::repeats;
use crate::run_tables::{derived, run_classes, run_config, run_confused, run_epochs, run_groups};

/// The records, and what their data has to be.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
    checksums: DataChecksums,
}

/// A record of either kind.
enum Either {
    Run(Box<Record>),
    Sweep(Box<SweepRecord>),
}

impl Records {
    /// The records in `folder`, whose data has to be data that this workspace knows.
    ///
    /// # Errors
    /// If the data that ships with the workspace is damaged.
    pub fn new(folder: &Path) -> Result<Self> {
        Ok(Self { folder: folder.to_owned(), checksums: DataChecksums::known()? })
    }

    /// A folder in the folder of the records, and in no other.
    fn directory(&self, what: &str, name: &str) -> Result<PathBuf, String> {
        let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let directory = self.folder.join(name);
        match !name.is_empty() && inside && directory.is_dir() {
            true => Ok(directory),
            false => Err(format!("there is no {what} `{name}` in the book's folder records/")),
        }
    }

    /// Reads a record, and refuses one of another schema or of other data.
    fn read(&self, name: &str) -> Result<Either, String> {
        let directory = self.directory("record", name)?;
        let record = match directory.join("sweep.toml").is_file() {
            true => SweepRecord::read(&directory).map(|record| Either::Sweep(Box::new(record))),
            false => Record::read(&directory).map(|record| Either::Run(Box::new(record))),
        };
        let record = record.map_err(|error| format!("the record `{name}` is refused: {error}"))?;
        let (data, status) = match &record {
            Either::Run(run) => (&run.config.data, run.summary.status),
            Either::Sweep(sweep) => (&sweep.config.data, sweep.summary.status),
        };
        let refused = |reason: String| format!("the record `{name}` is refused: {reason}");
        self.checksums.check(data).map_err(refused)?;
        match status {
            Status::Finished => Ok(record),
            other => Err(refused(format!("its status is {other}, not finished"))),
        }
    }

    /// Reads the record of a run.
    pub(crate) fn read_run(&self, name: &str) -> Result<Record, String> {
        match self.read(name)? {
            Either::Run(run) => Ok(*run),
            Either::Sweep(_) => Err(format!("the record `{name}` is a sweep, not a run")),
        }
    }

    /// The table of an ablation, a folder of runs.
    ///
    /// # Errors
    /// If a run is refused, or differs from the baseline in more than its component.
    pub fn ablation(&self, folder: &str) -> Result<String, String> {
        let refused = |reason: String| format!("the ablation `{folder}` is refused: {reason}");
        let directory = self.directory("ablation", folder)?;
        let ablation = Ablation::read(&directory).map_err(refused)?;
        let mut runs = Vec::new();
        for component in ablation.folders() {
            let name = format!("{folder}/{component}");
            let directory = directory.join(component);
            // One run, or a folder with one for each seed.
            let mut of_component = Vec::new();
            if directory.join("config.toml").is_file() {
                of_component.push(self.read_run(&name)?);
            } else {
                for run in self.runs_in(&name)? {
                    of_component.push(self.read_run(&format!("{name}/{run}"))?);
                }
                of_component.sort_by_key(|run| run.config.seed);
            }
            runs.push(of_component);
        }
        ablation.table(&runs).map_err(refused)
    }

    /// The table of runs that differ in their seed alone, a folder of runs.
    ///
    /// # Errors
    /// If a run is refused or differs in more, or they are too few or too bad.
    pub fn repeats(&self, folder: &str, seeds: usize, accuracy: f64) -> Result<String, String> {
        let refused = |reason: String| format!("the runs `{folder}` are refused: {reason}");
        let mut runs = Vec::new();
        for name in self.runs_in(folder)? {
            runs.push(self.read_run(&format!("{folder}/{name}"))?);
        }
        repeats::table(runs, seeds, accuracy).map_err(refused)
    }

    /// The names of the folders in a folder of the records.
    fn runs_in(&self, folder: &str) -> Result<Vec<String>, String> {
        let directory = self.directory("folder", folder)?;
        let entries = disk::entries(&directory)
            .map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
        let folders = entries.iter().filter(|entry| entry.path().is_dir());
        Ok(folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    /// The record of the benchmark.
    ///
    /// # Errors
    /// If it is not there, or is not what it should be.
    pub(crate) fn performance(&self) -> Result<bench::Record, String> {
        let record = bench::Record::read(&self.folder.join(performance::RECORD))
            .map_err(|error| format!("the record `performance` is refused: {error}"))?;
        match record.compiler.release {
            true => Ok(record),
            false => Err("the record `performance` is refused: it was not compiled for release; \
                          measure with cargo xtask bench --json"
                .to_owned()),
        }
    }

    /// A view of the record of the benchmark, as Markdown.
    ///
    /// # Errors
    /// If the record is refused, or lacks what the view shows.
    pub fn performance_view(&self, view: &str) -> Result<String, String> {
        performance::view(&self.performance()?, view)
    }

    /// A value that has to be at least so large, as an item of a list.
    ///
    /// # Errors
    /// If there is no such number, or it is too small.
    pub fn requirement(
        &self,
        name: &str,
        key: &str,
        minimum: f64,
        what: &str,
        evidence: &Evidence,
    ) -> Result<String, String> {
        let shown = self.value(name, key, evidence)?;
        let (path, percent) = key.strip_suffix('%').map_or((key, false), |path| (path, true));
        let value = self.find(name, path, evidence)?.as_f64();
        let least = if percent { percentage(minimum) } else { significant(minimum) };
        match value {
            Some(value) if value >= minimum => {
                Ok(format!("- ✓ {what}: **{shown}** (at least {least})\n"))
            }
            _ => Err(format!("the requirement \"{what}\" is not met: {shown} is not {least}")),
        }
    }

    /// A view of a record, as Markdown.
    ///
    /// # Errors
    /// If the record is refused, or has no such view.
    pub fn view(&self, name: &str, view: &str) -> Result<String, String> {
        let refused = |reason: String| format!("the run `{name}` has no view `{view}`: {reason}");
        match (self.read(name)?, view) {
            (Either::Sweep(sweep), "table") => Ok(sweep_table(&sweep)),
            (Either::Sweep(sweep), "best") => Ok(sweep_best(&sweep)),
            (Either::Run(run), "results") => Ok(run_results(&run)),
            (Either::Run(run), "config") => Ok(run_config(&run)),
            (Either::Run(run), "groups") => run_groups(&run).map_err(refused),
            (Either::Run(run), "epochs") => run_epochs(&run).map_err(refused),
            (Either::Run(run), "network") => run_network(&run).map_err(refused),
            (Either::Run(run), "classes") => run_classes(&run).map_err(refused),
            (Either::Run(run), "confused") => run_confused(&run).map_err(refused),
            (Either::Sweep(_), _) => {
                Err(format!("the sweep `{name}` has the views table and best, not `{view}`"))
            }
            (Either::Run(_), _) => Err(format!(
                "the run `{name}` has the views results, config, groups, epochs, network, classes \
                 and confused, not `{view}`"
            )),
        }
    }

    /// One value of a record: `summary.KEY`, `config.KEY` or, of a run, `derived.KEY`, with `%` at
    /// the end as a percentage. The record `checks` stands for the results of the harness.
    ///
    /// # Errors
    /// If the record is refused, or has no such value.
    pub fn value(&self, name: &str, key: &str, evidence: &Evidence) -> Result<String, String> {
        let (path, percent) = key.strip_suffix('%').map_or((key, false), |path| (path, true));
        match (&self.find(name, path, evidence)?, percent) {
            (Value::Number(number), true) => number
                .as_f64()
                .map(percentage)
                .ok_or_else(|| format!("`{path}` of `{name}` is not a number")),
            (Value::Number(number), false) if number.is_f64() => {
                Ok(significant(number.as_f64().unwrap_or(f64::NAN)))
            }
            (Value::Number(number), false) => Ok(number.to_string()),
            (Value::String(text), false) => Ok(format!("`{text}`")),
            (Value::Bool(value), false) => Ok(value.to_string()),
            (other, _) => Err(format!("`{path}` of `{name}` is not one value, but {other}")),
        }
    }

    /// What a record has at a path.
    fn find(&self, name: &str, path: &str, evidence: &Evidence) -> Result<Value, String> {
        let tree = match name {
            "checks" => serde_json::json!({
                "passed": evidence.passed,
                "failed": evidence.failed,
                "formulas": evidence.formulas().len(),
                "controls": evidence.controls.len(),
                "worked": evidence.worked.len(),
            }),
            _ => {
                let tree = match self.read(name)? {
                    Either::Run(run) => to_tree(&run.config, &run.summary, derived(&run)),
                    Either::Sweep(sweep) => to_tree(&sweep.config, &sweep.summary, Value::Null),
                };
                tree.map_err(|error| format!("the record `{name}` is refused: {error}"))?
            }
        };
        let mut at = &tree;
        for part in path.split('.') {
            let index = part.parse::<usize>().ok();
            let next = match at {
                Value::Array(items) => index.and_then(|index| items.get(index)),
                other => other.get(part),
            };
            at = next.ok_or_else(|| {
                let known = match at {
                    Value::Object(fields) => fields.keys().cloned().collect::<Vec<_>>().join(", "),
                    Value::Array(items) => format!("0 to {}", items.len().saturating_sub(1)),
                    other => format!("only the value {other}"),
                };
                format!("`{name}` has no value `{path}`: at `{part}` there is {known}")
            })?;
        }
        Ok(at.clone())
    }

    /// The file of a plot, `book/records/RECORD/NAME.svg`, whose record is checked first.
    ///
    /// # Errors
    /// If the plot does not belong to a record, or its record is refused.
    pub fn plot(&self, file: &str) -> Result<PathBuf, String> {
        let inside = file.strip_prefix("book/records/").and_then(|inside| inside.rsplit_once('/'));
        let Some((record, name)) = inside else {
            return Err(format!(
                "the plot `{file}` is not of the form `book/records/RECORD/NAME.svg`"
            ));
        };
        self.read(record)?;
        Ok(self.folder.join(record).join(name))
    }
}

fn to_tree(
    config: &impl serde::Serialize,
    summary: &impl serde::Serialize,
    derived: Value,
) -> Result<Value, serde_json::Error> {
    Ok(serde_json::json!({
        "config": serde_json::to_value(config)?,
        "summary": serde_json::to_value(summary)?,
        "derived": derived,
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use experiment::{
        Axis, Choice, Data, Dtype, Evaluation, LineChart, Machine, Program, Role, Series,
        SweepConfig, SweepRun, SweepSet, SweepSummary, SweepWriter, palette,
    };

    use super::*;
    use crate::run_tables::tests::{SHA, write_run};

    fn evaluation(wrong: usize) -> Evaluation {
        Evaluation::classification(0.25, wrong, 25)
    }

    fn sweep() -> SweepRecord {
        let axes =
            vec![Axis { name: "learning_rate".into(), values: vec!["0.1".into(), "1".into()] }];
        let config = SweepConfig {
            schema: experiment::SCHEMA,
            model_name: "one".parse().unwrap(),
            command: "cargo run -p ffnn -- sweep".into(),
            dtype: Dtype::F32,
            seeds: vec![0, 1],
            selection: "smallest mean validation error".into(),
            data: Data {
                name: "iris".into(),
                sha256: SHA.into(),
                train: 100,
                validation: 25,
                test: 25,
            },
            axes: axes.clone(),
            hyperparameters: toml::Table::new(),
        };
        let run = |set, seed, wrong| {
            let result = Some((evaluation(0).into(), evaluation(wrong).into()));
            SweepRun { set, seed, result }
        };
        let runs = vec![run(0, 0, 2), run(0, 1, 2), run(1, 0, 1), run(1, 1, 1)];
        let sets = ["0.1", "1"].map(|value| (Role::Candidate, vec![value.to_owned()]));
        let table: Vec<SweepSet> = experiment::tabulate(&sets, &runs);
        let tested = [0, 1].map(|seed| experiment::Tested { seed, evaluation: evaluation(1) });
        let best = Choice::new(&axes, &table[1], tested.to_vec()).unwrap();
        let machine = Machine { arch: "x".into(), os: "y".into(), cores: 2, cpu: None };
        let summary = SweepSummary {
            schema: experiment::SCHEMA,
            status: Status::Finished,
            best,
            baseline: None,
            wall_seconds: 1.0,
            machine,
            program: Program { name: "ffnn".into(), version: "0".into(), revision: None },
        };
        SweepRecord { config, runs, table, summary }
    }

    fn records(checksum: &str) -> (tempfile::TempDir, Records) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("book/records");
        let writer = SweepWriter::create(&folder, &"one".parse().unwrap(), false).unwrap();
        let series = Series::new("a", palette::SERIES[0], vec![(0.0, 1.0), (1.0, 2.0)]);
        let plot = LineChart::new("Loss", "x", "y").with(series);
        writer.finish(&sweep(), &[("loss.svg", plot)]).unwrap();
        let checksums = DataChecksums::of("iris", checksum);
        let records = Records { folder, checksums };
        (root, records)
    }

    fn evidence() -> Evidence {
        serde_json::from_str(&crate::evidence::tests::sample("ok")).unwrap()
    }

    #[test]
    fn a_sweep_is_shown_with_how_it_was_made() {
        let (_root, records) = records(SHA);
        let table = records.view("one", "table").unwrap();
        assert!(table.contains("| learning rate | training loss |"), "{table}");
        assert!(
            table
                .replace('\u{a0}', " ")
                .contains("| 1 | 0.250 | 0.0 % | 0.250 ± 0.000 | 4.0 ± 0.0 % | **best** |"),
            "{table}"
        );
        assert!(
            table.contains("over the seeds 0, 1;")
                && table.contains("`cargo run -p ffnn -- sweep`")
        );
        let best = records.view("one", "best").unwrap();
        assert!(
            best.replace('\u{a0}', " ").contains("| **test error** | **4.0 ± 0.0 %** |"),
            "{best}"
        );
        assert!(best.contains("| test set, seed 1 | 1 of 25 wrong |"), "{best}");
    }

    #[test]
    fn values_are_taken_from_the_record() {
        let (_root, records) = records(SHA);
        let value = |record, key| records.value(record, key, &evidence());
        assert_eq!(value("one", "summary.best.test_error.mean%").unwrap(), "4.0\u{a0}%");
        assert_eq!(value("one", "summary.best.test_error.mean").unwrap(), "0.04");
        assert_eq!(value("one", "config.seeds.1").unwrap(), "1");
        assert_eq!(value("one", "summary.best.values.learning_rate").unwrap(), "`1`");
        assert_eq!(value("checks", "passed").unwrap(), "3");
        for (record, key, expected) in [
            ("one", "summary.worst", "at `worst` there is baseline, best"),
            ("one", "summary.best", "is not one value"),
            ("two", "summary.best", "there is no record `two`"),
            ("checks", "time", "there is controls, failed"),
        ] {
            let error = value(record, key).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn records_of_other_data_or_another_schema_are_refused() {
        let (_root, other) = records(&SHA.replace('0', "f"));
        assert!(other.view("one", "table").unwrap_err().contains("made from other data"));
        let (_root, unknown) = records(SHA);
        let unknown = Records { checksums: DataChecksums::of("digits", SHA), ..unknown };
        assert!(unknown.view("one", "table").unwrap_err().contains("checksum of its data"));

        let (root, records) = records(SHA);
        let file = root.path().join("book/records/one/summary.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("\"schema\": 1", "\"schema\": 9")).unwrap();
        let error = records.view("one", "table").unwrap_err();
        assert!(error.contains("is refused") && error.contains("got 9"), "{error}");
    }

    #[test]
    fn a_view_or_a_record_that_is_not_there_is_an_error() {
        let (_root, records) = records(SHA);
        assert!(records.view("one", "worst").unwrap_err().contains("table and best"));
        for name in ["two", "", "../records/one", "/"] {
            assert!(
                records.view(name, "table").unwrap_err().contains("there is no record"),
                "{name}"
            );
        }
    }

    fn runs() -> (tempfile::TempDir, Records) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("book/records");
        let text = "[hyperparameters]\nsmoothing = 0.1\n";
        write_run(&folder.join("two/full"), text, 0, 20);
        write_run(&folder.join("two/without"), &text.replace("0.1", "0.0"), 0, 30);
        let definition = "baseline = \"full\"\n[[component]]\nrecord = \"without\"\n\
            name = \"smoothing\"\npurpose = \"p\"\nchanges = [\"smoothing\"]\n";
        fs::write(folder.join("two/ablation.toml"), definition).unwrap();
        let checksums = DataChecksums::of("iris", SHA);
        (root, Records { folder, checksums })
    }

    #[test]
    fn an_ablation_is_read_from_its_folder_with_one_run_or_one_for_each_seed() {
        let (root, records) = runs();
        let table = records.ablation("two").unwrap().replace('\u{a0}', " ");
        assert!(table.contains("| `smoothing`: 0.1 → 0.0 | 85.0 % | −5.0 |"), "{table}");
        let folder = root.path().join("book/records/two");
        for name in ["full", "without"] {
            fs::rename(folder.join(name), folder.join("x")).unwrap();
            fs::create_dir(folder.join(name)).unwrap();
            fs::rename(folder.join("x"), folder.join(name).join("seed-0")).unwrap();
        }
        assert_eq!(records.ablation("two").unwrap().replace('\u{a0}', " "), table);
        assert!(records.ablation("three").unwrap_err().contains("there is no ablation"));
        assert!(records.ablation("../records/two").unwrap_err().contains("there is no ablation"));
        let other =
            Records { checksums: DataChecksums::of("iris", &SHA.replace('0', "f")), ..records };
        assert!(other.ablation("two").unwrap_err().contains("made from other data"));
    }

    #[test]
    fn a_requirement_that_is_not_met_is_an_error() {
        let (_root, records) = runs();
        let require = |key, minimum| {
            records.requirement("two/full", key, minimum, "Validation accuracy", &evidence())
        };
        let met = require("derived.validation_accuracy%", 0.9).unwrap().replace('\u{a0}', " ");
        assert_eq!(met, "- ✓ Validation accuracy: **90.0 %** (at least 90.0 %)\n");
        assert_eq!(
            require("summary.epochs", 1.0).unwrap(),
            "- ✓ Validation accuracy: **1** (at least 1)\n"
        );
        let error = require("derived.validation_accuracy%", 0.901).unwrap_err();
        assert!(error.contains("\"Validation accuracy\" is not met"), "{error}");
        assert!(require("summary.status", 1.0).unwrap_err().contains("is not met"));
        assert!(require("derived.test_accuracy", 0.5).unwrap_err().contains("at `test_accuracy`"));
    }

    #[test]
    fn the_record_of_the_benchmark_is_read_or_refused() {
        let (root, records) = records(SHA);
        let error = records.performance_view("machine").unwrap_err();
        assert!(error.contains("the record `performance` is refused: cannot read"), "{error}");
        let folder = root.path().join("book/records/performance");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("bench.json");
        let mut record = crate::performance::tests::record();
        record.write(&file).unwrap();
        assert!(records.performance_view("machine").unwrap().contains("| arithmetic | 2 | 200"));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("\"schema\": 1", "\"schema\": 0")).unwrap();
        let error = records.performance_view("machine").unwrap_err();
        assert!(error.contains("schema 1, got 0"), "{error}");
        record.compiler.release = false;
        record.write(&file).unwrap();
        let error = records.performance_view("machine").unwrap_err();
        assert!(error.contains("not compiled for release"), "{error}");
    }

    #[test]
    fn a_plot_belongs_to_a_record_that_is_accepted() {
        let (_root, good) = records(SHA);
        assert!(good.plot("book/records/one/loss.svg").unwrap().is_file());
        for (file, expected) in [
            ("book/x.svg", "is not of the form"),
            ("book/records/x.svg", "is not of the form"),
            ("book/records/two/loss.svg", "no record"),
            ("book/records/one/../../x.svg", "no record"),
        ] {
            let error = good.plot(file).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let (_root, bad) = records(&SHA.replace('0', "f"));
        assert!(bad.plot("book/records/one/loss.svg").unwrap_err().contains("other data"));
    }
}
