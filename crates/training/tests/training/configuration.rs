//! What is refused before anything is trained.

use std::fs;

use datasets::ImageSet;
use layers::FullyConnectedConfig;
use ndarray::{Array4, s};
use numerics::Rng;
use optim::{OptimiserConfig, ParameterGroup, Schedule};
use training::{ImageBatches, LayerSpec, Model, ModelSpec, RunConfig, TrainingError};

use crate::tiny::{AUGMENTATION, CLASSES, SEED, STEPS, Setup, finish, images, spec};

fn triangular(total_steps: u64) -> Schedule {
    let (peak_lr, peak_step) = (0.05, 2);
    let (start_fraction, end_fraction) = (0.1, 0.0);
    Schedule::Triangular { peak_lr, total_steps, peak_step, start_fraction, end_fraction }
}

fn linear(total_steps: u64) -> Schedule {
    Schedule::Linear { lr: 0.05, total_steps }
}

/// What building this description says.
fn refused(change: impl FnOnce(&mut ModelSpec)) -> String {
    let mut spec = spec();
    change(&mut spec);
    Model::build(spec, &mut Rng::new(0)).unwrap_err().to_string()
}

#[test]
fn a_description_that_contradicts_itself_is_refused() {
    let first = LayerSpec::FullyConnected(FullyConnectedConfig::new(3));
    type Change = Box<dyn FnOnce(&mut ModelSpec)>;
    let cases: [(Change, &str); 8] = [
        (
            Box::new(|spec| spec.mean.push(0.0)),
            "model \"tiny\": the number of means must be 2, one for each channel, but is 3",
        ),
        (
            Box::new(|spec| spec.std[0] = 0.0),
            "a standard deviation must be finite and above 0, but is 0",
        ),
        (Box::new(|spec| spec.mean[0] = f64::NAN), "a mean must be finite, but is NaN"),
        (
            Box::new(|spec| spec.class_names.push("right".to_owned())),
            "must be [4], one logit for each class, but is [3]",
        ),
        (
            Box::new(|spec| spec.class_names.truncate(1)),
            "the number of classes must be at least 2, but is 1",
        ),
        (
            Box::new(|spec| spec.input_shape[1] = 0),
            "the input shape must be [rows, cols, channels]",
        ),
        (Box::new(|spec| spec.layers.clear()), "at least one layer"),
        (Box::new(|spec| spec.layers[0] = first), "layer 0 (from 0)"),
    ];
    for (change, expected) in cases {
        let error = refused(change);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn images_of_another_size_or_other_classes_are_refused() {
    let model = Model::build(spec(), &mut Rng::new(0)).unwrap();
    let error = model.predict(Array4::zeros((2, 6, 5, 2)).view()).unwrap_err().to_string();
    let expected =
        "model \"tiny\" takes images of shape (n, 6, 6, 2) with n >= 1, but got [2, 6, 5, 2]";
    assert_eq!(error, expected);
    assert!(model.predict(Array4::zeros((0, 6, 6, 2)).view()).is_err());
    let set = ImageSet::new(Array4::zeros((1, 6, 6, 2)), vec![0], &["a", "b", "c"]).unwrap();
    assert!(matches!(model.evaluate(&set), Err(TrainingError::Classes { .. })));
    for size in [0, 30] {
        let set = images(29, 0);
        let error = ImageBatches::new(&set, &model, size, 0, AUGMENTATION).unwrap_err();
        assert!(error.to_string().contains("from 1 to the number of examples, 29"), "{error}");
    }
}

#[test]
fn a_prediction_does_not_depend_on_the_other_images() {
    let model = Model::build(spec(), &mut Rng::new(0)).unwrap();
    let set = images(150, 4);
    let all = model.predict(set.images().view()).unwrap();
    assert_eq!(all.dim(), (150, CLASSES.len()));
    // Sums of rows may be taken in another order in a smaller product, so not to the bit.
    let some = model.predict(set.images().slice(s![140.., .., .., ..])).unwrap();
    let difference = (&all.slice(s![140.., ..]) - &some).mapv(f32::abs);
    assert!(difference.iter().all(|&d| d <= 1e-6), "{difference}");
}

#[test]
fn each_field_of_the_configuration_must_be_as_it_was() {
    let mut setup = Setup::new(2);
    setup.run_until(setup.begin().unwrap(), 3).unwrap();
    let before = setup.config.clone();
    let error = |setup: &Setup| setup.resume().unwrap_err().to_string();
    setup.config.batch_size = 4;
    setup.config.sgd.momentum = 0.5;
    setup.config.augmentation = "none".to_owned();
    let text = error(&setup);
    for line in [
        "because the configuration is another one",
        "\n  augmentation: \"flip random\" in the checkpoint, \"none\" now",
        "\n  batch_size: 8 in the checkpoint, 4 now",
        "\n  sgd.momentum: 0.9 in the checkpoint, 0.5 now",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("label_smoothing"), "only what differs: {text}");
    setup.config = before.clone();
    setup.config.seed = 8;
    assert!(error(&setup).contains("seed: 7 in the checkpoint, 8 now"));
    setup.config = before.clone();
    setup.config.data_sha256 = "b".repeat(64);
    assert!(error(&setup).contains("data_sha256: "));
    setup.config = before;
    finish(setup.run(setup.resume().unwrap()).unwrap());
}

#[test]
fn a_schedule_with_an_end_cannot_be_extended() {
    let mut setup = Setup::new(2);
    setup.config.schedule = triangular(2 * STEPS);
    setup.run_until(setup.begin().unwrap(), 3).unwrap();
    setup.config.epochs = 3;
    let same = setup.resume().unwrap_err().to_string();
    setup.config.schedule = triangular(3 * STEPS);
    for error in [same, setup.resume().unwrap_err().to_string()] {
        assert!(error.contains("cannot be continued to epoch 3"), "{error}");
        assert!(error.contains("a schedule of 8 steps, which was made for 2 epochs"), "{error}");
    }
    (setup.config.epochs, setup.config.schedule) = (2, triangular(2 * STEPS));
    finish(setup.run(setup.resume().unwrap()).unwrap());
}

#[test]
fn a_schedule_of_another_length_is_refused() {
    for schedule in [triangular, linear] {
        let mut setup = Setup::new(2);
        setup.config.schedule = schedule(5);
        let error = setup.run(setup.begin().unwrap()).unwrap_err().to_string();
        assert!(error.contains("must be 8, 2 epochs of 4 steps, but is 5"), "{error}");
    }
}

#[test]
fn the_schedule_of_a_group_may_end_early_but_not_late() {
    let mut setup = Setup::grouped(2);
    setup.config.schedule = linear(2 * STEPS);
    setup.config.groups[0].schedule = Some(linear(2 * STEPS + 1));
    let error = setup.run(setup.begin().unwrap()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the number of steps of the schedule of a parameter group must be at most 8, 2 epochs of 4 \
         steps, but is 9"
    );
    let mut setup = Setup::grouped(2);
    setup.config.groups[0].schedule = Some(linear(3));
    setup.run_until(setup.begin().unwrap(), 3).unwrap();
    setup.config.epochs = 3;
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("a schedule of 3 steps, which was made for 2 epochs"), "{error}");
    setup.config.epochs = 2;
    finish(setup.run(setup.resume().unwrap()).unwrap());
}

#[test]
fn groups_that_do_not_fit_begin_no_record() {
    let error = |change: fn(&mut Vec<ParameterGroup>)| {
        let mut setup = Setup::grouped(2);
        change(&mut setup.config.groups);
        let error = setup.begin().unwrap_err().to_string();
        assert!(!setup.directory().exists());
        error
    };
    let unknown = error(|groups| groups[0].parameters[0] = "2.W".to_owned());
    assert_eq!(
        unknown,
        "parameter group 0: expected parameters of the network (0.W, 0.b, 1.beta, 1.gamma, 4.W, \
         4.b), but got 2.W"
    );
    let twice = error(|groups| groups[2].parameters.push("4.W".to_owned()));
    assert!(twice.contains("got 4.W, which group 1 has already"), "{twice}");
    let vector = error(|groups| groups[0].parameters.push("1.beta".to_owned()));
    assert!(vector.starts_with("Muon needs a matrix: parameter 1.beta"), "{vector}");
}

#[test]
fn the_groups_must_be_as_they_were() {
    let mut setup = Setup::grouped(2);
    setup.run_until(setup.begin().unwrap(), 3).unwrap();
    let before = setup.config.clone();
    let OptimiserConfig::Muon(muon) = &mut setup.config.groups[0].optimiser else {
        panic!("the first group is Muon's");
    };
    muon.momentum = 0.5;
    let error = setup.resume().unwrap_err().to_string();
    let line = "\n  groups[0].optimiser.momentum: 0.6 in the checkpoint, 0.5 now\n";
    assert!(error.contains(line), "{error}");
    setup.config.groups.clear();
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("\n  groups: [{"), "{error}");
    setup.config = before;
    finish(setup.run(setup.resume().unwrap()).unwrap());
}

