//! Files that are there completely or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::ExperimentError;

/// Writes to a temporary file beside `path`, then gives it its name: the file is there completely,
/// or as it was before.
///
/// # Errors
/// [`ExperimentError::Io`], also if `path` does not end in the name of a file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ExperimentError> {
    let Some(name) = path.file_name() else {
        let cause = io::Error::new(io::ErrorKind::InvalidInput, "it is not the name of a file");
        return Err(ExperimentError::io("write", path)(cause));
    };
    let name = name.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.tmp"));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|cause| {
        // What is left of the temporary file is of no use; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
        ExperimentError::Io { action: "write", path: path.to_owned(), cause }
    })
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
