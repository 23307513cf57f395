//! CSV files of which each cell is a text.

use std::path::Path;

use crate::{ExperimentError, atomic};

/// Writes the rows, the header among them.
pub(crate) fn write(
    file: &Path,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<(), ExperimentError> {
    let failed = |error: csv::Error| ExperimentError::io("write", file)(error.into());
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.into_iter().try_for_each(|row| writer.write_record(row)).map_err(failed)?;
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
    atomic::write(file, &bytes)
}

/// Reads the rows, the header among them: each as long as the first, unless they may be `ragged`.
pub(crate) fn read(file: &Path, ragged: bool) -> Result<Vec<Vec<String>>, ExperimentError> {
    let invalid = |error: csv::Error| ExperimentError::invalid(file, "CSV", error.to_string());
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(ragged).from_path(file);
    let reader = reader.map_err(|error| ExperimentError::io("read", file)(error.into()))?;
    let cells = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader.into_records().map(|row| row.map(cells).map_err(invalid)).collect()
}
