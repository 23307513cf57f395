//! A training that was interrupted and continued is the training that was not.

use std::collections::BTreeMap;
use std::fs;

use activations::Activation;
use experiment::{BEST_CHECKPOINT, LAST_CHECKPOINT, Record, Status};
use layers::{FullyConnectedConfig, WeightInit};
use ndarray::ArrayD;
use optim::Schedule;
use rayon::ThreadPoolBuilder;
use safetensors::SafeTensors;
use training::LayerSpec;

use crate::tiny::{STEPS, Setup, arrays, finish, groups};

/// Every tensor of a checkpoint, bit by bit: parameters, buffers, velocities.
fn tensors(setup: &Setup, name: &str) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(setup.directory().join(name)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect()
}

/// The seconds that the last checkpoint has, which is what a training continues to count from. The
/// summary of an interrupted run has more: it is written when the checkpoint has been.
fn seconds(setup: &Setup) -> f64 {
    let bytes = fs::read(setup.directory().join(LAST_CHECKPOINT)).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let run = &header.metadata().as_ref().unwrap()["run"];
    let run: serde_json::Value = serde_json::from_str(run).unwrap();
    run["wall_seconds"].as_f64().unwrap()
}

fn assert_same(setup: &Setup, reference: &Setup) {
    for name in [LAST_CHECKPOINT, BEST_CHECKPOINT] {
        assert_eq!(tensors(setup, name), tensors(reference, name), "{name}");
    }
    assert_eq!(setup.metrics(), reference.metrics());
    let record = |setup: &Setup| Record::read(&setup.directory()).unwrap();
    let (record, reference) = (record(setup), record(reference));
    assert_eq!(record.summary.status, Status::Finished);
    assert_eq!(record.summary.train, reference.summary.train);
    assert_eq!(record.summary.validation, reference.summary.validation);
    assert_eq!(record.history, reference.history);
}

#[test]
fn a_checkpoint_has_parameters_buffers_and_the_velocities_of_what_is_not_frozen() {
    let setup = Setup::grouped(1);
    let before = setup.begin().unwrap();
    let at_first = arrays(before.model());
    let model = finish(setup.run(before).unwrap());
    assert_eq!(
        tensors(&setup, LAST_CHECKPOINT).into_keys().collect::<Vec<_>>(),
        [
            "buffer.1.running_mean",
            "buffer.1.running_variance",
            "model.0.W",
            "model.0.b",
            "model.1.beta",
            "model.1.gamma",
            "model.4.W",
            "model.4.b",
            "velocity.0.W",
            "velocity.1.beta",
            "velocity.1.gamma",
            "velocity.4.W",
            "velocity.4.b",
        ]
    );
    for ((name, before), (_, after)) in at_first.iter().zip(arrays(&model)) {
        assert_eq!(*before == after, name == "0.b", "{name}");
    }
}

#[test]
fn two_epochs_and_two_more_are_four_epochs() {
    for new in [Setup::new, Setup::grouped] {
        let reference = new(4);
        reference.complete();

        let mut setup = new(2);
        setup.complete();
        setup.config.epochs = 4;
        finish(setup.run(setup.resume().unwrap()).unwrap());
        assert_same(&setup, &reference);
        let config = fs::read_to_string(setup.directory().join("config.toml")).unwrap();
        assert!(config.contains("epochs = 4"), "{config}");
        assert_eq!(config.contains("groups"), !setup.config.groups.is_empty(), "{config}");
    }
}

#[test]
fn a_training_interrupted_after_any_step_loses_nothing() {
    // In a group that comes to rest between two interruptions, too.
    let resting = |epochs| {
        let mut setup = Setup::grouped(epochs);
        let schedule = Schedule::Linear { lr: 0.05, total_steps: STEPS + 1 };
        setup.config.groups[0].schedule = Some(schedule);
        setup
    };
    for new in [Setup::new, Setup::grouped, resting] {
        let reference = new(2);
        reference.complete();
        // Within an epoch, after its last step, and after parts that go on into the next one.
        for batches in 1..=3 {
            let setup = new(2);
            let mut ended = setup.run_until(setup.begin().unwrap(), batches).unwrap();
            let (mut done, mut before) = (0, 0.0);
            while ended.is_none() {
                done += batches;
                let summary = Record::read(&setup.directory()).unwrap().summary;
                assert_eq!((summary.status, summary.iterations), (Status::Interrupted, done));
                assert!(seconds(&setup) > before, "seconds add up");
                before = seconds(&setup);
                assert!(summary.wall_seconds.unwrap() >= before);

                let lines = setup.lines.lock().unwrap().clone();
                let (epoch, step) = (done.div_ceil(STEPS), (done - 1) % STEPS + 1);
                let interrupted = format!("is after {step} steps of epoch {epoch} of 2");
                let [.., first, last] = lines.as_slice() else { panic!("{lines:?}") };
                assert!(first.starts_with("! interrupted; "), "{first}");
                assert!(first.ends_with(&interrupted), "{first}");
                assert!(last.contains("the same command with --resume"), "{last}");
                ended = setup.run_until(setup.resume().unwrap(), batches).unwrap();
            }
            // After the very last step there is only an evaluation to do.
            assert_eq!(done, 2 * STEPS / batches * batches);
            finish(ended);
            assert_same(&setup, &reference);
        }
    }
}

