//! The version of the schema, and reading files that state it.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::ExperimentError;

/// The version of the schema that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// A TOML file of this schema.
pub(crate) fn read_toml<C: DeserializeOwned>(file: &Path) -> Result<C, ExperimentError> {
    let text = fs::read_to_string(file).map_err(ExperimentError::io("read", file))?;
    let table: toml::Table = toml::from_str(&text)
        .map_err(|error| ExperimentError::invalid(file, "TOML", one_line(error.message())))?;
    check_schema(file, table.get("schema").and_then(toml::Value::as_integer))?;
    // From the text again, so that the message can say where the mistake is.
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
        let got = format!("{} (line {line})", one_line(error.message()));
        ExperimentError::invalid(file, "the fields of the schema", got)
    })
}

/// A JSON file of this schema.
pub(crate) fn read_json<C: DeserializeOwned>(file: &Path) -> Result<C, ExperimentError> {
    let text = fs::read_to_string(file).map_err(ExperimentError::io("read", file))?;
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| ExperimentError::invalid(file, "JSON", error.to_string()))?;
    check_schema(file, value.get("schema").and_then(serde_json::Value::as_i64))?;
    serde_json::from_str(&text).map_err(|error| {
        ExperimentError::invalid(file, "the fields of the schema", error.to_string())
    })
}

fn check_schema(file: &Path, got: Option<i64>) -> Result<(), ExperimentError> {
    match got {
        Some(schema) if schema == i64::from(SCHEMA) => Ok(()),
        Some(other) => {
            Err(ExperimentError::Schema { file: file.to_owned(), got: other.to_string() })
        }
        None => Err(ExperimentError::Schema { file: file.to_owned(), got: "none".to_owned() }),
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
