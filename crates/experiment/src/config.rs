//! `config.toml`: all that a run depends on.

use serde::{Deserialize, Serialize};

use crate::{ExperimentError, ModelName, SCHEMA};

/// The start of a run: with the same program, this is enough to repeat it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The name of the record.
    pub model_name: ModelName,
    /// The command line.
    pub command: String,
    /// The seed of everything random, at most `i64::MAX`, which is TOML's largest integer.
    pub seed: u64,
    /// The number type.
    pub dtype: Dtype,
    /// The data that it was trained on.
    pub data: Data,
    /// Everything else that the program lets one choose.
    pub hyperparameters: toml::Table,
}

impl Config {
    /// The configuration of a run whose hyperparameters are the fields of a struct.
    ///
    /// # Errors
    /// If a hyperparameter does not fit into TOML.
    pub fn new(
        model_name: ModelName,
        command: impl Into<String>,
        seed: u64,
        data: Data,
        hyperparameters: &impl Serialize,
    ) -> Result<Self, ExperimentError> {
        let hyperparameters = toml::Table::try_from(hyperparameters).map_err(|error| {
            let what = "the set of hyperparameters";
            ExperimentError::value(what, "one that TOML can hold", error)
        })?;
        let command = command.into();
        let (schema, dtype) = (SCHEMA, Dtype::F32);
        Ok(Self { schema, model_name, command, seed, dtype, data, hyperparameters })
    }
}

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The name of the data set.
    pub name: String,
    /// The SHA-256 of its bytes, 64 hexadecimal digits; the loader says of which.
    pub sha256: String,
    /// Training examples.
    pub train: usize,
    /// Validation examples.
    pub validation: usize,
    /// Test examples.
    pub test: usize,
}

/// The number type of a training: every program trains in single precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum_macros::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Dtype {
    /// Single precision.
    F32,
}