#[test]
fn a_crash_falls_back_to_the_last_checkpoint() {
    let reference = Setup::new(3);
    reference.complete();
    let setup = Setup::new(3);
    // The checkpoint and the best one of epoch 1, and a log that goes on for six steps.
    setup.run_until(setup.begin().unwrap(), STEPS + 1).unwrap();
    let early = setup.directory().join("early");
    fs::copy(setup.directory().join(LAST_CHECKPOINT), &early).unwrap();
    setup.run_until(setup.resume().unwrap(), 5).unwrap();
    fs::rename(early, setup.directory().join(LAST_CHECKPOINT)).unwrap();
    let log = setup.directory().join("metrics.csv");
    let torn = setup.metrics() + "3,1";
    fs::write(&log, torn).unwrap();

    let resumed = setup.resume().unwrap();
    assert_eq!(setup.metrics().lines().count() as u64, 2 + STEPS + 1, "later rows are dropped");
    finish(setup.run(resumed).unwrap());
    assert_same(&setup, &reference);
}

#[test]
fn a_crash_costs_the_steps_since_the_last_checkpoint_that_was_asked_for() {
    let reference = Setup::new(2);
    reference.complete();
    for every in 1..=STEPS + 1 {
        for killed_after in 1..2 * STEPS {
            let setup = Setup::new(2);
            let mut run = setup.begin().unwrap();
            run.checkpoint_every(every.try_into().unwrap());
            setup.crash_after(run, killed_after);
            let kept = (killed_after / every * every).max(killed_after / STEPS * STEPS);
            assert_eq!(setup.last().provenance.iterations, kept, "{killed_after}, {every}");
            let mut run = setup.resume().unwrap();
            run.checkpoint_every(every.try_into().unwrap());
            finish(setup.run(run).unwrap());
            assert_same(&setup, &reference);
        }
    }
}

#[test]
fn a_crash_after_the_last_epoch_leaves_a_record_that_can_be_completed() {
    let reference = Setup::new(2);
    reference.complete();
    let setup = Setup::new(2);
    drop(setup.run(setup.begin().unwrap()).unwrap());
    let record = Record::read(&setup.directory()).unwrap();
    assert_eq!(record.summary.status, Status::Running);
    finish(setup.run(setup.resume().unwrap()).unwrap());
    assert_same(&setup, &reference);
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("it has completed 2 epochs already"), "{error}");
}

#[test]
fn a_record_that_is_moved_away_is_not_begun_anew_without_its_beginning() {
    let reference = Setup::new(2);
    reference.complete();
    let setup = Setup::new(2);
    setup.run_until(setup.begin().unwrap(), STEPS + 1).unwrap();
    let run = setup.resume().unwrap();
    let aside = setup.root.path().join("aside");
    fs::rename(setup.directory(), &aside).unwrap();
    let error = setup.run(run).unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("No such file"), "{error}");
    assert!(!setup.directory().exists());
    fs::rename(aside, setup.directory()).unwrap();
    finish(setup.run(setup.resume().unwrap()).unwrap());
    assert_same(&setup, &reference);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // Muon of a matrix of 192 by 192, whose products are split among threads.
    let wide = |epochs| {
        let mut setup = Setup::grouped(epochs);
        let hidden = FullyConnectedConfig {
            activation: Activation::ReLU,
            weight_init: WeightInit::HeNormal,
            ..FullyConnectedConfig::new(192)
        };
        for index in [4, 5] {
            setup.spec.layers.insert(index, LayerSpec::FullyConnected(hidden.clone()));
        }
        setup.config.groups = groups()[..1].to_vec();
        setup.config.groups[0].parameters.push("5.W".to_owned());
        setup
    };
    for new in [Setup::new, Setup::grouped, wide] {
        let of_threads = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let setup = new(2);
                let model = setup.complete();
                let predicted = model.predict(setup.train.images().view()).unwrap();
                (tensors(&setup, LAST_CHECKPOINT), setup.metrics(), predicted)
            })
        };
        let one = of_threads(1);
        for threads in [2, 3] {
            assert_eq!(of_threads(threads), one, "{threads} threads");
        }
    }
}

#[test]
fn what_is_loaded_is_what_was_trained_and_weights_alone_cannot_be_continued() {
    let setup = Setup::new(2);
    let model = setup.complete();
    let path = setup.directory().join(LAST_CHECKPOINT);
    let size = fs::metadata(&path).unwrap().len();
    let checkpoint = setup.last();
    let provenance = &checkpoint.provenance;
    assert_eq!((provenance.epochs, provenance.iterations), (2, 2 * STEPS));
    assert!(provenance.validation.is_some());
    let bits = |arrays: Vec<(String, ArrayD<f32>)>| -> Vec<(String, Vec<u32>)> {
        let bits = |array: ArrayD<f32>| array.iter().map(|x| x.to_bits()).collect();
        arrays.into_iter().map(|(name, array)| (name, bits(array))).collect()
    };
    assert_eq!(bits(arrays(&checkpoint.model)), bits(arrays(&model)));

    checkpoint.weights_only().save(&path).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < size);
    let shipped = setup.last().model;
    let images = setup.train.images().view();
    assert_eq!(shipped.predict(images).unwrap(), model.predict(images).unwrap());
    let error = setup.resume().unwrap_err().to_string();
    assert!(error.contains("can be continued from, but got weights only"), "{error}");
}
