//! The record of a run, from the first row to the last byte.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use experiment::{
    BEST_CHECKPOINT, Config, Data, Divergence, EpochMetrics, Evaluation, ExperimentError,
    IterationMetrics, LAST_CHECKPOINT, Logger, MetricsSink, Predictions, Program, Record,
    ResumePoint, Status,
};
use ndarray::{Array4, ArrayD, array};
use ndarray_npy::NpzReader;
use system::for_tests::names;
use tempfile::tempdir;

fn config(name: &str) -> Config {
    let data =
        Data { name: "toy".into(), sha256: "0".repeat(64), train: 4, validation: 2, test: 2 };
    let name = name.parse().unwrap();
    let hyperparameters = BTreeMap::from([("lr", 0.1)]);
    Config::new(name, "ffnn train", 7, data, &hyperparameters).unwrap()
}

fn program() -> Program {
    Program { name: "test".into(), version: "1.2.3".into(), revision: None }
}

fn start(root: &Path, overwrite: bool) -> Result<Logger, ExperimentError> {
    Logger::create(root, &config("run"), program(), overwrite)
}

/// Claims that no run may be started there, for this reason.
fn assert_refused(root: &Path, overwrite: bool, reason: &str) {
    let error = start(root, overwrite).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
}

/// A run has two epochs of so many iterations.
const EPOCH: u64 = 3;

fn results(epoch: u64) -> EpochMetrics {
    let train = Evaluation::classification(0.5 / (epoch + 1) as f64, 1, 4);
    let validation = Some(Evaluation::classification(0.75, 1, 2));
    EpochMetrics { epoch, iteration: EPOCH * epoch, train, validation, weight_norm: 2.5 }
}

/// A run that has logged all its epochs, in a folder of its own.
fn logged(root: &Path) -> Logger {
    start_and_log(root, false)
}

fn start_and_log(root: &Path, overwrite: bool) -> Logger {
    let mut logger = start(root, overwrite).unwrap();
    logger.epoch(&results(0)).unwrap();
    for iteration in 1..=2 * EPOCH {
        let (epoch, batch_loss) = (iteration.div_ceil(EPOCH), 1.0 / iteration as f64);
        logger.iteration(&IterationMetrics { epoch, iteration, lr: 0.1, batch_loss }).unwrap();
        if iteration == epoch * EPOCH {
            logger.epoch(&results(epoch)).unwrap();
        }
    }
    logger
}

fn weights() -> ArrayD<f32> {
    array![[1.0, 2.0]].into_dyn()
}

fn finish(logger: Logger) {
    logger.finish(&results(2), None, [("0.W".to_owned(), &weights())]).unwrap();
}

fn metrics(root: &Path) -> String {
    fs::read_to_string(root.join("run/metrics.csv")).unwrap()
}

const RESULTS: [&str; 6] =
    ["accuracy.svg", "config.toml", "loss.svg", "metrics.csv", "parameters.npz", "summary.json"];

#[test]
fn a_finished_run_reads_back_as_it_was_logged() {
    let root = tempdir().unwrap();
    let directory = root.path().join("run");
    // What a file manager left does not block a run.
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join(".DS_Store"), "").unwrap();
    finish(logged(root.path()));
    let record = Record::read(&directory).unwrap();
    assert_eq!(record.config, config("run"));
    let summary = &record.summary;
    assert_eq!((summary.status, summary.epochs, summary.iterations), (Status::Finished, 2, 6));
    assert_eq!((summary.train, summary.test), (Some(results(2).train), None));
    assert!(
        summary.peak_memory_bytes.is_some_and(|bytes| bytes > 1 << 20)
            || !cfg!(target_os = "linux")
    );
    assert_eq!(record.history.rows().len(), 7);
    assert_eq!(record.confusion, None);
    assert_eq!(
        metrics(root.path()),
        "epoch,iteration,lr,batch_loss,train_loss,train_error,val_loss,val_error,weight_norm\n\
         0,0,,,0.5,0.25,0.75,0.5,2.5\n\
         1,1,0.1,1.0,,,,,\n\
         1,2,0.1,0.5,,,,,\n\
         1,3,0.1,0.3333333333333333,0.25,0.25,0.75,0.5,2.5\n\
         2,4,0.1,0.25,,,,,\n\
         2,5,0.1,0.2,,,,,\n\
         2,6,0.1,0.16666666666666666,0.16666666666666666,0.25,0.75,0.5,2.5\n"
    );
    assert_eq!(names(&directory), RESULTS);
    let arrays = File::open(directory.join("parameters.npz")).unwrap();
    let w: ArrayD<f32> = NpzReader::new(arrays).unwrap().by_name("0.W").unwrap();
    assert_eq!(w, weights());
    let plot = fs::read_to_string(directory.join("accuracy.svg")).unwrap();
    assert!(plot.contains("<title>Accuracy by epoch</title>"));
}

