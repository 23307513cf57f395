//! What is refused before anything is trained.

use datasets::ImageSet;
use layers::FullyConnectedConfig;
use ndarray::{Array4, s};
use numerics::Rng;
use optim::{MuonConfig, OptimiserConfig, Schedule};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use training::{ImageBatches, LayerSpec, Model, ModelSpec, RunConfig};

use crate::tiny::{AUGMENTATION, CLASSES, STEPS, Setup, finish, images, spec};

/// Changes of a configuration, and the message of each.
type Cases<C, const N: usize> = [(fn(&mut C), &'static str); N];

fn linear(total_steps: u64) -> Schedule {
    Schedule::Linear { lr: 0.05, total_steps }
}

#[test]
fn a_description_that_contradicts_itself_is_refused() {
    let cases: Cases<ModelSpec, 8> = [
        (|spec| spec.mean.push(0.0), "model \"tiny\": expected images of at least one row"),
        (|spec| spec.std[0] = 0.0, "and standard deviations [0.0, 0.2]"),
        (|spec| spec.mean[0] = f64::NAN, "means [NaN, 0.35]"),
        (|spec| spec.class_names.truncate(1), "but got images of shape [6, 6, 2], 1 classes"),
        (|spec| spec.input_shape[1] = 0, "but got images of shape [6, 0, 2]"),
        (
            |spec| spec.class_names.push("right".to_owned()),
            "must be [4], one logit for each class, but is [3]",
        ),
        (|spec| spec.layers.clear(), "at least one layer"),
        (
            |spec| spec.layers[0] = LayerSpec::FullyConnected(FullyConnectedConfig::new(3)),
            "layer 0 (from 0)",
        ),
    ];
    for (change, expected) in cases {
        let mut spec = spec();
        change(&mut spec);
        let error = Model::build(spec, &mut Rng::new(0)).unwrap_err().to_string();
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
    let error = model.evaluate(&set).unwrap_err().to_string();
    let expected =
        "model \"tiny\" knows the classes top, bottom, left, but the images have a, b, c";
    assert_eq!(error, expected);
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
    let mut setup = Setup::grouped(2);
    setup.run_until(setup.begin().unwrap(), 3).unwrap();
    let before = setup.config.clone();
    let cases: Cases<RunConfig, 5> = [
        (
            |config| {
                config.batch_size = 4;
                config.sgd.momentum = 0.5;
                config.augmentation = "none".to_owned();
            },
            "because the configuration is another one:\
             \n  augmentation: \"flip random\" in the checkpoint, \"none\" now\
             \n  batch_size: 8 in the checkpoint, 4 now\
             \n  sgd.momentum: 0.9 in the checkpoint, 0.5 now\nGive",
        ),
        (|config| config.seed = 8, "\n  seed: 7 in the checkpoint, 8 now\n"),
        (|config| config.data_sha256 = "b".repeat(64), "\n  data_sha256: "),
        (
            |config| {
                let OptimiserConfig::Muon(muon) = &mut config.groups[0].optimiser else {
                    panic!("the first group is Muon's");
                };
                muon.momentum = 0.5;
            },
            "\n  groups[0].optimiser.momentum: 0.6 in the checkpoint, 0.5 now\n",
        ),
        (
            |config| config.groups.clear(),
            "\n  groups[0].optimiser.momentum: 0.6 in the checkpoint, none now\n",
        ),
    ];
    for (change, expected) in cases {
        change(&mut setup.config);
        let error = setup.resume().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        setup.config = before.clone();
    }
    finish(setup.run(setup.resume().unwrap()).unwrap());
}

#[test]
fn a_schedule_with_an_end_cannot_be_extended() {
    // That of the training, and that of a group of parameters, which may end earlier.
    for (of_group, steps) in [(false, 2 * STEPS), (true, 3)] {
        let mut setup = Setup::grouped(2);
        let schedule = |setup: &mut Setup, steps| match of_group {
            false => setup.config.schedule = linear(steps),
            true => setup.config.groups[0].schedule = Some(linear(steps)),
        };
        schedule(&mut setup, steps);
        setup.run_until(setup.begin().unwrap(), 3).unwrap();
        setup.config.epochs = 3;
        for changed in [steps, 3 * STEPS] {
            schedule(&mut setup, changed);
            let error = setup.resume().unwrap_err().to_string();
            assert!(error.contains("\n  epochs: 2 in the checkpoint, 3 now"), "{error}");
        }
        schedule(&mut setup, steps);
        setup.config.epochs = 2;
        finish(setup.run(setup.resume().unwrap()).unwrap());
    }
}

#[test]
fn what_is_out_of_range_or_does_not_fit_begins_no_record() {
    let cases: Cases<RunConfig, 7> = [
        (|config| config.epochs = 0, "the number of epochs must be at least 1"),
        (|config| config.sgd.momentum = 1.0, "the momentum must be in [0, 1)"),
        (
            |config| config.groups[0].parameters[0] = "2.W".to_owned(),
            "parameter group 0: expected parameters of the network (0.W, 0.b, 1.beta, 1.gamma, 4.W, \
             4.b), but got 2.W",
        ),
        (
            |config| config.groups[2].parameters.push("4.W".to_owned()),
            "parameter group 2: expected every parameter once, but got 4.W, which group 1 has already",
        ),
        (
            |config| config.groups[0].parameters.push("1.beta".to_owned()),
            "Muon needs a matrix: parameter 1.beta must have the shape (.., n_out) with at least two \
             rows of n_out, but has [1, 4]; give it to SGD",
        ),
        (|config| config.groups[0].schedule = Some(linear(0)), "total_steps must be at least 1"),
        (
            |config| {
                let muon = MuonConfig { momentum: 1.0, ..MuonConfig::default() };
                config.groups[0].optimiser = OptimiserConfig::Muon(muon);
            },
            "the momentum must be in [0, 1)",
        ),
    ];
    for (change, expected) in cases {
        let mut setup = Setup::grouped(2);
        change(&mut setup.config);
        let error = setup.begin().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!setup.directory().exists());
    }
}

#[test]
fn a_training_that_has_run_its_epochs_has_nothing_to_continue() {
    let mut setup = Setup::new(1);
    setup.complete();
    let error = setup.resume().unwrap_err().to_string();
    let expected = "it has completed 1 epochs already; ask for more with --epochs";
    assert!(error.contains(expected), "{error}");
    setup.config.epochs = 2;
    finish(setup.run(setup.resume().unwrap()).unwrap());

    let mut setup = Setup::new(1);
    setup.config.schedule = linear(STEPS);
    setup.complete();
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    let error = setup.begin().unwrap_err().to_string();
    assert!(error.contains("holds a finished record"), "{error}");
    setup.overwrite = true;
    setup.complete();
}

/// Claims that no object of a file, each given by its path, may have one field more.
fn refuses_unknown_fields<C: Serialize + DeserializeOwned>(config: &C, paths: &[&str]) {
    let value = serde_json::to_value(config).unwrap();
    serde_json::from_value::<C>(value.clone()).unwrap();
    for path in paths {
        let mut changed = value.clone();
        changed.pointer_mut(path).unwrap()["weight_deacy"] = json!(0.5);
        assert!(serde_json::from_value::<C>(changed).is_err(), "{path:?} of {value}");
    }
}

#[test]
fn a_field_that_no_file_of_a_training_has_is_refused() {
    let mut setup = Setup::grouped(1);
    setup.config.groups[0].schedule = Some(linear(STEPS));
    setup.complete();
    refuses_unknown_fields(&setup.spec, &["", "/layers/0", "/layers/1", "/layers/2", "/layers/4"]);
    let paths = ["", "/sgd", "/schedule", "/groups/0", "/groups/0/optimiser", "/groups/0/schedule"];
    refuses_unknown_fields(&setup.config, &paths);
    let paths = ["", "/program", "/data", "/train"];
    refuses_unknown_fields(&setup.last().provenance, &paths);
    refuses_unknown_fields(&setup.record(), &["", "/data"]);
}
