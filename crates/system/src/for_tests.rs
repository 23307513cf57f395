//! Folders with files for tests, and standard outputs that take nothing for tests of programs.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Runs a program that succeeds and prints with these arguments, and checks that it succeeds too where its
/// reader has gone away, and that it ends with one line of error and exit code 1 where the device is full.
///
/// # Panics
/// If it ends otherwise, or cannot be run.
pub fn survives_without_output(program: impl Fn() -> Command, arguments: &[&str]) {
    let run = |code: i32, stdout: Stdio| {
        let [_, errors] = ran(program().args(arguments).stdout(stdout), code);
        errors
    };
    let (reader, writer) = io::pipe().expect("a pipe can be opened");
    drop(reader);
    let errors = run(0, writer.into());
    // Linux has a device that is always full.
    let full = Path::new("/dev/full");
    if full.exists() {
        let error = "cannot write to the standard output: No space left on device (os error 28)";
        let expected = format!("{errors}error: {error}\n");
        let full = File::options().write(true).open(full).expect("it can be written to");
        assert_eq!(run(1, full.into()), expected);
    }
}

/// What a program prints, and its messages. It ends with this exit code, and without a panic.
///
/// # Panics
/// If it ends otherwise, or cannot be run.
pub fn ran(program: &mut Command, code: i32) -> [String; 2] {
    let Output { status, stdout, stderr } = program.output().expect("the program can be run");
    let texts = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(status.code() == Some(code) && !texts[1].contains("panicked"), "{status}: {texts:?}");
    texts
}

/// The names in a folder, in order; none if it does not exist.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = crate::entries(folder).unwrap_or_default();
    entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A temporary folder with these files, by path and contents.
///
/// # Panics
/// If it cannot be written.
pub fn folder<C: AsRef<[u8]>>(files: &[(&str, C)]) -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    for (path, contents) in files {
        write(folder.path(), path, contents);
    }
    folder
}

/// Writes a file below `root`, with the folders that it lies in.
///
/// # Panics
/// If it cannot be written.
pub fn write(root: &Path, path: &str, contents: impl AsRef<[u8]>) {
    let path = root.join(path);
    let written =
        fs::create_dir_all(path.parent().unwrap_or(root)).and_then(|()| fs::write(&path, contents));
    written.expect("a temporary folder can be written to");
}
