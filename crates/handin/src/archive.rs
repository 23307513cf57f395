//! The zip file and the files in it: written the same on every machine, read back, and unpacked.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// A file as it stands in the archive: the same on every machine that has the same code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PackedFile {
    /// Its path in the archive, with `/`.
    pub(crate) path: String,
    /// Its contents; the lines of a text end in LF.
    pub(crate) contents: Vec<u8>,
    /// Whether it is a script, which its owner may run.
    pub(crate) executable: bool,
}

impl PackedFile {
    /// Reads the file at `root/path`.
    pub(crate) fn read(root: &Path, path: &str) -> Result<Self> {
        let file = root.join(path);
        let contents =
            fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        // A script says so itself; permissions differ between machines.
        let executable = contents.starts_with(b"#!/");
        let mut packed = Self { path: path.to_owned(), contents, executable };
        if let Some(text) = packed.text() {
            packed.contents = text.replace("\r\n", "\n").into_bytes();
        }
        Ok(packed)
    }

    /// The contents, if they are text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.contents).ok().filter(|text| !text.contains('\0'))
    }
}

/// The SHA-256 in hexadecimal digits.
pub fn sha256(contents: &[u8]) -> String {
    system::hex(&Sha256::digest(contents))
}

/// The archive of these files, in this order. Nothing of it depends on the clock, the owner or the
/// permissions that a machine gives to new files.
pub(crate) fn write(files: &[PackedFile]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            // The first moment that a zip file knows.
            .last_modified_time(DateTime::default())
            .unix_permissions(if file.executable { 0o755 } else { 0o644 });
        zip.start_file(&*file.path, options)?;
        zip.write_all(&file.contents)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Unpacks an archive into `folder`, no file outside of it; how many there are.
///
/// # Errors
/// If the archive is damaged, or a file cannot be written.
pub fn unpack(bytes: &[u8], folder: &Path) -> Result<usize> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    zip.extract(folder)?;
    Ok(zip.len())
}

/// The first file of an archive that is another in `folder` by now.
pub(crate) fn changed(bytes: &[u8], folder: &Path) -> Result<Option<String>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    for index in 0..zip.len() {
        let mut file = zip.by_index(index)?;
        let mut packed = Vec::new();
        file.read_to_end(&mut packed)?;
        if !fs::read(folder.join(file.name())).is_ok_and(|now| now == packed) {
            return Ok(Some(file.name().to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_gives_back_what_was_put_in_and_no_path_leads_out() {
        let file = |path: &str, contents: &[u8], executable| PackedFile {
            path: path.to_owned(),
            contents: contents.to_vec(),
            executable,
        };
        let files =
            [file("README.md", &[b'1'; 10_000], false), file(".ci/run", b"#!/bin/sh\n", true)];
        let bytes = write(&files).unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(unpack(&bytes, folder.path()).unwrap(), 2);
        for file in &files {
            assert_eq!(fs::read(folder.path().join(&file.path)).unwrap(), file.contents);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let metadata = fs::metadata(folder.path().join(&file.path)).unwrap();
                assert_eq!(metadata.permissions().mode() & 0o100 != 0, file.executable);
            }
        }
        assert_eq!(changed(&bytes, folder.path()).unwrap(), None);
        fs::write(folder.path().join(".ci/run"), "").unwrap();
        assert_eq!(changed(&bytes, folder.path()).unwrap().as_deref(), Some(".ci/run"));
        // 1 January 1980 in the local header.
        assert_eq!(bytes[10..14], [0, 0, 0x21, 0]);
        let out = write(&[file("../handin-out", b"", false)]).unwrap();
        assert!(unpack(&out, folder.path()).is_err());
        assert!(unpack(b"no zip", folder.path()).is_err());
    }

    #[test]
    fn lines_of_a_text_end_alike_and_a_script_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        for (written, packed, executable) in [
            (&b"a\r\nb\rc\nd"[..], &b"a\nb\rc\nd"[..], false),
            (b"#!/usr/bin/env bash\n", b"#!/usr/bin/env bash\n", true),
            (b"#![no_std]\n", b"#![no_std]\n", false),
            // These are no text.
            (b"\x93NUMPY\r\n", b"\x93NUMPY\r\n", false),
            (b"a\0\r\n", b"a\0\r\n", false),
        ] {
            fs::write(folder.path().join("a"), written).unwrap();
            let file = PackedFile { path: "a".into(), contents: packed.to_vec(), executable };
            assert_eq!(PackedFile::read(folder.path(), "a").unwrap(), file);
        }
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }
}
