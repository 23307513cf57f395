//! The zip file: written the same on every machine, read back, and unpacked.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::HandinError;
use crate::packed_file::PackedFile;

/// The archive of these files, in this order. Nothing of it depends on the clock, the owner or the
/// permissions that a machine gives to new files.
pub(crate) fn write(files: &[PackedFile]) -> Result<Vec<u8>, HandinError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            // The first moment that a zip file knows.
            .last_modified_time(DateTime::default())
            .unix_permissions(if file.executable { 0o755 } else { 0o644 });
        zip.start_file(&*file.path, options).map_err(damaged)?;
        zip.write_all(&file.contents).map_err(|cause| damaged(cause.into()))?;
    }
    Ok(zip.finish().map_err(damaged)?.into_inner())
}

/// The files of an archive.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<PackedFile>, HandinError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).map_err(damaged)?;
        let path = file.name().to_owned();
        // A path that leads out of the folder is never unpacked, whoever wrote the archive.
        if file.enclosed_name().is_none() || !file.is_file() {
            return Err(HandinError::Archive { what: format!("{path:?} is no file within it") });
        }
        let mut contents = Vec::new();
        file.read_to_end(&mut contents).map_err(|cause| damaged(cause.into()))?;
        let executable = file.unix_mode().is_some_and(|mode| mode & 0o100 != 0);
        files.push(PackedFile { path, contents, executable, had_carriage_returns: false });
    }
    Ok(files)
}

/// Writes the files below `folder`.
pub(crate) fn unpack(files: &[PackedFile], folder: &Path) -> Result<(), HandinError> {
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(HandinError::io("create", parent))?;
        }
        fs::write(&path, &file.contents).map_err(HandinError::io("write", &path))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = if file.executable { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))
                .map_err(HandinError::io("set the permissions of", &path))?;
        }
    }
    Ok(())
}

fn damaged(cause: zip::result::ZipError) -> HandinError {
    HandinError::Archive { what: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, contents: &[u8], executable: bool) -> PackedFile {
        let (path, contents) = (path.to_owned(), contents.to_vec());
        PackedFile { path, contents, executable, had_carriage_returns: false }
    }

    #[test]
    fn an_archive_gives_back_what_was_put_in() {
        let files = [file("README.md", b"one", false), file(".ci/run", b"#!/bin/sh\n", true)];
        let bytes = write(&files).unwrap();
        assert_eq!(read(&bytes).unwrap(), files);
        let folder = tempfile::tempdir().unwrap();
        unpack(&files, folder.path()).unwrap();
        for file in &files {
            assert_eq!(PackedFile::read(folder.path(), &file.path).unwrap(), *file);
        }
    }

    #[test]
    fn the_bytes_depend_on_nothing_but_the_files() {
        let files = [file("a", &[7; 10_000], false)];
        assert_eq!(write(&files).unwrap(), write(&files).unwrap());
        // 1 January 1980 in the local header.
        assert_eq!(write(&files).unwrap()[10..14], [0, 0, 0x21, 0]);
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        let bytes = write(&[file("../a", b"", false)]).unwrap();
        assert!(read(&bytes).unwrap_err().to_string().contains("is no file within it"));
        assert!(read(b"no zip").is_err());
    }
}