#[test]
fn a_configuration_without_groups_does_not_speak_of_them() {
    let config = Setup::new(1).config;
    let text = serde_json::to_string(&config).unwrap();
    assert!(!text.contains("groups"), "{text}");
    assert_eq!(serde_json::from_str::<RunConfig>(&text).unwrap(), config);
    let grouped = Setup::grouped(1).config;
    let text = serde_json::to_string(&grouped).unwrap();
    assert_eq!(serde_json::from_str::<RunConfig>(&text).unwrap(), grouped);
}

#[test]
fn a_training_that_has_run_its_epochs_has_nothing_to_continue() {
    let mut setup = Setup::new(1);
    setup.complete();
    let error = setup.resume().unwrap_err().to_string();
    assert!(
        error.contains("it has completed 1 epochs already; ask for more with --epochs"),
        "{error}"
    );
    setup.config.epochs = 2;
    finish(setup.run(setup.resume().unwrap()).unwrap());

    let mut setup = Setup::new(1);
    setup.config.schedule = linear(STEPS);
    setup.complete();
    let error = setup.resume().unwrap_err().to_string();
    let ended = "it has completed 1 epochs already; its learning rate has come to the end of its \
                 schedule, so there is nothing to continue";
    assert!(error.contains(ended), "{error}");
}

