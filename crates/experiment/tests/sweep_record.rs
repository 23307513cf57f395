//! The record of a sweep.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use experiment::palette::SERIES;
use experiment::{
    Axis, Choice, Data, Dtype, Evaluation, ExperimentError, LineChart, Machine, Measured, Program,
    Role, SCHEMA, Series, Status, SweepConfig, SweepRecord, SweepRun, SweepSummary, SweepWriter,
    Tested, choose, tabulate,
};

const SEEDS: [u64; 2] = [3, 4];

fn record() -> SweepRecord {
    let data =
        Data { name: "toy".into(), sha256: "0".repeat(64), train: 4, validation: 4, test: 4 };
    let axes =
        vec![Axis { name: "lr".into(), values: vec!["0.1".into(), "1".into(), "none".into()] }];
    let config = SweepConfig {
        schema: SCHEMA,
        model_name: "sweep".parse().unwrap(),
        command: "ffnn sweep".into(),
        dtype: Dtype::F64,
        seeds: SEEDS.to_vec(),
        selection: "the least validation error".into(),
        data,
        axes: axes.clone(),
        hyperparameters: toml::Table::new(),
    };
    let run = |set: usize, seed: u64, loss: f64| {
        let result = Some((Measured { loss, error: 0.25 }, Measured { loss, error: 0.5 }));
        SweepRun { set, seed, result }
    };
    let runs = vec![
        run(0, 3, 0.1),
        run(0, 4, 0.3),
        run(1, 3, 0.1),
        SweepRun { set: 1, seed: 4, result: None },
        run(2, 3, 1.0 / 3.0),
        run(2, 4, 0.7),
    ];
    let sets = [(Role::Candidate, "0.1"), (Role::Candidate, "1"), (Role::Baseline, "none")];
    let table = tabulate(&sets.map(|(role, value)| (role, vec![value.to_owned()])), &runs);
    let choice = |role| {
        let evaluation = Evaluation::classification(0.5, 1, 4);
        let test = SEEDS.map(|seed| Tested { seed, evaluation }).to_vec();
        Choice::new(&axes, choose(&table, role).unwrap(), test).unwrap()
    };
    let summary = SweepSummary {
        schema: SCHEMA,
        status: Status::Finished,
        best: choice(Role::Candidate),
        baseline: Some(choice(Role::Baseline)),
        wall_seconds: 1.5,
        machine: Machine::current(),
        program: Program { name: "test".into(), version: "0".into(), revision: None },
    };
    SweepRecord { config, runs, table, summary }
}

fn write(root: &Path, overwrite: bool) -> Result<(), ExperimentError> {
    let record = record();
    let writer = SweepWriter::create(root, &record.config.model_name, overwrite)?;
    let plot = LineChart::new("p", "x", "y").with(Series::new("s", SERIES[0], vec![(0.0, 1.0)]));
    let directory = writer.finish(&record, &[("plot.svg", plot)])?;
    assert_eq!(directory, root.join("sweep"));
    Ok(())
}

fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_sweep_reads_back_as_it_was_written() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), false).unwrap();
    assert_eq!(SweepRecord::read(&root.path().join("sweep")).unwrap(), record());
    let files = ["plot.svg", "runs.csv", "summary.json", "sweep.toml", "table.csv"];
    assert_eq!(entries(&root.path().join("sweep")), files);
    assert_eq!(entries(root.path()), ["sweep"], "nothing else is left");
    let table = fs::read_to_string(root.path().join("sweep/table.csv")).unwrap();
    assert_eq!(table.lines().nth(2), Some("1,candidate,1,2,1,,,,,,"));
}

#[test]
fn a_sweep_is_overwritten_only_when_asked() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), false).unwrap();
    assert!(matches!(write(root.path(), false), Err(ExperimentError::Exists { .. })));
    write(root.path(), true).unwrap();
    assert_eq!(entries(root.path()), ["sweep"]);
    fs::write(root.path().join("sweep/notes.txt"), "mine").unwrap();
    assert!(matches!(write(root.path(), true), Err(ExperimentError::Foreign { .. })));
    assert!(root.path().join("sweep/notes.txt").exists());
}

#[test]
fn a_sweep_that_is_given_up_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let writer = SweepWriter::create(root.path(), &"sweep".parse().unwrap(), false).unwrap();
    fs::write(writer.staging().join("half"), "written").unwrap();
    drop(writer);
    assert_eq!(entries(root.path()), [""; 0]);
}

#[test]
fn a_record_whose_parts_contradict_each_other_is_refused() {
    for (file, from, to, reason) in [
        ("sweep.toml", "schema = 1", "schema = 0", "expected schema 1, but got 0"),
        ("runs.csv", "0,0.1,4", "0,0.1,5", "every set with every seed"),
        ("runs.csv", "0,0.1,4,finished,0.3", "0,0.1,4,finished,NaN", "four finite numbers"),
        ("runs.csv", "diverged,,,,", "diverged,1,,,", "or diverged without"),
        (
            "runs.csv",
            "0,0.1,4,finished,0.3,0.25,0.3",
            "0,0.1,4,finished,0.3,0.25,0.4",
            "from runs.csv",
        ),
        ("table.csv", "0,candidate,0.1", "0,best,0.1", "candidate or baseline"),
        ("table.csv", "2,baseline", "2,candidate", "the best baseline"),
        ("summary.json", "\"set\": 0", "\"set\": 1", "set Some(0) as the best candidate"),
        ("summary.json", "\"seed\": 3", "\"seed\": 9", "to follow from the runs"),
        ("summary.json", "\"wrong\": 1", "\"wrong\": 2", "consistent results"),
    ] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), false).unwrap();
        let path = root.path().join("sweep").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = SweepRecord::read(&root.path().join("sweep")).unwrap_err().to_string();
        assert!(error.contains(reason), "{file}: {from} -> {to}: {error}");
    }
}
