//! A file as it stands in the archive.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::HandinError;

/// A file as it stands in the archive: the same on every machine that has the same code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PackedFile {
    /// Its path in the archive, with `/`.
    pub(crate) path: String,
    /// What it contains; a text has no carriage returns at the ends of its lines.
    pub(crate) contents: Vec<u8>,
    /// Whether it is a script, which its owner may run.
    pub(crate) executable: bool,
    /// Whether its lines end differently in the workspace.
    pub(crate) had_carriage_returns: bool,
}

impl PackedFile {
    /// Reads the file at `root/path`.
    pub(crate) fn read(root: &Path, path: &str) -> Result<Self, HandinError> {
        let file = root.join(path);
        let contents = fs::read(&file).map_err(HandinError::read(&file))?;
        let mut packed = Self {
            path: path.to_owned(),
            // A script says so itself; permissions differ between machines.
            executable: contents.starts_with(b"#!/"),
            contents,
            had_carriage_returns: false,
        };
        if packed.text().is_some_and(|text| text.contains("\r\n")) {
            packed.had_carriage_returns = true;
            packed.contents = without_carriage_returns(&packed.contents);
        }
        Ok(packed)
    }

    /// What it contains, if that is text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.contents).ok().filter(|text| !text.contains('\0'))
    }

    /// The SHA-256 of what it contains.
    pub(crate) fn sha256(&self) -> String {
        sha256(&self.contents)
    }
}

/// The SHA-256 in hexadecimal digits.
pub(crate) fn sha256(contents: &[u8]) -> String {
    Sha256::digest(contents).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string can be written to");
        hex
    })
}

fn without_carriage_returns(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied().peekable();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&b'\n') {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(contents: &[u8]) -> PackedFile {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), contents).unwrap();
        PackedFile::read(folder.path(), "a").unwrap()
    }

    #[test]
    fn the_lines_of_a_text_end_alike_and_its_last_one_is_kept() {
        let file = read(b"a\r\nb\rc\nd");
        assert_eq!(file.contents, b"a\nb\rc\nd");
        assert!(file.had_carriage_returns);
        assert!(!read(b"a\nb").had_carriage_returns);
    }

    #[test]
    fn a_script_can_be_run_and_rust_cannot() {
        assert!(read(b"#!/usr/bin/env bash\n").executable);
        assert!(!read(b"#![no_std]\n").executable);
    }

    #[test]
    fn what_is_no_text_is_kept_as_it_is() {
        for contents in [&b"\x93NUMPY\r\n"[..], b"a\0\r\n"] {
            let file = read(contents);
            assert_eq!(file.contents, contents);
            assert!(file.text().is_none() && !file.had_carriage_returns);
        }
    }

    #[test]
    fn the_hash_is_the_known_one() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }
}
