//! The record of a run, from the first row to the last byte.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use experiment::{
    Config, Data, Divergence, Dtype, EpochMetrics, Evaluation, ExperimentError, IterationMetrics,
    LAST_CHECKPOINT, Logger, MetricsSink, Predictions, Program, Record, Results, ResumePoint,
    Status, parameters,
};
use ndarray::{Array4, ArrayD, array};
use serde::Serialize;

#[derive(Serialize)]
struct Hyperparameters {
    hidden: Vec<usize>,
    lr: f64,
    clip_norm: Option<f64>,
}

fn config(name: &str) -> Config {
    let data =
        Data { name: "toy".into(), sha256: "0".repeat(64), train: 4, validation: 2, test: 2 };
    let hyperparameters = Hyperparameters { hidden: vec![3, 2], lr: 0.1, clip_norm: None };
    let name = name.parse().unwrap();
    Config::new(name, "ffnn train", 7, Dtype::F32, data, &hyperparameters).unwrap()
}

fn program() -> Program {
    Program { name: "test".into(), version: "1.2.3".into(), revision: None }
}

fn start(root: &Path, overwrite: bool) -> Result<Logger, ExperimentError> {
    Logger::create(root, &config("run"), program(), overwrite)
}

fn log_an_epoch(logger: &mut Logger) -> Results {
    let train = Evaluation::classification(0.5, 1, 4);
    let validation = Some(Evaluation::classification(0.75, 1, 2));
    let before = Evaluation::classification(1.5, 3, 4);
    logger.epoch(&EpochMetrics { epoch: 0, iteration: 0, train: before, validation }).unwrap();
    for iteration in 1..=2 {
        let batch_loss = 1.0 / iteration as f64;
        logger.iteration(&IterationMetrics { epoch: 1, iteration, lr: 0.1, batch_loss }).unwrap();
    }
    logger.epoch(&EpochMetrics { epoch: 1, iteration: 2, train, validation }).unwrap();
    Results { train, validation, test: None }
}

fn weights() -> ArrayD<f32> {
    array![[1.0, 2.0]].into_dyn()
}

