//! A file as it stands in the archive.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

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
    /// Reads the file at `root/path`; whether its lines end in CR LF there.
    pub(crate) fn read(root: &Path, path: &str) -> Result<(Self, bool)> {
        let file = root.join(path);
        let contents =
            fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        // A script says so itself; permissions differ between machines.
        let executable = contents.starts_with(b"#!/");
        let mut packed = Self { path: path.to_owned(), contents, executable };
        let unix = packed.text().filter(|text| text.contains("\r\n"));
        let unix = unix.map(|text| text.replace("\r\n", "\n"));
        let ended_otherwise = unix.is_some();
        if let Some(text) = unix {
            packed.contents = text.into_bytes();
        }
        Ok((packed, ended_otherwise))
    }

    /// The contents, if they are text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.contents).ok().filter(|text| !text.contains('\0'))
    }
}

/// The SHA-256 in hexadecimal digits.
pub(crate) fn sha256(contents: &[u8]) -> String {
    system::hex(&Sha256::digest(contents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_text_end_alike_and_a_script_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        for (written, packed, ended_otherwise, executable) in [
            (&b"a\r\nb\rc\nd"[..], &b"a\nb\rc\nd"[..], true, false),
            (b"a\nb", b"a\nb", false, false),
            (b"#!/usr/bin/env bash\n", b"#!/usr/bin/env bash\n", false, true),
            (b"#![no_std]\n", b"#![no_std]\n", false, false),
            // These are no text.
            (b"\x93NUMPY\r\n", b"\x93NUMPY\r\n", false, false),
            (b"a\0\r\n", b"a\0\r\n", false, false),
        ] {
            fs::write(folder.path().join("a"), written).unwrap();
            let file = PackedFile { path: "a".into(), contents: packed.to_vec(), executable };
            assert_eq!(PackedFile::read(folder.path(), "a").unwrap(), (file, ended_otherwise));
        }
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }
}