#[test]
fn a_finished_run_is_overwritten_only_when_asked() {
    let root = tempdir().unwrap();
    finish(logged(root.path()));
    let before = metrics(root.path());
    assert_refused(
        root.path(),
        false,
        "holds a finished record: choose another model name, or pass",
    );
    assert_eq!(metrics(root.path()), before);

    fs::write(root.path().join("run/notes.txt"), "mine").unwrap();
    let logger = start(root.path(), true).unwrap();
    assert_eq!(
        names(logger.directory()),
        ["config.toml", "metrics.csv", "notes.txt", "summary.json"],
        "what was learned before is gone, what is not ours stays"
    );
    for overwrite in [false, true] {
        assert_refused(root.path(), overwrite, "is being written by another process");
    }
}

#[test]
fn a_crash_keeps_the_log_and_its_folder_can_be_used_again() {
    let root = tempdir().unwrap();
    drop(logged(root.path()));
    let record = Record::read(&root.path().join("run")).unwrap();
    assert_eq!(record.summary.status, Status::Running);
    assert_eq!(record.history.rows().len(), 7);
    assert!(start(root.path(), false).is_ok());
}

#[test]
fn what_a_killed_process_left_in_a_record_is_removed() {
    let root = tempdir().unwrap();
    let directory = root.path().join("run");
    let left = [".tmpAbC123", "checkpoints/.tmp000000"].map(|name| directory.join(name));
    for overwrite in [false, true] {
        let logger = start_and_log(root.path(), true);
        let here = point(&logger, 2, 6);
        drop(logger);
        fs::create_dir_all(directory.join("checkpoints")).unwrap();
        left.iter().for_each(|file| fs::write(file, "half").unwrap());
        fs::write(directory.join(".tmp"), "mine").unwrap();
        drop(match overwrite {
            true => start(root.path(), true).unwrap(),
            false => resume(root.path(), &here).unwrap(),
        });
        assert!(left.iter().all(|file| !file.exists()), "{:?}", names(&directory));
        assert!(directory.join(".tmp").exists());
    }
}

/// A folder in place of a file stops the removal at every point of it, as the end of the process would.
#[test]
fn a_record_half_of_which_is_overwritten_is_no_finished_one_and_can_be_overwritten() {
    let root = tempdir().unwrap();
    let directory = root.path().join("run");
    finish(logged(root.path()));
    fs::create_dir(directory.join("checkpoints")).unwrap();
    for name in [LAST_CHECKPOINT, BEST_CHECKPOINT, "config.toml", "parameters.npz", "confusion.csv"]
    {
        let obstacle = directory.join(name);
        let _ = fs::remove_file(&obstacle);
        fs::create_dir(&obstacle).unwrap();
        assert_refused(root.path(), true, "cannot remove ");
        assert_ne!(experiment::status(&directory).unwrap(), Some(Status::Finished), "{name}");
        fs::remove_dir(&obstacle).unwrap();
        finish(start_and_log(root.path(), true));
        assert_eq!(experiment::status(&directory).unwrap(), Some(Status::Finished), "{name}");
    }
}

#[test]
fn a_run_that_diverges_keeps_its_log_and_says_where() {
    let root = tempdir().unwrap();
    let divergence =
        Divergence { epoch: 2, iteration: 3, quantity: "loss".into(), value: "NaN".into() };
    logged(root.path()).diverge(divergence.clone()).unwrap();
    let record = Record::read(&root.path().join("run")).unwrap();
    assert_eq!(record.summary.status, Status::Diverged);
    assert_eq!(record.summary.diverged, Some(divergence));
    assert_eq!(record.history.rows().len(), 7);
    assert_refused(root.path(), false, "holds a diverged record");
}

#[test]
fn a_folder_that_is_no_record_is_left_alone() {
    let root = tempdir().unwrap();
    let directory = root.path().join("run");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("thesis.txt"), "years of work").unwrap();
    for overwrite in [false, true] {
        assert_refused(root.path(), overwrite, "because it holds thesis.txt, which is no part of");
    }
    assert_eq!(names(&directory), ["thesis.txt"]);
}

