//! Gzipped tar archives.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::AcquireError;
use crate::error::file_error;

/// Calls `each` with the name and the content of every file in an archive. The name is without the folders
/// that the member is in: those of a hostile archive go nowhere.
pub(crate) fn each_member(
    archive: &Path,
    mut each: impl FnMut(&str, &mut dyn Read) -> Result<(), AcquireError>,
) -> Result<(), AcquireError> {
    let file = File::open(archive).map_err(file_error("read", archive))?;
    let reader = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file));
    let mut tar = tar::Archive::new(reader);
    for entry in tar.entries().map_err(file_error("read", archive))? {
        let mut entry = entry.map_err(file_error("read", archive))?;
        let path = entry.path().map_err(file_error("read", archive))?;
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        if let Some(name) = name.filter(|_| entry.header().entry_type().is_file()) {
            each(&name, &mut entry)?;
        }
    }
    Ok(())
}
