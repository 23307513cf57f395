//! A name that no configuration has is a mistake wherever it stands.

use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use datasets::{Augmentation, Preprocess, Scaler};
use experiment::Evaluation;
use layers::{BatchNormConfig, DropoutConfig, FullyConnectedConfig, WeightInit};
use optim::Schedule;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use training::{Best, LayerSpec, Position};

use crate::tiny::{Setup, config, groups, spec};

/// Every object within `value`, itself first, as the path that leads to it.
fn objects(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                objects(field, format!("{path}/{name}"), found);
            }
            found.push(path);
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                objects(element, format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Claims that `config` survives a file, and that no object of the file may have one field more.
fn refuses_unknown_fields<C: Serialize + DeserializeOwned>(config: &C) {
    let value = serde_json::to_value(config).unwrap();
    let again: C = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), value);
    let mut paths = Vec::new();
    objects(&value, String::new(), &mut paths);
    assert!(!paths.is_empty(), "{value}");
    for path in paths {
        let mut changed = value.clone();
        changed.pointer_mut(&path).unwrap()["weight_deacy"] = json!(0.5);
        let read = serde_json::from_value::<C>(changed);
        assert!(read.is_err(), "{value}: {path:?} takes a field that it has not");
    }
}

#[test]
fn no_description_of_a_model_has_them() {
    let mut spec = spec();
    let fully_connected = |weight_init| {
        let config = FullyConnectedConfig { weight_init, ..FullyConnectedConfig::new(3) };
        LayerSpec::FullyConnected(config)
    };
    spec.layers = WeightInit::ALL.map(fully_connected).to_vec();
    spec.layers.extend([
        LayerSpec::Flatten,
        LayerSpec::BatchNorm(BatchNormConfig::default()),
        LayerSpec::Dropout(DropoutConfig { rate: 0.25 }),
        LayerSpec::Conv2D(Conv2DConfig::new(4, (3, 3))),
        LayerSpec::Pool2D(Pool2DConfig::new(PoolMode::Max, (2, 2), 2)),
        LayerSpec::GlobalAveragePool2D,
    ]);
    refuses_unknown_fields(&spec);
}

#[test]
fn no_configuration_of_a_training_has_them() {
    let (lr, peak_lr, total_steps, peak_step) = (0.5, 0.5, 9, 3);
    let (start_fraction, end_fraction) = (0.25, 0.0);
    let triangular =
        Schedule::Triangular { peak_lr, total_steps, peak_step, start_fraction, end_fraction };
    for schedule in [
        Schedule::Constant { lr },
        Schedule::Exponential { lr, decay: 0.5, decay_steps: 10, staircase: true },
        Schedule::Linear { lr, total_steps },
        triangular,
        Schedule::OneCycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction },
    ] {
        let mut config = config(2);
        (config.schedule, config.groups) = (schedule, groups());
        config.groups[0].schedule = Some(schedule);
        refuses_unknown_fields(&config);
    }
    refuses_unknown_fields(&Augmentation::default());
}

#[test]
fn no_record_of_a_training_has_them() {
    let validation = Evaluation::classification(0.5, 1, 10);
    refuses_unknown_fields(&Position::default());
    refuses_unknown_fields(&Best { epoch: 1, validation });
    let scaler: Scaler = Preprocess::Standardise.fit(&ndarray::array![[1.0], [3.0]].into_dyn());
    refuses_unknown_fields(&scaler);
    let setup = Setup::new(1);
    setup.complete();
    refuses_unknown_fields(&setup.last().provenance);
    let mut record = setup.record();
    // What a program lets one choose is the program's business.
    record.hyperparameters.clear();
    let value = serde_json::to_value(&record).unwrap();
    for path in ["", "/data"] {
        let mut changed = value.clone();
        changed.pointer_mut(path).unwrap()["seeed"] = json!(1);
        assert!(serde_json::from_value::<experiment::Config>(changed).is_err(), "{path:?}");
    }
}
