//! The sweep: its choice and its committed record.

use std::fs;
use std::path::{Path, PathBuf};

use datasets::Splits;
use experiment::Record;
use ffnn::{Grid, Hyperparameters, SweepRecord, sweep};

use crate::iris;

#[test]
fn a_change_of_the_test_set_changes_no_choice() {
    let training = Hyperparameters { epochs: 20, ..Hyperparameters::default() };
    let grid = Grid { lrs: vec![0.03, 0.3], hidden: vec![3, 6], seeds: vec![0, 1, 2], training };
    let data = iris::<f32>();
    let swapped = Splits { test: data.train.clone(), ..data.clone() };
    let (a, b) = (sweep(&grid, &data).unwrap(), sweep(&grid, &swapped).unwrap());
    assert_eq!((a.runs, a.table, a.best.set), (b.runs, b.table, b.best.set));
    assert_ne!(a.best.test, b.best.test);
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records/iris-sweep")
}

#[test]
fn the_committed_record_has_enough_sets_and_the_run_of_its_best_one() {
    let record = SweepRecord::read(&committed()).unwrap();
    let Grid { lrs, hidden, seeds, .. } = &record.grid;
    assert!(lrs.len() >= 3 && hidden.len() >= 4 && seeds.len() >= 5);
    let best = Record::read(&committed().join("best")).unwrap();
    let choice = &record.summary.best;
    assert_eq!(best.summary.test.unwrap(), choice.test[0].evaluation);
    assert_eq!(best.config.seed, choice.test[0].seed);
    assert_eq!(best.config.hyperparameters["lr"].to_string(), choice.values["lr"]);
    assert_eq!(best.config.hyperparameters["hidden"].as_str().unwrap(), choice.values["hidden"]);
}

#[test]
fn a_record_whose_parts_contradict_each_other_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["sweep.toml", "runs.csv", "table.csv", "summary.json"] {
        fs::copy(committed().join(file), folder.path().join(file)).unwrap();
    }
    for (file, from, to, reason) in [
        ("sweep.toml", "schema = 1", "schema = 0", "expected schema 1, but got 0"),
        ("sweep.toml", "\"none\"", "\"32\"", "the last value of which is none"),
        ("sweep.toml", "\"lr\"", "\"rate\"", "the axes lr and hidden"),
        (
            "sweep.toml",
            "epochs = 100",
            "epoch = 100",
            "the hyperparameters of a sweep, but got unk",
        ),
        ("sweep.toml", "epochs = 100", "epochs = 0", "the number of epochs must be at least 1"),
        ("runs.csv", "set,lr", "lr,set", "expected set,lr,hidden,seed"),
        ("runs.csv", "\n0,0.01,2,1,", "\n0,0.01,2,7,", "expected 0,0.01,2,1,finished"),
        ("runs.csv", "finished,0.6379901766777039", "finished,NaN", "in line 2, from sweep.toml"),
        ("runs.csv", "0,0.01,2,0,finished,", "0,0.01,2,0,diverged,", "finite numbers, but got 0,"),
        ("runs.csv", "0.6379901766777039", "0.7379", "in line 2, from runs.csv"),
        ("table.csv", "0,candidate,", "0,baseline,", "in line 2, from runs.csv"),
        ("table.csv", "\n24,", "\n24,baseline\n24,", "in line 26, from runs.csv"),
        ("summary.json", "\"set\": 13", "\"set\": 1", "set Some(13) as the best candidate"),
        ("summary.json", "\"seed\": 3", "\"seed\": 9", "the candidate to follow from the runs"),
        ("summary.json", "\"seed\": 3", "\"sead\": 1, \"seed\": 3", "unknown field `sead`"),
        ("summary.json", "\"wrong\": 1", "\"wrong\": 2", "consistent results"),
    ] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = SweepRecord::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(reason), "{file}: {from} -> {to}: {error}");
        fs::write(&path, text).unwrap();
    }
    SweepRecord::read(folder.path()).unwrap();
}