fn finished(root: &Path) {
    let mut logger = start(root, false).unwrap();
    let results = log_an_epoch(&mut logger);
    logger.finish(results, [("0.W".to_owned(), &weights())]).unwrap();
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_finished_run_reads_back_as_it_was_logged() {
    let root = tempfile::tempdir().unwrap();
    finished(root.path());
    let directory = root.path().join("run");
    let record = Record::read(&directory).unwrap();
    assert_eq!(record.config, config("run"));
    let summary = &record.summary;
    assert_eq!((summary.status, summary.epochs, summary.iterations), (Status::Finished, 1, 2));
    assert_eq!(summary.train, Some(Evaluation::classification(0.5, 1, 4)));
    assert_eq!(summary.test, None);
    assert_eq!(record.history.rows().len(), 3);
    assert_eq!(
        fs::read_to_string(directory.join("metrics.csv")).unwrap(),
        "epoch,iteration,lr,batch_loss,train_loss,train_error,val_loss,val_error\n\
         0,0,,,1.5,0.75,0.75,0.5\n\
         1,1,0.1,1.0,,,,\n\
         1,2,0.1,0.5,0.5,0.25,0.75,0.5\n"
    );
    assert_eq!(
        files(&directory),
        [
            "accuracy.svg",
            "config.toml",
            "error.svg",
            "loss.svg",
            "metrics.csv",
            "parameters.npz",
            "summary.json"
        ]
    );
    let arrays = parameters::read::<f32>(&directory.join("parameters.npz")).unwrap();
    assert_eq!(arrays, [("0.W".to_owned(), weights())]);
    assert!(record.plot("loss.svg").unwrap().contains("validation"));
    assert!(record.plot("accuracy.svg").unwrap().contains("<title>Accuracy by epoch</title>"));
    assert_eq!(record.confusion, None);
}

#[test]
fn a_finished_run_is_overwritten_only_when_asked() {
    let root = tempfile::tempdir().unwrap();
    finished(root.path());
    let before = fs::read(root.path().join("run/metrics.csv")).unwrap();
    let error = start(root.path(), false).unwrap_err();
    assert!(matches!(error, ExperimentError::Exists { status: Status::Finished, .. }));
    assert!(error.to_string().contains("pass --overwrite"), "{error}");
    assert_eq!(fs::read(root.path().join("run/metrics.csv")).unwrap(), before);

    fs::write(root.path().join("run/notes.txt"), "mine").unwrap();
    let logger = start(root.path(), true).unwrap();
    assert_eq!(
        files(logger.directory()),
        ["config.toml", "metrics.csv", "notes.txt", "summary.json"],
        "what was learned before is gone, what is not ours stays"
    );
}

#[test]
fn a_crash_keeps_the_log_and_its_folder_can_be_used_again() {
    let root = tempfile::tempdir().unwrap();
    let mut logger = start(root.path(), false).unwrap();
    log_an_epoch(&mut logger);
    drop(logger);
    let record = Record::read(&root.path().join("run")).unwrap();
    assert_eq!(record.summary.status, Status::Running);
    assert_eq!(record.history.rows().len(), 3);
    assert!(start(root.path(), false).is_ok());
}

#[test]
fn a_run_in_progress_is_never_replaced() {
    let root = tempfile::tempdir().unwrap();
    let _in_progress = start(root.path(), false).unwrap();
    for overwrite in [false, true] {
        let error = start(root.path(), overwrite).unwrap_err();
        assert!(matches!(error, ExperimentError::Busy { .. }), "{error}");
    }
}

#[test]
fn a_run_that_diverges_keeps_its_log_and_says_where() {
    let root = tempfile::tempdir().unwrap();
    let mut logger = start(root.path(), false).unwrap();
    log_an_epoch(&mut logger);
    let divergence =
        Divergence { epoch: 2, iteration: 3, quantity: "loss".into(), value: "NaN".into() };
    logger.diverge(divergence.clone()).unwrap();
    let record = Record::read(&root.path().join("run")).unwrap();
    assert_eq!(record.summary.status, Status::Diverged);
    assert_eq!(record.summary.diverged, Some(divergence));
    assert_eq!(record.history.rows().len(), 3);
    let error = start(root.path(), false).unwrap_err();
    assert!(matches!(error, ExperimentError::Exists { status: Status::Diverged, .. }));
}

#[test]
fn a_folder_that_is_no_record_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("run");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("thesis.txt"), "years of work").unwrap();
    for overwrite in [false, true] {
        let error = start(root.path(), overwrite).unwrap_err();
        assert!(matches!(error, ExperimentError::Foreign { .. }), "{error}");
    }
    assert_eq!(files(&directory), ["thesis.txt"]);
}

#[test]
fn what_a_file_manager_left_in_its_folder_does_not_block_a_run() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("run");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join(".DS_Store"), "").unwrap();
    finished(root.path());
    Record::read(&directory).unwrap();
}

#[test]
fn a_result_that_is_not_finite_is_not_recorded() {
    let root = tempfile::tempdir().unwrap();
    let mut logger = start(root.path(), false).unwrap();
    let results = log_an_epoch(&mut logger);
    let test = Some(Evaluation { loss: f64::INFINITY, ..results.train });
    let error = logger.finish(Results { test, ..results }, [("0.W".to_owned(), &weights())]);
    assert!(matches!(error, Err(ExperimentError::NotFinite { .. })));
}

/// A run whose validation set of two images was predicted, the second one wrongly.
fn predicted(root: &Path) -> PathBuf {
    let mut logger = start(root, false).unwrap();
    let results = log_an_epoch(&mut logger);
    let images = Array4::from_elem((2, 4, 4, 3), 7_u8);
    let probabilities = array![[0.9_f32, 0.1], [0.8, 0.2]];
    let predictions =
        Predictions::new(images.view(), &[0, 1], probabilities.view(), &["cat", "dog"]).unwrap();
    predictions.write::<f32>(logger.directory(), None).unwrap();
    logger.finish(results, [("0.W".to_owned(), &weights())]).unwrap();
    root.join("run")
}

