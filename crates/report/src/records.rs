//! Committed records of real runs: `book/records/`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use experiment::{Record, Status};
use ffnn::SweepRecord;
use serde_json::{Value, json};

use crate::ablation::Ablation;
use crate::data_checksums::check_data;
use crate::evidence::Evidence;
use crate::markdown::named;
use crate::numbers::{percentage, significant};
use crate::performance;
use crate::repeats;
use crate::run_tables::{
    derived, run_classes, run_config, run_confused, run_epochs, run_groups, run_network,
    run_results,
};
use crate::sweep_tables::{sweep_best, sweep_table};

/// The folder of a student's records, which are those of the trainings themselves.
pub(crate) const EXPERIMENTS: &str = "experiments";

/// The records in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Records(pub(crate) PathBuf);

/// The views of a run by their names.
type RunView = fn(&Record) -> Result<String, String>;
const RUN_VIEWS: [(&str, RunView); 7] = [
    ("results", run_results),
    ("config", run_config),
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
    /// The folder, as plots and messages name it.
    fn shown(&self) -> &'static str {
        if self.0.ends_with(EXPERIMENTS) { "experiments/" } else { "book/records/" }
    }

    /// A folder in the folder of the records, and in no other.
    fn directory(&self, what: &str, name: &str) -> Result<PathBuf, String> {
        let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let directory = self.0.join(name);
        match !name.is_empty() && inside && directory.is_dir() {
            true => Ok(directory),
            false => Err(format!("there is no {what} `{name}` in {}", self.shown())),
        }
    }

    /// Reads a record, and refuses one of another schema or of other data.
    fn read(&self, name: &str) -> Result<Either, String> {
        let directory = self.directory("record", name)?;
        let refused = |reason: String| format!("the record `{name}` is refused: {reason}");
        let record = match directory.join("sweep.toml").is_file() {
            true => SweepRecord::read(&directory).map(|record| Either::Sweep(Box::new(record))),
            false => Record::read(&directory).map(|record| Either::Run(Box::new(record))),
        };
        let record = record.map_err(|error| refused(error.to_string()))?;
        let (data, status) = match &record {
            Either::Run(run) => (&run.config.data, run.summary.status),
            Either::Sweep(sweep) => (&sweep.config.data, sweep.summary.status),
        };
        check_data(data).map_err(refused)?;
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

    /// Reads the record of a sweep.
    pub(crate) fn read_sweep(&self, name: &str) -> Result<SweepRecord, String> {
        match self.read(name)? {
            Either::Sweep(sweep) => Ok(*sweep),
            Either::Run(_) => Err(format!("the record `{name}` is a run, not a sweep")),
        }
    }

    /// The names of the folders in a folder of the records.
    fn folders_in(&self, what: &str, name: &str) -> Result<Vec<String>, String> {
        let directory = self.directory(what, name)?;
        let entries = system::entries(&directory)
            .map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
        let folders = entries.iter().filter(|entry| entry.path().is_dir());
        Ok(folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    /// Reads the runs in a folder, by seed.
    pub(crate) fn runs_in(&self, folder: &str) -> Result<Vec<Record>, String> {
        let names = self.folders_in("folder", folder)?.into_iter();
        let runs = names.map(|name| self.read_run(&format!("{folder}/{name}")));
        let mut runs = runs.collect::<Result<Vec<_>, _>>()?;
        runs.sort_by_key(|run| run.config.seed);
        Ok(runs)
    }

    /// The table of an ablation: a folder with a folder of runs, one for each seed, for each component.
    pub(crate) fn ablation(&self, folder: &str) -> Result<String, String> {
        let refused = |reason: String| format!("the ablation `{folder}` is refused: {reason}");
        let folders = self.folders_in("ablation", folder)?;
        let text = fs::read_to_string(self.0.join(folder).join("ablation.toml"));
        let text = text.map_err(|e| refused(format!("cannot read its ablation.toml: {e}")))?;
        let ablation = Ablation::parse(&text, &folders).map_err(refused)?;
        let runs = ablation.folders().map(|name| self.runs_in(&format!("{folder}/{name}")));
        ablation.table(&runs.collect::<Result<Vec<_>, _>>()?).map_err(refused)
    }

    /// The table of runs that differ in their seed alone, a folder of runs.
    pub(crate) fn repeats(
        &self,
        folder: &str,
        seeds: usize,
        accuracy: f64,
    ) -> Result<String, String> {
        repeats::table(&self.runs_in(folder)?, seeds, accuracy)
            .map_err(|reason| format!("the runs `{folder}` are refused: {reason}"))
    }

    /// The record of the benchmark.
    pub(crate) fn performance(&self) -> Result<bench::Record, String> {
        let refused = |reason: String| format!("the record `performance` is refused: {reason}");
        let record = bench::Record::read(&self.0.join(performance::RECORD))
            .map_err(|error| refused(error.to_string()))?;
        match record.compiler.release {
            true => Ok(record),
            false => Err(refused(
                "it was not compiled for release; measure with cargo xtask bench --json".to_owned(),
            )),
        }
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
        let value = self.find(name, key.trim_end_matches('%'), evidence)?.as_f64();
        let least = if key.ends_with('%') { percentage(minimum) } else { significant(minimum) };
        match value.is_some_and(|value| value >= minimum) {
            true => Ok(format!("- ✓ {what}: **{shown}** (at least {least})\n")),
            false => Err(format!("the requirement \"{what}\" is not met: {shown} is not {least}")),
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
            (Value::Number(number), false) if !number.is_f64() => Ok(number.to_string()),
            (Value::Number(number), percent) => {
                let shown = if percent { percentage } else { significant };
                Ok(shown(number.as_f64().unwrap_or(f64::NAN)))
            }
            (Value::String(text), false) => Ok(format!("`{text}`")),
            (Value::Bool(value), false) => Ok(value.to_string()),
            (other, _) => Err(format!("`{path}` of `{name}` is not one value, but {other}")),
        }
    }

    /// The value of a record at a path.
    fn find(&self, name: &str, path: &str, evidence: &Evidence) -> Result<Value, String> {
        let tree = match name {
            "checks" => json!({
                "passed": evidence.passed(),
                "failed": evidence.checks.len() - evidence.passed(),
                "formulas": evidence.formulas().len(),
                "controls": evidence.controls.len(),
                "worked": evidence.worked.0.len(),
            }),
            "performance" => times(&self.performance()?),
            "torture" => {
                let file = self.0.join("torture.json");
                let text = fs::read_to_string(&file).map_err(|error| error.to_string());
                text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
                    .map_err(|error| format!("cannot read {}: {error}", file.display()))?
            }
            _ => match self.read(name)? {
                Either::Run(run) => json!({
                    "config": run.config, "summary": run.summary, "derived": derived(&run),
                }),
                Either::Sweep(sweep) => json!({ "config": sweep.config, "summary": sweep.summary }),
            },
        };
        let found = tree.pointer(&format!("/{}", path.replace('.', "/")));
        found.cloned().ok_or_else(|| format!("`{name}` has no value `{path}`"))
    }

    /// The file of a plot, `book/records/RECORD/NAME.svg`, whose record is checked first.
    pub(crate) fn plot(&self, file: &str) -> Result<PathBuf, String> {
        let folder = self.shown();
        let inside = file.strip_prefix(folder).and_then(|inside| inside.rsplit_once('/'));
        let Some((record, name)) = inside else {
            return Err(format!("the plot `{file}` is not of the form `{folder}RECORD/NAME.svg`"));
        };
        self.read(record)?;
        Ok(self.0.join(record).join(name))
    }
}

/// The times of each case of the benchmark over its rounds, by the parts of its name.
fn times(record: &bench::Record) -> Value {
    let mut tree = json!({});
    for measurement in &record.measurements {
        let case = measurement.name.split('/').fold(&mut tree, |at, part| &mut at[part]);
        let time = measurement.time();
        let [least, median, greatest] = [time.min, time.median, time.max].map(|s| 1e3 * s);
        *case = json!({ "least_ms": least, "median_ms": median, "greatest_ms": greatest });
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::evidence;
    use crate::run_tables::tests::write_run;

    /// The records of the book.
    fn committed() -> Records {
        Records(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records"))
    }

    /// An ablation `two` of two runs.
    fn runs() -> (tempfile::TempDir, Records) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("book/records");
        let text = "[hyperparameters]\nsmoothing = 0.1\n";
        write_run(&folder.join("two/full/seed-0"), text, 0, 20);
        write_run(&folder.join("two/without/seed-0"), &text.replace("0.1", "0.0"), 0, 30);
        let definition = "baseline = \"full\"\n[[component]]\nrecord = \"without\"\n\
            name = \"smoothing\"\npurpose = \"p\"\nchanges = [\"smoothing\"]\n";
        fs::write(folder.join("two/ablation.toml"), definition).unwrap();
        (root, Records(folder))
    }

    /// This text, or an error that contains this.
    #[track_caller]
    fn assert_is(found: Result<String, String>, expected: Result<&str, &str>) {
        match (found, expected) {
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
            (found, expected) => assert_eq!(found.as_deref().map_err(|e| &**e), expected),
        }
    }

    #[test]
    fn values_are_taken_from_the_record() {
        let ((_root, runs), sweep) = (runs(), committed());
        let run = "two/full/seed-0";
        for (records, record, key, expected) in [
            (&runs, run, "derived.validation_accuracy%", Ok("90.0\u{a0}%")),
            (&runs, run, "summary.validation.error", Ok("0.1")),
            (&runs, run, "summary.iterations", Ok("2")),
            (&runs, run, "config.dtype", Ok("`f32`")),
            (&sweep, "iris-sweep", "config.seeds.1", Ok("1")),
            (&runs, "checks", "passed", Ok("3")),
            (&sweep, "performance", "step.simple-64.ours.median_ms", Ok("13.8")),
            (&sweep, "performance", "step.simple-64.theirs", Err("has no value")),
            (&sweep, "torture", "command", Ok("`cargo xtask torture --kills 100 --seed 0`")),
            (&runs, "torture", "command", Err("cannot read ")),
            (&sweep, "iris-sweep", "summary.worst", Err("has no value `summary.worst`")),
            (&sweep, "iris-sweep", "summary.best", Err("is not one value")),
            (&runs, "one", "summary.best", Err("there is no record `one`")),
            (&runs, "checks", "time", Err("`checks` has no value `time`")),
        ] {
            assert_is(records.value(record, key, &evidence("ok")), expected);
        }
    }

    #[test]
    fn a_requirement_that_is_not_met_is_an_error() {
        let (_root, records) = runs();
        let accuracy = "derived.validation_accuracy%";
        for (key, minimum, expected) in [
            (accuracy, 0.9, Ok("- ✓ accuracy: **90.0\u{a0}%** (at least 90.0\u{a0}%)\n")),
            ("summary.epochs", 1.0, Ok("- ✓ accuracy: **1** (at least 1)\n")),
            (accuracy, 0.901, Err("\"accuracy\" is not met")),
            ("summary.status", 1.0, Err("is not met")),
        ] {
            let shown =
                records.requirement("two/full/seed-0", key, minimum, "accuracy", &evidence("ok"));
            assert_is(shown, expected);
        }
    }

    #[test]
    fn a_folder_of_runs_is_a_table_unless_a_run_is_refused() {
        let (root, records) = runs();
        let table = records.ablation("two").unwrap().replace('\u{a0}', " ");
        assert!(table.contains("| `smoothing`: 0.1 → 0.0 | 85.0 % | −5.0 |"), "{table}");
        let error = records.repeats("two/full", 2, 0.5).unwrap_err();
        assert_eq!(error, "the runs `two/full` are refused: there are 1 of them, not 2");
        for name in ["one", "", "../records/two", "/"] {
            let error = records.ablation(name).unwrap_err();
            assert!(error.contains("there is no ablation"), "{name}: {error}");
        }
        let folder = root.path().join("book/records/two/full/seed-0");
        for (file, from, to, expected) in [
            ("config.toml", "sha256 = \"91", "sha256 = \"00", "made from other data"),
            ("config.toml", "name = \"iris\"", "name = \"digits\"", "checksum of its data"),
            ("summary.json", "\"schema\":1", "\"schema\":9", "got 9"),
            ("summary.json", "finished", "interrupted", "its status is interrupted"),
        ] {
            let file = folder.join(file);
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replace(from, to)).unwrap();
            let view = records.view("two/full/seed-0", "config");
            for error in [view.unwrap_err(), records.ablation("two").unwrap_err()] {
                assert!(error.contains("is refused") && error.contains(expected), "{error}");
            }
            fs::write(&file, text).unwrap();
        }
    }

    #[test]
    fn an_unknown_view_names_the_known_ones() {
        let ((_root, runs), sweep) = (runs(), committed());
        for (records, record, view, expected) in [
            (&sweep, "iris-sweep", "worst", "known are table, best"),
            (&runs, "two/full/seed-0", "best", "known are results, config"),
            (&runs, "two/full/seed-0", "groups", "no view `groups`: its hyperparameters have no"),
        ] {
            let error = records.view(record, view).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_record_of_the_benchmark_is_read_or_refused() {
        let (root, records) = runs();
        let error = records.performance().unwrap_err();
        assert!(error.starts_with("the record `performance` is refused: cannot read"), "{error}");
        let mut record = crate::performance::tests::record();
        record.compiler.release = false;
        let folder = root.path().join("book/records/performance");
        fs::create_dir(&folder).unwrap();
        record.write(&folder.join("bench.json")).unwrap();
        let error = records.performance().unwrap_err();
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
    }
}
