//! Names and declarations of the protocol.

use activations::Activation;
use cnn::{Conv2DConfig, GlobalAveragePool2DConfig, Pool2DConfig, PoolMode};
use layers::{FlattenConfig, FullyConnectedConfig, LayerConfig};
use losses::Loss;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use subject::Answer;

use crate::requests::refused;

/// The activations, by the names of the protocol.
const ACTIVATIONS: [(&str, Activation); 7] = [
    ("Linear", Activation::Linear),
    ("Sigmoid", Activation::Sigmoid),
    ("TanH", Activation::TanH),
    ("ReLU", Activation::ReLU),
    ("SoftMax", Activation::SoftMax),
    ("ArcTan", Activation::ArcTan),
    ("GELU", Activation::GELU),
];

const LOSSES: [(&str, Loss); 3] = [
    ("CrossEntropy", Loss::CrossEntropy),
    ("L2", Loss::L2),
    ("SoftmaxCrossEntropy", Loss::SoftmaxCrossEntropy),
];

/// Those without buffers: the protocol has none.
const LAYERS: [&str; 5] = ["FullyConnected", "Flatten", "Conv2D", "Pool2D", "GlobalAveragePool2D"];

/// What there is, as the reply to `describe` says it.
pub(crate) fn description() -> Value {
    json!({
        "protocol": subject::VERSION,
        "name": "the implementation of this workspace",
        "activations": ACTIVATIONS.map(|(name, _)| name),
        "losses": LOSSES.map(|(name, _)| name),
        "layers": LAYERS,
        "network": true,
        "einsum": ["trace", "matrix_vector", "outer_product"],
        "dtypes": ["f8"],
    })
}

/// The activation of this name.
pub(crate) fn activation_named(name: &str) -> Result<Activation, Answer> {
    named("activation", &ACTIVATIONS, name)
}

/// The loss of this name.
pub(crate) fn loss_named(name: &str) -> Result<Loss, Answer> {
    named("loss", &LOSSES, name)
}

fn named<T: Copy>(what: &str, all: &[(&str, T)], name: &str) -> Result<T, Answer> {
    let found = all.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    found.ok_or_else(|| unsupported(what, name))
}

pub(crate) fn unsupported(what: &str, name: &str) -> Answer {
    Answer::Unsupported(format!("there is no {what} {name:?}"))
}

/// The layer of this class that a `config` of the protocol declares.
pub(crate) fn layer_declared(
    class: &str,
    config: &Value,
) -> Result<Box<dyn LayerConfig<f64>>, Answer> {
    Ok(match class {
        "FullyConnected" => Box::new(with_fields(&FullyConnectedConfig::new(1), config)?),
        "Flatten" => Box::new(FlattenConfig),
        "Conv2D" => Box::new(with_fields(&Conv2DConfig::new(1, (1, 1)), config)?),
        "Pool2D" => {
            let like = Pool2DConfig::new(PoolMode::Max, (1, 1), 1);
            Box::new(with_fields(&like, config)?)
        }
        "GlobalAveragePool2D" => Box::new(GlobalAveragePool2DConfig),
        _ => return Err(unsupported("layer", class)),
    })
}

/// The declaration `like` with the fields that a request gives; others it may have are ignored.
fn with_fields<C: Serialize + DeserializeOwned>(like: &C, config: &Value) -> Result<C, Answer> {
    let mut fields = serde_json::to_value(like).map_err(refused)?;
    for (name, given) in config.as_object().into_iter().flatten() {
        // A bias is mentioned only where there is none.
        if name == "bias" || fields.get(name).is_some() {
            let cells = name == "pad" && given.is_array();
            fields[name] = if cells { json!({ "cells": given }) } else { given.clone() };
        }
    }
    serde_json::from_value(fields).map_err(|error| refused(format!("the config: {error}")))
}
