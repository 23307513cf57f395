//! The sweep: its choice, its determinism, and its committed record.

use std::path::{Path, PathBuf};

use datasets::Splits;
use experiment::{
    Data, Dtype, Machine, Program, Record, Role, SCHEMA, Status, SweepConfig, SweepRecord,
    SweepSummary,
};
use ffnn::{Agreement, FfnnError, Grid, Hyperparameters, SweepOutcome, compare, sweep};

use crate::iris;

fn small() -> Grid {
    let training = Hyperparameters { epochs: 20, ..Hyperparameters::default() };
    Grid { lrs: vec![0.03, 0.3], hidden: vec![3, 6], seeds: vec![0, 1, 2], training }
}

fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

fn record(grid: &Grid, outcome: &SweepOutcome) -> SweepRecord {
    let data =
        Data { name: "iris".into(), sha256: "0".repeat(64), train: 100, validation: 25, test: 25 };
    let config = SweepConfig {
        schema: SCHEMA,
        model_name: "test".parse().unwrap(),
        command: String::new(),
        dtype: Dtype::F32,
        seeds: grid.seeds.clone(),
        selection: String::new(),
        data,
        axes: grid.axes(),
        hyperparameters: toml::Table::new(),
    };
    let summary = SweepSummary {
        schema: SCHEMA,
        status: Status::Finished,
        best: outcome.best.clone(),
        baseline: outcome.baseline.clone(),
        wall_seconds: 0.0,
        machine: Machine::current(),
        program: Program { name: "test".into(), version: "0".into(), revision: None },
    };
    SweepRecord { config, runs: outcome.runs.clone(), table: outcome.table.clone(), summary }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let data = iris::<f32>();
    let one = with_threads(1, || sweep(&small(), &data)).unwrap();
    let two = with_threads(2, || sweep(&small(), &data)).unwrap();
    assert_eq!(one, two);
}

#[test]
fn every_set_is_run_with_every_seed_and_the_best_of_each_role_is_tested() {
    let outcome = sweep(&small(), &iris::<f32>()).unwrap();
    assert_eq!((outcome.table.len(), outcome.runs.len()), (6, 18));
    assert!(outcome.table.iter().all(|set| set.runs == 3));
    let best = &outcome.table[outcome.best.set];
    assert_eq!(best.role, Role::Candidate);
    assert_eq!(outcome.table[outcome.baseline.unwrap().set].role, Role::Baseline);
    assert_eq!(outcome.best.test.len(), 3);
    // The runs that are tested are those that were chosen by.
    for (history, run) in outcome.best_histories.iter().zip(&outcome.runs[3 * best.set..]) {
        let validation = run.result.unwrap().1;
        assert_eq!(history.rows().last().unwrap().val_loss, Some(validation.loss));
    }
}

#[test]
fn a_change_of_the_test_set_changes_no_choice() {
    let data = iris::<f32>();
    let swapped = Splits { test: data.train.clone(), ..data.clone() };
    let (a, b) = (sweep(&small(), &data).unwrap(), sweep(&small(), &swapped).unwrap());
    assert_eq!((a.runs, a.table, a.best.set), (b.runs, b.table, b.best.set));
    assert_ne!(a.best.test, b.best.test);
}

#[test]
fn a_grid_whose_runs_all_diverge_leaves_nothing_to_choose() {
    let grid = Grid { lrs: vec![1e30], ..small() };
    let error = sweep(&grid, &iris::<f32>()).unwrap_err();
    assert!(matches!(error, FfnnError::NothingToChoose { sets: 2 }), "{error}");
}

#[test]
fn other_rounding_stays_within_the_tolerance_and_another_seed_does_not() {
    let grid = small();
    let single = sweep(&grid, &iris::<f32>()).unwrap();
    let record = record(&grid, &single);
    let agreement = compare(&record, &single);
    assert_eq!((agreement.largest_loss_difference, agreement.holds()), (0.0, true));
    let double = sweep(&grid, &iris::<f64>()).unwrap();
    let agreement = compare(&record, &double);
    assert!(agreement.holds(), "{agreement:?}");
    assert!(agreement.largest_loss_difference > 0.0, "the rounding is another");
    let other = Grid { seeds: vec![0, 1, 3], ..grid };
    let agreement = compare(&record, &sweep(&other, &iris::<f32>()).unwrap());
    assert!(agreement.largest_loss_difference > 10.0 * Agreement::LOSS_TOLERANCE, "{agreement:?}");
    assert!(!agreement.holds());
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records/iris-sweep")
}

#[test]
fn the_committed_record_is_valid_and_of_the_data_that_ship() {
    let record = SweepRecord::read(&committed()).unwrap();
    assert_eq!(record.config.data.sha256, Splits::iris().unwrap().sha256);
    let lrs = &record.config.axes[0].values;
    let sizes = &record.config.axes[1].values;
    assert!(lrs.len() >= 3 && sizes.len() > 4 && record.config.seeds.len() >= 5);

    let best = Record::read(&committed().join("best")).unwrap();
    let choice = &record.summary.best;
    assert_eq!(best.summary.test.unwrap(), choice.test[0].evaluation);
    assert_eq!(best.config.seed, choice.test[0].seed);
    assert_eq!(best.config.hyperparameters["lr"].to_string(), choice.values["lr"]);
    assert_eq!(best.config.hyperparameters["hidden"].as_str().unwrap(), choice.values["hidden"]);
}
