//! Gzipped tar archives.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::Files;

/// More than any file of the data sets has: a hostile archive cannot ask for more memory.
const LARGEST_MEMBER: u64 = 64 << 20;

/// The content of the files in an archive that are wanted, by their names. A name is without the folders that
/// the member is in: those of a hostile archive go nowhere.
pub(crate) fn members(archive: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Files> {
    let mut members = Files::new();
    let mut tar = tar::Archive::new(MultiGzDecoder::new(BufReader::new(File::open(archive)?)));
    for entry in tar.entries()? {
        let entry = entry?;
        let path = entry.path()?;
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if entry.header().entry_type().is_file() && wanted(name) {
            let name = name.to_owned();
            let mut content = Vec::new();
            entry.take(LARGEST_MEMBER).read_to_end(&mut content)?;
            if members.insert(name.clone(), content).is_some() {
                return Err(io::Error::other(format!("{name} is in it twice")));
            }
        }
    }
    Ok(members)
}
