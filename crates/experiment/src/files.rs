//! The files of a record: where they go, written whole or not at all, and read with the schema that they state.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::{NpzWriter, WriteNpzError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ExperimentError;

/// The version of the schema that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// The folder `experiments` in the root of the workspace that the current folder belongs to, as a path
/// relative to the current folder; in the current folder itself where that is in no workspace.
pub fn default_root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let root = system::workspace_root(&here).unwrap_or_else(|| here.clone());
    let way: PathBuf = here.ancestors().take_while(|above| *above != root).map(|_| "..").collect();
    way.join("experiments")
}

/// Gives a file these contents as [`system::replace`] does.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ExperimentError> {
    system::replace(path, bytes).map_err(ExperimentError::io("write", path))
}

/// Writes a JSON file.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ExperimentError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| ExperimentError::invalid(path, "values for JSON", error))?;
    write(path, format!("{text}\n").as_bytes())
}

/// Writes a TOML file.
pub fn write_toml(path: &Path, value: &impl Serialize) -> Result<(), ExperimentError> {
    let text = toml::to_string(value)
        .map_err(|error| ExperimentError::invalid(path, "values for TOML", error))?;
    write(path, text.as_bytes())
}

/// Writes the rows of a CSV file; if they are structs, below a header with the names of the fields.
pub fn write_csv<R: Serialize>(path: &Path, rows: &[R]) -> Result<(), ExperimentError> {
    let failed = |error: csv::Error| ExperimentError::io("write", path)(error.into());
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.serialize(row)).map_err(failed)?;
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
    write(path, &bytes)
}

/// Writes arrays by name to an archive of NumPy, which is not compressed, as `f4`.
pub(crate) fn write_npz<'a>(
    path: &Path,
    arrays: impl IntoIterator<Item = (String, &'a ArrayD<f32>)>,
) -> Result<(), ExperimentError> {
    let failed = |error: WriteNpzError| ExperimentError::invalid(path, "arrays to write", error);
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        npz.add_array(name, array).map_err(failed)?;
    }
    write(path, &npz.finish().map_err(failed)?.into_inner())
}

/// Reads the rows of a CSV file below its header.
pub fn read_csv<R: DeserializeOwned>(path: &Path) -> Result<Vec<R>, ExperimentError> {
    let reader = csv::Reader::from_path(path)
        .map_err(|error| ExperimentError::io("read", path)(error.into()))?;
    let rows = reader.into_deserialize().collect::<Result<_, _>>();
    rows.map_err(|error| ExperimentError::invalid(path, "the columns of the schema", error))
}

/// Reads a TOML file of this schema.
///
/// # Errors
/// If it cannot be read; or with the line of the mistake.
pub fn read_toml<C: DeserializeOwned>(file: &Path) -> Result<C, ExperimentError> {
    let text = fs::read_to_string(file).map_err(ExperimentError::io("read", file))?;
    let invalid = |expected: &'static str| {
        move |error: toml::de::Error| {
            ExperimentError::invalid(file, expected, error.to_string().trim_end())
        }
    };
    let table: toml::Table = toml::from_str(&text).map_err(invalid("TOML"))?;
    check_schema(file, table.get("schema").and_then(toml::Value::as_integer))?;
    // From the text again, so that the message can show where the mistake is.
    toml::from_str(&text).map_err(invalid("the fields of the schema"))
}

/// Reads a JSON file of this schema.
pub fn read_json<C: DeserializeOwned>(file: &Path) -> Result<C, ExperimentError> {
    let text = fs::read_to_string(file).map_err(ExperimentError::io("read", file))?;
    let invalid = |expected: &'static str| {
        move |error: serde_json::Error| ExperimentError::invalid(file, expected, error)
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(invalid("JSON"))?;
    check_schema(file, value.get("schema").and_then(serde_json::Value::as_i64))?;
    serde_json::from_str(&text).map_err(invalid("the fields of the schema"))
}

fn check_schema(file: &Path, got: Option<i64>) -> Result<(), ExperimentError> {
    if got == Some(i64::from(SCHEMA)) {
        return Ok(());
    }
    let got = got.map_or("none".to_owned(), |schema| schema.to_string());
    let got = format!("{got}: write the record anew with this version");
    Err(ExperimentError::invalid(file, format!("schema {SCHEMA}"), got))
}