#[test]
fn a_record_of_images_has_a_confusion_matrix_that_agrees_with_its_summary() {
    let root = tempfile::tempdir().unwrap();
    let directory = predicted(root.path());
    let confusion = Record::read(&directory).unwrap().confusion.unwrap();
    assert_eq!(confusion.counts(), &array![[1, 0], [1, 0]]);
    for (text, got) in [
        ("true,cat,dog\ncat,1,0\ndog,0,1\n", "2 examples, 0 of them wrong"),
        ("true,cat,dog\ncat,1,0\ndog,1,1\n", "3 examples, 1 of them wrong"),
    ] {
        fs::write(directory.join("confusion.csv"), text).unwrap();
        let error = Record::read(&directory).unwrap_err().to_string();
        assert!(error.contains("expected 2 examples, 1 of them wrong"), "{error}");
        assert!(error.contains("confusion.csv") && error.contains(got), "{error}");
    }
    start(root.path(), true).unwrap();
    assert_eq!(files(&directory), ["config.toml", "metrics.csv", "summary.json"], "all is anew");
}

#[test]
fn the_matrix_is_that_of_the_test_set_if_the_run_was_tested() {
    let root = tempfile::tempdir().unwrap();
    let directory = predicted(root.path());
    let summary = directory.join("summary.json");
    let text = fs::read_to_string(&summary).unwrap();
    let test = "\"test\": { \"examples\": 5, \"wrong\": 1, \"loss\": 1.0, \"error\": 0.2 }";
    fs::write(&summary, text.replace("\"test\": null", test)).unwrap();
    let error = Record::read(&directory).unwrap_err().to_string();
    assert!(error.contains("expected 5 examples, 1 of them wrong"), "{error}");
}

/// Damages one file of a finished record and returns what reading says.
fn read_damaged(file: &str, from: &str, to: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    finished(root.path());
    let path = root.path().join("run").join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    Record::read(&root.path().join("run")).unwrap_err().to_string()
}

#[test]
fn a_damaged_record_is_refused_with_the_reason() {
    for (file, from, to, reason) in [
        ("config.toml", "schema = 1", "schema = 2", "expected schema 1, but got 2"),
        ("config.toml", "schema = 1\n", "", "expected schema 1, but got none"),
        ("config.toml", "seed = 7\n", "", "missing field `seed`"),
        ("config.toml", "seed = 7", "sead = 7", "unknown field `sead`"),
        ("config.toml", "\"f32\"", "\"f16\"", "unknown variant `f16`"),
        ("config.toml", "\"run\"", "\"../run\"", "a model name must be"),
        ("config.toml", "sha256 = \"0", "sha256 = \"x", "64 lower-case hexadecimal digits"),
        ("config.toml", "schema = 1", "schema 1", "expected TOML"),
        ("summary.json", "\"schema\": 1", "\"schema\": 9", "expected schema 1, but got 9"),
        ("summary.json", "\"epochs\": 1,", "", "missing field `epochs`"),
        ("summary.json", "\"epochs\": 1", "\"epochs\": 2", "agrees with summary.json"),
        ("summary.json", "\"wrong\": 1", "\"wrong\": 2", "a consistent evaluation"),
        ("summary.json", "\"finished\"", "\"done\"", "unknown variant `done`"),
        ("summary.json", "\"finished\"", "\"diverged\"", "where the run diverged"),
        ("summary.json", "{", "", "expected JSON"),
        ("metrics.csv", "1,2,0.1,0.5,0.5", "1,2,0.1,0.5,0.4", "agrees with summary.json"),
        ("metrics.csv", "1,1,0.1,1.0", "1,1,0.1,inf", "finite numbers in line 3"),
    ] {
        let error = read_damaged(file, from, to);
        assert!(error.contains(reason), "{file}: {from} -> {to}: {error}");
        assert!(error.contains(file), "{error}");
    }
}

