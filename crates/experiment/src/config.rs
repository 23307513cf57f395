//! `config.toml`: all that a run depends on.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

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
    /// [`ExperimentError::Value`] if the seed or a hyperparameter does not fit into TOML.
    pub fn new(
        model_name: ModelName,
        command: impl Into<String>,
        seed: u64,
        dtype: Dtype,
        data: Data,
        hyperparameters: &impl Serialize,
    ) -> Result<Self, ExperimentError> {
        check_seed(seed)?;
        let hyperparameters = table_of(hyperparameters)?;
        let command = command.into();
        Ok(Self { schema: SCHEMA, model_name, command, seed, dtype, data, hyperparameters })
    }

    pub(crate) fn validate(&self, file: &Path) -> Result<(), ExperimentError> {
        self.data.validate(file)
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

impl Data {
    pub(crate) fn validate(&self, file: &Path) -> Result<(), ExperimentError> {
        let digits = self.sha256.bytes().filter(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        if digits != 64 || self.sha256.len() != 64 {
            let expected = "64 lower-case hexadecimal digits as data.sha256";
            return Err(ExperimentError::invalid(file, expected, format!("{:?}", self.sha256)));
        }
        Ok(())
    }
}

/// The number type of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Single precision.
    #[default]
    F32,
    /// Double precision.
    F64,
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl FromStr for Dtype {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self, ExperimentError> {
        match name {
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            _ => Err(ExperimentError::Value {
                what: "the number type",
                expected: "one of f32, f64",
                got: format!("{name:?}"),
            }),
        }
    }
}

pub(crate) fn check_seed(seed: u64) -> Result<(), ExperimentError> {
    if i64::try_from(seed).is_ok() {
        return Ok(());
    }
    let expected = "at most 9223372036854775807";
    Err(ExperimentError::Value { what: "the seed", expected, got: seed.to_string() })
}

pub(crate) fn table_of(hyperparameters: &impl Serialize) -> Result<toml::Table, ExperimentError> {
    toml::Table::try_from(hyperparameters).map_err(|error| ExperimentError::Value {
        what: "the set of hyperparameters",
        expected: "one that TOML can hold",
        got: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_beyond_toml_is_refused() {
        assert!(check_seed(i64::MAX as u64).is_ok());
        assert!(check_seed(u64::MAX).is_err());
    }

    #[test]
    fn an_unknown_number_type_lists_the_known_ones() {
        let error = "f16".parse::<Dtype>().unwrap_err().to_string();
        assert_eq!(error, "the number type must be one of f32, f64, but is \"f16\"");
        assert_eq!("f64".parse::<Dtype>().unwrap().to_string(), "f64");
    }
}
