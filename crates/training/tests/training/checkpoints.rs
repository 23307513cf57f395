//! Which checkpoints there are, and what becomes of damaged ones.

use std::fs;
use std::path::PathBuf;

use experiment::{BEST_CHECKPOINT, LAST_CHECKPOINT, Record, Status};
use layers::FullyConnectedConfig;
use safetensors::serialize;
use safetensors::tensor::{Dtype, TensorView};
use training::{Checkpoint, LayerSpec};

use crate::tiny::{STEPS, Setup, finish, images};

#[test]
fn last_is_the_last_epoch_and_best_the_first_of_the_smallest_error() {
    let setup = Setup::new(6);
    setup.complete();
    let record = Record::read(&setup.directory()).unwrap();
    let errors: Vec<(u64, f64)> = record
        .history
        .rows()
        .iter()
        .filter(|row| row.epoch > 0)
        .filter_map(|row| Some((row.epoch, row.val_error?)))
        .collect();
    assert_eq!(errors.len(), 6);
    let smallest = errors.iter().map(|(_, error)| *error).fold(f64::INFINITY, f64::min);
    let (first, _) = *errors.iter().find(|(_, error)| *error == smallest).unwrap();

    // Ties keep the earlier one: the later epochs reach the same error.
    assert!(errors.iter().filter(|(_, error)| *error == smallest).count() > 1, "{errors:?}");
    let Checkpoint { model, provenance, .. } =
        Checkpoint::load(&setup.directory().join(BEST_CHECKPOINT)).unwrap();
    assert_eq!(provenance.epochs, first);
    assert_eq!(provenance.validation.unwrap().error, smallest);
    let (measured, _) = model.evaluate(setup.validation.as_ref().unwrap()).unwrap();
    assert_eq!(Some(measured), provenance.validation);
    assert_eq!(setup.last().provenance.epochs, 6);
    let lines = setup.lines.lock().unwrap();
    let said = lines.iter().rev().take(2).cloned().collect::<Vec<_>>().join("\n");
    assert!(said.contains("last.safetensors (epoch 6,"), "{said}");
    assert!(said.contains(&format!("best.safetensors (epoch {first},")), "{said}");
}

#[test]
fn without_a_validation_set_there_is_no_best_one() {
    let mut setup = Setup::new(1);
    setup.validation = None;
    setup.complete();
    assert!(!setup.directory().join(BEST_CHECKPOINT).exists());
    assert_eq!(setup.last().provenance.validation, None);
}

#[test]
fn the_result_on_the_test_set_is_noted_with_the_weights() {
    let setup = Setup::new(1);
    let finished = setup.run(setup.begin().unwrap()).unwrap().unwrap();
    let (test, _) = finished.run.model().evaluate(&images(10, 3)).unwrap();
    let (_, summary) = finished.finish(Some(test)).unwrap();
    assert_eq!(summary.test, Some(test));
    assert_eq!(setup.last().provenance.test, Some(test));
}

/// A checkpoint in the middle of an epoch.
fn interrupted() -> (Setup, PathBuf) {
    let setup = Setup::new(2);
    setup.run_until(setup.begin().unwrap(), STEPS + 1).unwrap();
    let path = setup.directory().join(LAST_CHECKPOINT);
    (setup, path)
}

#[test]
fn a_damaged_or_missing_checkpoint_changes_nothing() {
    let (setup, path) = interrupted();
    let bytes = fs::read(&path).unwrap();
    let log = setup.metrics();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("last.safetensors: expected a complete safetensors file"), "{error}");
    fs::remove_file(&path).unwrap();
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("last.safetensors: expected a checkpoint that can be read"), "{error}");
    assert_eq!(setup.metrics(), log, "the log is as it was");
}

#[test]
fn a_safetensors_file_of_another_program_is_refused() {
    let data = [0; 4];
    let view = TensorView::new(Dtype::F32, vec![1], &data).unwrap();
    let bytes = serialize([("w", view)], None).unwrap();
    let error = Checkpoint::from_bytes("c", &bytes).unwrap_err().to_string();
    assert!(error.contains("a checkpoint of this program, which has a format_version"), "{error}");
}

#[test]
fn another_architecture_is_refused_with_what_differs() {
    let (mut setup, _) = interrupted();
    let log = setup.metrics();
    setup.spec.layers[4] = LayerSpec::FullyConnected(FullyConnectedConfig {
        activation: activations::Activation::TanH,
        ..FullyConnectedConfig::new(3)
    });
    setup.spec.mean[1] = 0.5;
    let error = setup.resume().unwrap_err().to_string();
    let differences = "because the model is another one:\n  \
                       layers[4].activation: \"linear\" in the checkpoint, \"tanh\" now\n  \
                       mean[1]: 0.35 in the checkpoint, 0.5 now\nGive the same settings";
    assert!(error.contains(differences), "{error}");
    assert_eq!(setup.metrics(), log);
}

#[test]
fn after_a_checkpoint_that_cannot_be_written_the_run_continues_from_the_old_one() {
    let (setup, path) = interrupted();
    let metrics = setup.metrics();
    let resumed = setup.resume().unwrap();
    // A folder in its place: permissions do not stop a superuser.
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    let error = setup.run(resumed).unwrap_err().to_string();
    assert!(error.starts_with("cannot write "), "{error}");
    let record = Record::read(&setup.directory()).unwrap();
    assert_eq!(record.summary.status, Status::Running);
    assert!(setup.metrics().starts_with(&metrics));

    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    finish(setup.run(setup.resume().unwrap()).unwrap());
    let reference = Setup::new(2);
    reference.complete();
    assert_eq!(setup.metrics(), reference.metrics());
}