#[test]
fn a_number_that_cannot_be_written_is_not_recorded() {
    let root = tempdir().unwrap();
    let mut logger = logged(root.path());
    let iteration = IterationMetrics { epoch: 3, iteration: 7, lr: 0.1, batch_loss: f64::NAN };
    let error = logger.iteration(&iteration).unwrap_err().to_string();
    assert!(error.contains("must be a finite number to be recorded, but is NaN"), "{error}");
    assert_eq!(logger.history().rows().len(), 7);
    let test = Some(Evaluation { loss: f64::INFINITY, ..results(2).train });
    let error = logger.finish(&results(2), test, [("0.W".to_owned(), &weights())]);
    assert!(error.unwrap_err().to_string().contains("to be recorded, but is inf"));
}

/// A run whose validation set of two images was predicted, the second one wrongly.
fn predicted(root: &Path) -> PathBuf {
    let logger = logged(root);
    let images = Array4::from_elem((2, 4, 4, 3), 7_u8);
    let probabilities = array![[0.9_f32, 0.1], [0.8, 0.2]];
    let predictions =
        Predictions::new(images.view(), &[0, 1], probabilities.view(), &["cat", "dog"]).unwrap();
    predictions.write(logger.directory(), None).unwrap();
    finish(logger);
    root.join("run")
}

#[test]
fn a_record_of_images_has_a_confusion_matrix_that_agrees_with_its_summary() {
    let root = tempdir().unwrap();
    let directory = predicted(root.path());
    let confusion = Record::read(&directory).unwrap().confusion.unwrap();
    assert_eq!(confusion.counts(), &array![[1, 0], [1, 0]]);
    let refused = |expected: &str, got: &str| {
        let error = Record::read(&directory).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(got), "{error}");
        assert!(error.contains("confusion.csv"), "{error}");
    };
    for (text, got) in [
        ("true,cat,dog\ncat,1,0\ndog,0,1\n", "2 examples, 0 of them wrong"),
        ("true,cat,dog\ncat,1,0\ndog,1,1\n", "3 examples, 1 of them wrong"),
    ] {
        fs::write(directory.join("confusion.csv"), text).unwrap();
        refused("expected 2 examples, 1 of them wrong", got);
    }
    // It is that of the test set if the run was tested.
    let summary = directory.join("summary.json");
    let text = fs::read_to_string(&summary).unwrap();
    let test = "\"test\": { \"examples\": 5, \"wrong\": 1, \"loss\": 1.0, \"error\": 0.2 }";
    fs::write(&summary, text.replace("\"test\": null", test)).unwrap();
    refused("expected 5 examples, 1 of them wrong", "3 examples");
    start(root.path(), true).unwrap();
    assert_eq!(names(&directory), ["config.toml", "metrics.csv", "summary.json"], "all is anew");
}

#[test]
fn a_damaged_record_is_refused_with_the_reason() {
    let root = tempdir().unwrap();
    finish(logged(root.path()));
    for (file, from, to, reason) in [
        ("config.toml", "schema = 1", "schema = 2", "expected schema 1, but got 2: write"),
        ("config.toml", "schema = 1\n", "", "expected schema 1, but got none"),
        ("config.toml", "seed = 7\n", "", "missing field `seed`"),
        ("config.toml", "seed = 7", "sead = 7", "unknown field `sead`"),
        ("config.toml", "\"f32\"", "\"f16\"", "unknown variant `f16`"),
        ("config.toml", "\"run\"", "\"../run\"", "a model name must be"),
        ("config.toml", "schema = 1", "schema 1", "expected TOML"),
        ("summary.json", "\"schema\": 1", "\"schema\": 9", "expected schema 1, but got 9"),
        ("summary.json", "\"epochs\": 2,", "", "missing field `epochs`"),
        ("summary.json", "\"epochs\": 2", "\"epochs\": 3", "as summary.json says"),
        ("summary.json", "\"wrong\": 1", "\"wrong\": 2", "a consistent evaluation"),
        ("summary.json", "\"finished\"", "\"done\"", "unknown variant `done`"),
        ("summary.json", "{", "", "expected JSON"),
        ("metrics.csv", "epoch,iteration", "epochs,iteration", "unknown field `epochs`"),
        ("metrics.csv", "0.5,2.5\n1", "0.5,2.5,1\n1", "line: 2"),
        ("metrics.csv", "1,1,0.1,1.0", "1,1,0.1,x", "line: 3"),
        ("metrics.csv", "1,1,0.1,1.0", "1,1,0.1,inf", "expected finite numbers"),
        ("metrics.csv", "1,1,0.1", "1,1,", "lr and batch_loss from iteration 1 on"),
        ("metrics.csv", "1,2,0.1", "1,1,0.1", "rows in order"),
        (
            "metrics.csv",
            "2,6,0.1,0.16666666666666666,0.1",
            "2,6,0.1,0.1,0.2",
            "as summary.json says",
        ),
    ] {
        let path = root.path().join("run").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = Record::read(&root.path().join("run")).unwrap_err().to_string();
        assert!(error.contains(reason), "{file}: {from} -> {to}: {error}");
        assert!(error.contains(file), "{error}");
        fs::write(&path, text).unwrap();
    }
}

