//! Committed records of real runs: `book/records/`.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use experiment::{Record, Status};
use ffnn::SweepRecord;
use serde_json::Value;

use crate::ablation::Ablation;
use crate::data_checksums::DataChecksums;
use crate::evidence::Evidence;
use crate::markdown::named;
use crate::network_table::run_network;
use crate::numbers::{percentage, significant};
use crate::performance;
use crate::record_tables::{run_results, sweep_best, sweep_table};
use crate::repeats;
use crate::run_tables::{derived, run_classes, run_config, run_confused, run_epochs, run_groups};

/// The records, and what their data has to be.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    folder: PathBuf,
    checksums: DataChecksums,
}

/// The views of a run by their names.
type RunView = fn(&Record) -> Result<String, String>;
const RUN_VIEWS: [(&str, RunView); 7] = [
    ("results", |run| Ok(run_results(run))),
    ("config", |run| Ok(run_config(run))),
    ("groups", run_groups),
    ("epochs", run_epochs),
    ("network", run_network),
    ("classes", run_classes),
    ("confused", run_confused),
];

/// The views of a sweep by their names.
type SweepView = fn(&SweepRecord) -> String;
const SWEEP_VIEWS: [(&str, SweepView); 2] = [("table", sweep_table), ("best", sweep_best)];

/// A record of either kind.
enum Either {
    Run(Box<Record>),
    Sweep(Box<SweepRecord>),
}

