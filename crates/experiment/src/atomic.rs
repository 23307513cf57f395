//! Files that are there completely or not at all.

use std::path::Path;

use serde::Serialize;

use crate::ExperimentError;

/// Gives a file these contents as [`system::replace`] does.
///
/// # Errors
/// [`ExperimentError::Io`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ExperimentError> {
    system::replace(path, bytes).map_err(ExperimentError::io("write", path))
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ExperimentError> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| ExperimentError::invalid(path, "values for JSON", error.to_string()))?;
    text.push('\n');
    write(path, text.as_bytes())
}

pub(crate) fn write_toml(path: &Path, value: &impl Serialize) -> Result<(), ExperimentError> {
    let text = toml::to_string(value)
        .map_err(|error| ExperimentError::invalid(path, "values for TOML", error.to_string()))?;
    write(path, text.as_bytes())
}
