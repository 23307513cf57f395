//! The sweep: its choice and its committed record.

use std::path::{Path, PathBuf};

use datasets::Splits;
use experiment::Record;
use ffnn::{Grid, Hyperparameters, SweepRecord, SweepRun, SweepSet, sweep};

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
fn the_committed_record_is_reproduced_and_has_the_run_of_its_best_set() {
    let record = SweepRecord::read(&committed()).unwrap();
    let grid = Grid::default();
    assert!(grid.lrs.len() >= 3 && grid.hidden.len() >= 4 && grid.seeds.len() >= 5);
    let again = sweep(&grid, &iris::<f32>()).unwrap();
    // Another processor may have another matrix product, and another system another `exp`, which round
    // differently; training amplifies that. What is counted or chosen is the same.
    let near = |old: &Option<f64>, new: &Option<f64>| match (*old, *new) {
        (Some(old), Some(new)) => (old - new).abs() <= 1e-4 * f64::max(1.0, old.abs()),
        (old, new) => old == new,
    };
    assert_eq!(record.runs.len(), again.runs.len());
    for (old, new) in record.runs.iter().zip(&again.runs) {
        let (train_loss, val_loss) = (new.train_loss, new.val_loss);
        assert!(near(&old.train_loss, &train_loss) && near(&old.val_loss, &val_loss), "{old:?}");
        assert_eq!(&SweepRun { train_loss, val_loss, ..old.clone() }, new);
    }
    for (old, new) in record.table.iter().zip(&again.table) {
        let errors = |set: &SweepSet| (set.train_error_mean, set.val_error_mean, set.val_error_sd);
        assert_eq!((old.role, &old.hidden, errors(old)), (new.role, &new.hidden, errors(new)));
        assert!(near(&old.val_loss_mean, &new.val_loss_mean), "{old:?}");
        assert!(near(&old.val_loss_sd, &new.val_loss_sd), "{old:?}");
    }
    let choices = [
        (&record.summary.best, &again.best),
        (record.summary.baseline.as_ref().unwrap(), again.baseline.as_ref().unwrap()),
    ];
    for (old, new) in choices {
        assert_eq!((old.set, &old.values, old.test_error), (new.set, &new.values, new.test_error));
        assert!(near(&Some(old.test_loss.mean), &Some(new.test_loss.mean)), "{old:?}");
    }

    let best = Record::read(&committed().join("best")).unwrap();
    let choice = &record.summary.best;
    assert_eq!(best.summary.test.unwrap(), choice.test[0].evaluation);
    assert_eq!(best.config.seed, choice.test[0].seed);
    assert_eq!(best.config.hyperparameters["lr"].to_string(), choice.values["lr"]);
    assert_eq!(best.config.hyperparameters["hidden"].as_str().unwrap(), choice.values["hidden"]);
}
