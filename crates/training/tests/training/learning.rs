//! That a training learns, and says so when it does not.

use experiment::{LAST_CHECKPOINT, Record, Status};
use optim::Schedule;
use training::TrainingError;

use crate::tiny::{Setup, arrays, finish, images};

#[test]
fn the_loss_falls_and_images_never_seen_are_told_apart() {
    let mut setup = Setup::new(8);
    setup.train = images(200, 1);
    let model = setup.complete();
    let rows = Record::read(&setup.directory()).unwrap().history.rows().to_vec();
    let losses: Vec<f64> = rows.iter().filter_map(|row| row.val_loss).collect();
    assert_eq!(losses.len(), 9, "one before training and one after each epoch");
    assert!(losses[8] < 0.25 * losses[0], "{losses:?}");
    let (test, probabilities) = model.evaluate(&images(100, 3)).unwrap();
    // A guess is right in one case of three.
    assert!(test.error < 0.1, "{test:?}");
    let sums = probabilities.rows().into_iter().map(|row| row.sum());
    assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-5));
}

#[test]
fn the_norm_of_the_weights_is_logged_by_epoch() {
    let setup = Setup::new(1);
    let model = setup.complete();
    let rows = Record::read(&setup.directory()).unwrap().history.rows().to_vec();
    let norms: Vec<f64> = rows.iter().filter_map(|row| row.weight_norm).collect();
    let is_weight = |name: &str| name.ends_with(".W");
    let weights = model.network().parameters().filter(|(name, _)| is_weight(name));
    let square: f64 = weights.flat_map(|(_, w)| w).map(|&w| f64::from(w) * f64::from(w)).sum();
    assert_eq!(norms.len(), 2, "one before training and one after each epoch");
    assert!((norms[1] - square.sqrt()).abs() < 1e-9 && norms[0] != norms[1], "{norms:?}");
}

#[test]
fn each_epoch_is_one_line() {
    let setup = Setup::new(2);
    setup.complete();
    let lines = setup.lines.lock().unwrap();
    let record = Record::read(&setup.directory()).unwrap();
    let rows = record.history.rows().iter().filter(|row| row.train_loss.is_some());
    for (row, line) in rows.zip(&lines[..3]) {
        let result = |loss: Option<f64>, error: Option<f64>| {
            let accuracy = 100.0 * (1.0 - error.unwrap());
            format!("loss {:.4} accuracy {accuracy:.1} %", loss.unwrap())
        };
        let train = result(row.train_loss, row.train_error);
        let validation = result(row.val_loss, row.val_error);
        let start = format!("epoch {}/2  training {train}  validation {validation}  ", row.epoch);
        assert!(line.starts_with(&start) && line.ends_with(" s"), "{line}");
        assert_eq!(line.contains(" images/s  "), row.epoch > 0, "{line}");
    }
    assert!(lines.iter().all(|line| !line.starts_with('!')), "{lines:?}");
}

#[test]
fn a_training_that_diverges_keeps_its_log_and_its_checkpoints() {
    let mut setup = Setup::new(3);
    setup.config.schedule = Schedule::Constant { lr: 1e30 };
    let error = setup.run(setup.begin().unwrap()).unwrap_err();
    assert!(matches!(error, TrainingError::Diverged { .. }), "{error}");
    assert!(error.to_string().contains("lower the learning rate"), "{error}");
    let record = Record::read(&setup.directory()).unwrap();
    assert_eq!(record.summary.status, Status::Diverged);
    assert!(record.summary.diverged.is_some());
    assert!(!record.history.rows().is_empty());
    assert_eq!(setup.last().provenance.epochs, 0, "the state before training");
    assert!(setup.directory().join(LAST_CHECKPOINT).exists());
}

#[test]
fn a_profile_says_where_the_time_went_and_changes_no_bit() {
    let plain = Setup::new(1);
    let expected = arrays(&plain.complete());
    let setup = Setup::new(1);
    let mut run = setup.begin().unwrap();
    run.profile();
    let model = finish(setup.run(run).unwrap());
    assert_eq!(arrays(&model), expected);
    let lines = setup.lines.lock().unwrap();
    let tables: Vec<_> =
        lines.iter().filter(|l| l.starts_with("where a step's time goes")).collect();
    assert_eq!(tables.len(), 1, "{lines:?}");
    // A title, a head, data, the layers, loss, optimiser, rest.
    assert_eq!(tables[0].lines().count(), 6 + setup.spec.layers.len(), "{}", tables[0]);
    assert!(plain.lines.lock().unwrap().iter().all(|line| !line.contains("time goes")));
}