fn point(logger: &Logger, epochs: u64, iteration: u64) -> ResumePoint {
    let metrics_sha256 = logger.history().sha256();
    ResumePoint { epochs, iteration, wall_seconds: logger.wall_seconds(), metrics_sha256 }
}

fn resume(root: &Path, point: &ResumePoint) -> Result<Logger, ExperimentError> {
    Logger::resume(&root.join("run"), &config("run"), program(), point)
}

#[test]
fn only_the_same_run_is_continued() {
    let root = tempdir().unwrap();
    let directory = root.path().join("run");
    let logger = logged(root.path());
    let here = point(&logger, 2, 6);
    let refused = |config: &Config, point: &ResumePoint, expected: &str| {
        let error = Logger::resume(&directory, config, program(), point).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let same = config("run");
    refused(&same, &here, "is being written by another process");
    logger.interrupt().unwrap();
    let record = Record::read(&directory).unwrap();
    let other = Config { seed: 8, ..config("run") };
    refused(&other, &here, "config.toml: expected the run run with seed 8");
    refused(&config("other"), &here, "expected the run other with seed 7");
    let behind = ResumePoint { iteration: 7, ..here.clone() };
    refused(&same, &behind, "a row of iteration 7, as in the checkpoint");
    let other = ResumePoint { metrics_sha256: "0".repeat(64), ..here.clone() };
    refused(&same, &other, "when the checkpoint was written");
    assert_eq!(Record::read(&directory).unwrap(), record, "nothing was changed");

    finish(resume(root.path(), &here).unwrap());
    let summary = Record::read(&directory).unwrap().summary;
    assert_eq!((summary.status, summary.iterations), (Status::Finished, 6));
}

/// An editor on Windows or a spreadsheet may have saved the log.
#[test]
fn a_log_with_other_line_ends_or_spellings_is_continued() {
    for (from, to) in [("\n", "\r\n"), ("1.0", "1"), ("epoch,", "\u{feff}epoch,")] {
        let root = tempdir().unwrap();
        let logger = logged(root.path());
        let (here, all) = (point(&logger, 2, 6), metrics(root.path()));
        logger.interrupt().unwrap();
        assert!(all.contains(from));
        fs::write(root.path().join("run/metrics.csv"), all.replace(from, to)).unwrap();
        let logger = resume(root.path(), &here).unwrap();
        let busy = resume(root.path(), &here).unwrap_err().to_string();
        assert!(busy.contains("is being written by another process"), "{busy}");
        logger.interrupt().unwrap();
        assert_eq!(metrics(root.path()), all, "{from:?} -> {to:?}");
    }
}

#[test]
fn a_run_that_can_be_continued_is_only_overwritten_when_asked() {
    let root = tempdir().unwrap();
    let checkpoint = root.path().join("run").join(LAST_CHECKPOINT);
    let interrupted = start(root.path(), false).unwrap();
    fs::create_dir(checkpoint.parent().unwrap()).unwrap();
    fs::write(&checkpoint, "weights").unwrap();
    interrupted.interrupt().unwrap();
    let reason = "holds a run that is not finished (interrupted): continue it with --resume, choose \
                  another model name, or pass --overwrite";
    assert_refused(root.path(), false, reason);
    drop(start(root.path(), true).unwrap());
    assert!(!checkpoint.exists(), "the old checkpoint is not one of the new run");

    // A crash.
    fs::write(&checkpoint, "weights").unwrap();
    assert_refused(root.path(), false, "holds a run that is not finished (running): continue it");
}