impl Records {
    /// The records in `folder`, whose data has to be data that this workspace knows.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
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
    pub(crate) fn ablation(&self, folder: &str) -> Result<String, String> {
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
    pub(crate) fn repeats(
        &self,
        folder: &str,
        seeds: usize,
        accuracy: f64,
    ) -> Result<String, String> {
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
        let entries = system::entries(&directory)
            .map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
        let folders = entries.iter().filter(|entry| entry.path().is_dir());
        Ok(folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    /// The record of the benchmark.
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
    pub(crate) fn performance_view(&self, view: &str) -> Result<String, String> {
        performance::view(&self.performance()?, view)
    }

    /// A value that has to be at least so large, as an item of a list.
    pub(crate) fn requirement(
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
    pub(crate) fn view(&self, name: &str, view: &str) -> Result<String, String> {
        match self.read(name)? {
            Either::Sweep(sweep) => {
                let unknown = || format!("the sweep `{name}` has no view `{view}`");
                Ok(named(&SWEEP_VIEWS, view, unknown)?(&sweep))
            }
            Either::Run(run) => {
                let unknown = || format!("the run `{name}` has no view `{view}`");
                let show = named(&RUN_VIEWS, view, unknown)?;
                show(&run).map_err(|reason| format!("{}: {reason}", unknown()))
            }
        }
    }

    /// One value of a record: `summary.KEY`, `config.KEY` or, of a run, `derived.KEY`, with `%` at
    /// the end as a percentage. The record `checks` stands for the results of the harness.
    pub(crate) fn value(
        &self,
        name: &str,
        key: &str,
        evidence: &Evidence,
    ) -> Result<String, String> {
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

    /// The value of a record at a path.
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
    pub(crate) fn plot(&self, file: &str) -> Result<PathBuf, String> {
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

    use super::*;
    use crate::run_tables::tests::{SHA, write_run};

    /// The records of the book.
    fn committed() -> Records {
        Records::new(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records")).unwrap()
    }

    /// An ablation `two` of two runs.
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

    fn evidence() -> Evidence {
        serde_json::from_str(&crate::evidence::tests::sample("ok")).unwrap()
    }

    #[test]
    fn a_sweep_is_shown_with_how_it_was_made() {
        let records = committed();
        let sweep = SweepRecord::read(&records.folder.join("iris-sweep")).unwrap();
        let best = &sweep.summary.best;
        let table = records.view("iris-sweep", "table").unwrap();
        let rows: Vec<_> = table.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), sweep.table.len() + 2);
        let row = rows.iter().find(|row| row.ends_with("| **best** |")).unwrap();
        let (value, loss) = (&best.values["lr"], best.validation_loss);
        let expected = format!("{:.3}\u{a0}±\u{a0}{:.3} | ", loss.mean, loss.sd);
        assert!(row.contains(&format!(" {value} |")) && row.contains(&expected), "{row}");
        let seeds: Vec<_> = sweep.config.seeds.iter().map(u64::to_string).collect();
        assert!(table.contains(&format!("over the seeds {};", seeds.join(", "))), "{table}");
        assert!(table.contains(&format!("Written by `{}`.", sweep.config.command)), "{table}");

        let shown = records.view("iris-sweep", "best").unwrap();
        assert!(shown.starts_with("| | best | baseline |"), "{shown}");
        let error = best.test_error;
        let expected = format!(
            "| **test error** | **{:.1}\u{a0}±\u{a0}{:.1}\u{a0}%** |",
            100.0 * error.mean,
            100.0 * error.sd
        );
        assert!(shown.contains(&expected), "{shown}");
        let tested = best.test[1];
        let (seed, wrong) = (tested.seed, tested.evaluation.wrong.unwrap());
        let expected = format!("| test set, seed {seed} | {wrong} of 25 wrong |");
        assert!(shown.contains(&expected), "{expected} in {shown}");
    }

    #[test]
    fn values_are_taken_from_the_record() {
        let ((_root, runs), sweep) = (runs(), committed());
        for (records, record, key, expected) in [
            (&runs, "two/full", "derived.validation_accuracy%", "90.0\u{a0}%"),
            (&runs, "two/full", "summary.validation.error", "0.1"),
            (&runs, "two/full", "summary.iterations", "2"),
            (&runs, "two/full", "config.dtype", "`f32`"),
            (&sweep, "iris-sweep", "config.seeds.1", "1"),
            (&runs, "checks", "passed", "3"),
        ] {
            assert_eq!(records.value(record, key, &evidence()).unwrap(), expected, "{key}");
        }
        for (records, record, key, expected) in [
            (&sweep, "iris-sweep", "summary.worst", "at `worst` there is baseline, best"),
            (&sweep, "iris-sweep", "summary.best", "is not one value"),
            (&runs, "one", "summary.best", "there is no record `one`"),
            (&runs, "checks", "time", "there is controls, failed"),
        ] {
            let error = records.value(record, key, &evidence()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_record_or_a_view_or_of_other_data_is_refused() {
        let (root, records) = runs();
        let error = committed().view("iris-sweep", "worst").unwrap_err();
        assert!(error.contains("known are table, best"), "{error}");
        assert!(
            records.view("two/full", "best").unwrap_err().contains("known are results, config")
        );
        for name in ["one", "", "../records/two/full", "/"] {
            let error = records.view(name, "config").unwrap_err();
            assert!(error.contains("there is no record"), "{name}: {error}");
        }
        let of_data = |name: &str, sha256: &str| {
            let checksums = DataChecksums::of(name, sha256);
            let records = Records { checksums, ..records.clone() };
            [records.view("two/full", "config"), records.ablation("two")].map(Result::unwrap_err)
        };
        for error in of_data("iris", &SHA.replace('0', "f")) {
            assert!(error.contains("made from other data"), "{error}");
        }
        for error in of_data("digits", SHA) {
            assert!(error.contains("checksum of its data"), "{error}");
        }
        let file = root.path().join("book/records/two/full/summary.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("\"schema\":1", "\"schema\":9")).unwrap();
        let error = records.view("two/full", "config").unwrap_err();
        assert!(error.contains("is refused") && error.contains("got 9"), "{error}");
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
        let (root, records) = runs();
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
        let records = committed();
        assert!(records.plot("book/records/iris-sweep/loss.svg").unwrap().is_file());
        for (file, expected) in [
            ("book/x.svg", "is not of the form"),
            ("book/records/x.svg", "is not of the form"),
            ("book/records/two/loss.svg", "no record"),
            ("book/records/iris-sweep/../../x.svg", "no record"),
        ] {
            let error = records.plot(file).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let other = Records { checksums: DataChecksums::of("iris", SHA), ..records };
        let error = other.plot("book/records/iris-sweep/loss.svg").unwrap_err();
        assert!(error.contains("other data"), "{error}");
    }
}