const EPOCH: u64 = 3;

fn log(logger: &mut Logger, iteration: u64) {
    let epoch = (iteration - 1) / EPOCH + 1;
    let batch_loss = 1.0 / iteration as f64;
    logger.iteration(&IterationMetrics { epoch, iteration, lr: 0.1, batch_loss }).unwrap();
}

fn log_epoch(logger: &mut Logger, epoch: u64) -> Results {
    let train = Evaluation::classification(0.5 / (epoch + 1) as f64, 1, 4);
    let iteration = EPOCH * epoch;
    logger.epoch(&EpochMetrics { epoch, iteration, train, validation: None }).unwrap();
    Results { train, validation: None, test: None }
}

fn point(logger: &Logger, epochs: u64, iteration: u64) -> ResumePoint {
    let metrics_sha256 = logger.history().sha256();
    ResumePoint { epochs, iteration, wall_seconds: logger.wall_seconds(), metrics_sha256 }
}

fn resume(root: &Path, point: &ResumePoint) -> Result<Logger, ExperimentError> {
    Logger::resume(&root.join("run"), &config("run"), program(), point)
}

/// Two epochs of three iterations, stopped after any of them, before or after the metrics of an
/// epoch; then more rows by a run that crashes, and from the first point on again.
#[test]
fn a_run_can_be_continued_from_any_point_to_the_byte() {
    let text = |root: &Path| fs::read_to_string(root.join("run/metrics.csv")).unwrap();
    let all = {
        let root = tempfile::tempdir().unwrap();
        let mut logger = start(root.path(), false).unwrap();
        run_from(&mut logger, 0, 0);
        text(root.path())
    };
    for iteration in 0..=2 * EPOCH {
        for epochs in [iteration / EPOCH, iteration.saturating_sub(1) / EPOCH] {
            for crash in [false, true] {
                let root = tempfile::tempdir().unwrap();
                let mut logger = start(root.path(), false).unwrap();
                log_epoch(&mut logger, 0);
                for done in 1..=iteration {
                    log(&mut logger, done);
                    if done % EPOCH == 0 && done / EPOCH <= epochs {
                        log_epoch(&mut logger, done / EPOCH);
                    }
                }
                let here = point(&logger, epochs, iteration);
                if crash {
                    run_from(&mut logger, epochs, iteration);
                    drop(logger);
                } else {
                    let summary = logger.interrupt().unwrap();
                    assert_eq!(summary.status, Status::Interrupted);
                    assert_eq!((summary.epochs, summary.iterations), (epochs, iteration));
                }
                // Twice: to continue and to crash at once loses nothing either.
                drop(resume(root.path(), &here).unwrap());
                let mut logger = resume(root.path(), &here).unwrap();
                assert!(logger.wall_seconds() >= here.wall_seconds);
                run_from(&mut logger, epochs, iteration);
                assert_eq!(text(root.path()), all, "{iteration}, {epochs}, {crash}");
            }
        }
    }
}

/// The rest of the two epochs.
fn run_from(logger: &mut Logger, epochs: u64, iteration: u64) {
    if iteration == 0 {
        log_epoch(logger, 0);
    }
    if iteration > 0 && iteration.is_multiple_of(EPOCH) && iteration / EPOCH > epochs {
        log_epoch(logger, iteration / EPOCH);
    }
    for iteration in iteration + 1..=2 * EPOCH {
        log(logger, iteration);
        if iteration.is_multiple_of(EPOCH) {
            log_epoch(logger, iteration / EPOCH);
        }
    }
}

