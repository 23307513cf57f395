//! The program: what it writes, where, and its messages when it cannot.

use std::fs;
use std::path::Path;
use std::process::Command;

use system::for_tests::{folder, names, ran, survives_without_output, write};
use tempfile::TempDir;

use crate::git;

pub(crate) fn handin(workspace: Option<&Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handin"));
    command.args(arguments);
    if let Some(workspace) = workspace {
        command.current_dir(workspace);
    }
    // The target folder of the tests is not that of the small workspaces here.
    command.env_remove("CARGO_TARGET_DIR");
    command
}

/// The program prints nothing, and ends with this code and with this among its errors.
fn fails(command: &mut Command, expected: i32, message: &str) {
    let [printed, errors] = ran(command, expected);
    assert!(printed.is_empty() && errors.contains(message), "{message} in {printed}{errors}");
}

/// The output of the program, which succeeds.
fn succeeds(command: &mut Command) -> String {
    let [printed, _] = ran(command, 0);
    printed
}

/// A workspace whose `cargo xtask test` is this program.
fn workspace(main: &str) -> TempDir {
    folder(&[
        ("README.md", "# Project\n"),
        ("Cargo.toml", "[workspace]\nmembers = [\"xtask\"]\nresolver = \"3\"\n"),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"xtask\"\nversion = \"0.1.0\"\n"),
        (
            "xtask/Cargo.toml",
            "[package]\nname = \"xtask\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        ),
        ("xtask/src/main.rs", main),
        (".gitignore", "/target\n"),
        (
            "book/report.toml",
            "title = 'T'\nauthor = 'Ada'\nstudent_id = '7'\nworked_alone = true\n\
             kaggle_username = 'a'\nkaggle_score = '0.75'\n",
        ),
    ])
}

const PASSES: &str = "fn main() { println!(\"tested in {}\", env!(\"CARGO_MANIFEST_DIR\")); }\n";

/// The archive of such a workspace, below its target folder.
const ARCHIVE: &str = "package/cs189-hw6-ada-7.zip";

#[test]
fn the_document_is_the_same_on_the_output_and_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("submission.md");
    let arguments = ["submission", "--format", "markdown", "--heading_level", "3"];
    let printed = succeeds(&mut handin(None, &arguments));
    let [_, errors] = ran(handin(None, &arguments).arg("-o").arg(&file), 0);
    assert!(errors.contains("wrote 15 entries"), "{errors}");
    assert_eq!(fs::read_to_string(&file).unwrap(), printed);
    assert!(printed.starts_with("### Activation Implementations:\n"));
    survives_without_output(|| handin(None, &[]), &arguments);
}

#[test]
fn wrong_usage_is_2_and_wrong_output_is_1() {
    for arguments in [
        &["submission"][..],
        &["submission", "--format", "pdf"],
        &["submission", "--format", "latex", "--heading-level", "4"],
        &["submission", "--format", "latex", "--heading-level", "0"],
        &["package", "--fresh", "--no-test"],
        &[],
    ] {
        fails(&mut handin(None, arguments), 2, "");
    }
    let root = workspace(PASSES);
    let latex = ["submission", "--format", "latex"];
    let elsewhere = tempfile::tempdir().unwrap();
    let readme = root.path().join("README.md");
    for (workspace, arguments, output, message) in [
        (None, &latex[..], Some(elsewhere.path()), "it is a folder; name a file"),
        (None, &latex, Some(&elsewhere.path().join("no/a.tex")), "its folder does not exist"),
        (Some(elsewhere.path()), &latex, None, "is not inside a Cargo workspace"),
        (Some(root.path()), &["package"], Some(&readme), "is no zip archive; name another file"),
    ] {
        let mut command = handin(workspace, arguments);
        if let Some(output) = output {
            command.arg("--output").arg(output);
        }
        fails(&mut command, 1, message);
    }
    assert_eq!(fs::read_to_string(&readme).unwrap(), "# Project\n");
}

#[test]
fn an_archive_that_passes_was_built_and_tested_elsewhere() {
    let root = workspace(PASSES);
    // What the workspace compiled for itself must not be taken for what the archive compiles to.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap());
    cargo.args(["build", "--quiet"]).current_dir(root.path()).env_remove("CARGO_TARGET_DIR");
    assert!(cargo.status().unwrap().success());
    let text = succeeds(&mut handin(Some(root.path()), &["package"]));
    let place = text.lines().find_map(|line| line.strip_prefix("tested in ")).unwrap();
    assert!(!Path::new(place).starts_with(root.path()), "{place}");
    assert!(place.contains("cs189-hw6-"), "{place}");
    assert!(text.contains("verified: unpacked elsewhere, built and tested in"), "{text}");
    assert!(!text.contains("MISSING"), "{text}");
    // Neither the unpacked code nor what was compiled from it is left.
    assert_eq!(names(&root.path().join("target/package")), ["cs189-hw6-ada-7.zip"]);
    assert!(!Path::new(place).exists());

    let again = succeeds(&mut handin(Some(root.path()), &["package", "--fresh"]));
    assert_eq!(again.lines().last(), text.lines().last());
}

/// The archive of this workspace is rejected for this reason.
fn is_rejected(root: &Path, reason: &str) {
    let archive = root.join("target").join(ARCHIVE);
    succeeds(&mut handin(Some(root), &["package", "--no-test"]));
    assert!(archive.exists());
    let does_not_pass = format!("the unpacked archive does not pass: {reason}");
    fails(&mut handin(Some(root), &["package"]), 1, &does_not_pass);
    assert!(!archive.exists(), "an archive that did not pass is there");
    assert!(archive.with_extension("zip.rejected").exists());
}

#[test]
fn an_archive_that_does_not_pass_is_rejected() {
    let fails = workspace("fn main() { std::process::exit(3); }\n");
    is_rejected(fails.path(), "`cargo run --locked --bin xtask -- test --verbose` ended with");
    let changes = workspace("fn main() { std::fs::write(\"README.md\", \"\").unwrap(); }\n");
    is_rejected(changes.path(), "its tests change README.md");
    let other_lock = workspace(PASSES);
    write(other_lock.path(), "Cargo.lock", "version = 4\n");
    is_rejected(other_lock.path(), "`cargo clean --locked --workspace` ended with");
}

#[test]
fn a_module_that_git_does_not_know_is_missed_and_the_archive_goes_to_the_target_folder() {
    let root = workspace("mod new;\nfn main() { new::test(); }\n");
    if !git(root.path(), &["init", "--quiet"]) {
        return;
    }
    git(root.path(), &["add", "."]);
    write(root.path(), "xtask/src/new.rs", "pub fn test() {}\n");
    is_rejected(root.path(), "`cargo run --locked --bin xtask -- test --verbose` ended with");
    let text = succeeds(&mut handin(Some(root.path()), &["package", "--no-test"]));
    assert!(text.contains("NOT packed (`git add` it, or ignore it): xtask/src/new.rs"), "{text}");
    assert!(text.contains("NOT VERIFIED"), "{text}");
    let target = tempfile::tempdir().unwrap();
    let mut command = handin(Some(root.path()), &["package", "--no-test"]);
    succeeds(command.env("CARGO_TARGET_DIR", target.path()));
    assert!(target.path().join(ARCHIVE).is_file());
    // Without a git to ask, it is not packed at all.
    let mut command = handin(Some(root.path()), &["package", "--no-test"]);
    fails(command.env("PATH", root.path()), 1, "git cannot be run: ");
}
