//! The official archive of a data set: its files in a gzipped tar.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::file_error;
use crate::workspace::write_new;
use crate::{AcquireError, DataSet};

/// A gzipped tar archive, to be read from the beginning.
pub(crate) fn open(archive: &Path) -> Result<tar::Archive<impl Read>, AcquireError> {
    let file = File::open(archive).map_err(file_error("read", archive))?;
    Ok(tar::Archive::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file))))
}

/// The name of a member, without the folders that it is in: those of a hostile archive go nowhere.
pub(crate) fn base_name<R: Read>(entry: &tar::Entry<'_, R>) -> Option<String> {
    let path = entry.path().ok()?;
    Some(path.file_name()?.to_str()?.to_owned())
}

/// Writes the files of a data set that are in an archive to a folder, plain. Not checked yet.
///
/// Returns how many there were.
pub(crate) fn unpack(set: &DataSet, archive: &Path, to: &Path) -> Result<usize, AcquireError> {
    let mut count = 0;
    let mut tar = open(archive)?;
    for entry in tar.entries().map_err(file_error("read", archive))? {
        let mut entry = entry.map_err(file_error("read", archive))?;
        let Some(name) = base_name(&entry).filter(|_| entry.header().entry_type().is_file()) else {
            continue;
        };
        let Some(file) = set.files.iter().find(|file| file.name == name) else { continue };
        let target = to.join(file.name);
        if target.exists() {
            return Err(AcquireError::Contents {
                path: archive.to_owned(),
                expected: format!("one member {name}"),
                got: "two".to_owned(),
            });
        }
        write_new(&target, |writer| {
            copy(&mut (&mut entry).take(file.bytes + 1), writer, archive, &target)
        })?;
        count += 1;
    }
    Ok(count)
}

/// Whether an archive has a member of this name.
pub(crate) fn has_member(archive: &Path, name: &str) -> Result<bool, AcquireError> {
    let mut tar = open(archive)?;
    let mut names = tar.entries().map_err(file_error("read", archive))?.flatten();
    Ok(names.any(|entry| base_name(&entry).as_deref() == Some(name)))
}

/// Copies all bytes; says which side failed.
pub(crate) fn copy(
    reader: &mut dyn Read,
    writer: &mut dyn Write,
    source: &Path,
    target: &Path,
) -> Result<(), AcquireError> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => writer.write_all(&buffer[..n]).map_err(file_error("write", target))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(file_error("read", source)(error)),
        }
    }
}