#[test]
fn only_the_same_run_is_continued() {
    let root = tempfile::tempdir().unwrap();
    let mut logger = start(root.path(), false).unwrap();
    run_from(&mut logger, 0, 0);
    let here = point(&logger, 2, 6);
    let busy = resume(root.path(), &here).unwrap_err();
    assert!(matches!(busy, ExperimentError::Busy { .. }), "{busy}");
    logger.interrupt().unwrap();
    let record = Record::read(&root.path().join("run")).unwrap();
    assert_eq!(record.summary.status, Status::Interrupted);

    for (other, expected) in [
        (Config { seed: 8, ..config("run") }, "config.toml: expected seed 8 to continue"),
        (Config { dtype: Dtype::F64, ..config("run") }, "expected dtype f64"),
        (config("other"), "expected model_name other"),
    ] {
        let directory = root.path().join("run");
        let error = Logger::resume(&directory, &other, program(), &here).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let behind = ResumePoint { iteration: 7, ..here.clone() };
    let error = resume(root.path(), &behind).unwrap_err().to_string();
    assert!(error.contains("a row of iteration 7, as in the checkpoint"), "{error}");
    let other = ResumePoint { metrics_sha256: "0".repeat(64), ..here.clone() };
    let error = resume(root.path(), &other).unwrap_err().to_string();
    assert!(error.contains("when the checkpoint was written"), "{error}");
    assert_eq!(Record::read(&root.path().join("run")).unwrap(), record, "nothing was changed");

    let logger = resume(root.path(), &here).unwrap();
    let train = Evaluation::classification(0.5 / 3.0, 1, 4);
    let results = Results { train, validation: None, test: None };
    let summary = logger.finish(results, [("0.W".to_owned(), &weights())]).unwrap();
    assert_eq!((summary.status, summary.iterations), (Status::Finished, 6));
    Record::read(&root.path().join("run")).unwrap();
}

/// An editor on Windows or a spreadsheet may have saved the log.
#[test]
fn a_log_with_other_line_ends_or_spellings_is_continued() {
    let text = |root: &Path| fs::read_to_string(root.join("run/metrics.csv")).unwrap();
    for (from, to) in [("\n", "\r\n"), ("1.0", "1"), ("epoch,", "\u{feff}epoch,")] {
        let root = tempfile::tempdir().unwrap();
        let mut logger = start(root.path(), false).unwrap();
        run_from(&mut logger, 0, 0);
        let (here, all) = (point(&logger, 2, 6), text(root.path()));
        logger.interrupt().unwrap();
        assert!(all.contains(from));
        fs::write(root.path().join("run/metrics.csv"), all.replace(from, to)).unwrap();
        let logger = resume(root.path(), &here).unwrap();
        let busy = resume(root.path(), &here).unwrap_err();
        assert!(matches!(busy, ExperimentError::Busy { .. }), "{busy}");
        logger.interrupt().unwrap();
        assert_eq!(text(root.path()), all, "{from:?} -> {to:?}");
    }
}

#[test]
fn a_run_that_can_be_continued_is_only_overwritten_when_asked() {
    let root = tempfile::tempdir().unwrap();
    let checkpoint = root.path().join("run").join(LAST_CHECKPOINT);
    let interrupted = start(root.path(), false).unwrap();
    fs::create_dir(checkpoint.parent().unwrap()).unwrap();
    fs::write(&checkpoint, "weights").unwrap();
    interrupted.interrupt().unwrap();
    let error = start(root.path(), false).unwrap_err();
    assert!(matches!(error, ExperimentError::Unfinished { status: Status::Interrupted, .. }));
    assert!(error.to_string().contains("--resume") && error.to_string().contains("--overwrite"));
    drop(start(root.path(), true).unwrap());
    assert!(!checkpoint.exists(), "the old checkpoint is not one of the new run");

    // A crash.
    fs::write(&checkpoint, "weights").unwrap();
    let error = start(root.path(), false).unwrap_err();
    assert!(matches!(error, ExperimentError::Unfinished { status: Status::Running, .. }));
}