#[test]
fn a_log_that_was_edited_is_not_continued() {
    let setup = Setup::new(2);
    setup.run_until(setup.begin().unwrap(), 3).unwrap();
    let log = setup.directory().join("metrics.csv");
    let text = setup.metrics();
    let shorter = text.lines().take(3).fold(String::new(), |all, line| all + line + "\n");
    fs::write(&log, shorter).unwrap();
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("a row of iteration 3, as in the checkpoint"), "{error}");
    fs::write(&log, text.replacen("1,2,", "1,2,1", 1)).unwrap();
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("rows that there were when the checkpoint was written"), "{error}");
    fs::write(&log, text).unwrap();
    assert!(setup.resume().is_ok());
}

#[test]
fn numbers_out_of_range_begin_no_record() {
    let mut setup = Setup::new(0);
    assert!(setup.begin().unwrap_err().to_string().contains("the number of epochs"));
    setup.config.epochs = 1;
    for smoothing in [-0.1, 1.0, f64::NAN] {
        setup.config.label_smoothing = smoothing;
        let error = setup.begin().unwrap_err().to_string();
        assert!(error.starts_with("the label smoothing must be in [0, 1)"), "{error}");
    }
    setup.config.label_smoothing = 0.0;
    setup.config.sgd.momentum = 1.0;
    assert!(setup.begin().is_err());
    assert!(!setup.directory().exists());
    assert_eq!(setup.config.seed, SEED);
}
