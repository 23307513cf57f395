//! The program: what it writes, where, and what it says when it cannot.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn handin(workspace: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handin"));
    command.args(arguments);
    if let Some(workspace) = workspace {
        command.arg("--workspace").arg(workspace);
    }
    // The target folder of the tests is not that of the small workspaces here.
    command.env_remove("CARGO_TARGET_DIR").output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A workspace whose `cargo xtask test` is this program.
fn workspace(main: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, contents) in [
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
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    root
}

const PASSES: &str = "fn main() { println!(\"tested in {}\", env!(\"CARGO_MANIFEST_DIR\")); }\n";

#[test]
fn the_document_is_the_same_on_the_output_and_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("submission.md");
    let arguments = ["submission", "--format", "markdown", "--heading_level", "3"];
    let output = handin(None, &arguments);
    assert!(output.status.success(), "{}", errors(&output));
    let to_file = handin(None, &[&arguments[..], &["-o", file.to_str().unwrap()]].concat());
    assert!(to_file.status.success(), "{}", errors(&to_file));
    assert!(errors(&to_file).contains("wrote 15 entries"));
    assert_eq!(fs::read(&file).unwrap(), output.stdout);
    assert!(printed(&output).starts_with("### Activation Implementations:\n"));
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
        assert_eq!(handin(None, arguments).status.code(), Some(2), "{arguments:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().to_str().unwrap();
    let result = handin(None, &["submission", "--format", "latex", "--output", output]);
    assert_eq!(result.status.code(), Some(1));
    assert!(errors(&result).contains("it is a folder; name a file"), "{}", errors(&result));
    let result = handin(Some(folder.path()), &["submission", "--format", "latex"]);
    assert_eq!(result.status.code(), Some(1));
    assert!(errors(&result).contains("is not inside a Cargo workspace"), "{}", errors(&result));
    assert!(result.stdout.is_empty());
}

#[test]
fn an_archive_that_passes_was_built_and_tested_elsewhere() {
    let root = workspace(PASSES);
    // What the workspace compiled for itself must not be taken for what the archive compiles to.
    let cargo = std::env::var_os("CARGO").unwrap();
    let built = Command::new(cargo)
        .args(["build", "--quiet"])
        .current_dir(root.path())
        .env_remove("CARGO_TARGET_DIR")
        .status();
    assert!(built.unwrap().success());
    let output = handin(Some(root.path()), &["package"]);
    assert!(output.status.success(), "{}", errors(&output));
    let text = printed(&output);
    let place = text.lines().find_map(|line| line.strip_prefix("tested in ")).unwrap();
    assert!(!Path::new(place).starts_with(root.path()), "{place}");
    assert!(place.contains("cs189-hw6-"), "{place}");
    assert!(text.contains("verified: unpacked elsewhere, built and tested in"), "{text}");
    assert!(!text.contains("MISSING"), "{text}");
    let package = root.path().join("target/package");
    // Neither the unpacked code nor what was compiled from it is left.
    let left: Vec<_> =
        fs::read_dir(&package).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["cs189-hw6-ada-7.zip"]);
    assert!(!Path::new(place).exists());

    let again = handin(Some(root.path()), &["package", "--fresh"]);
    assert!(again.status.success(), "{}", errors(&again));
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    assert_eq!(last(&printed(&again)), last(&text));
}

/// The archive of this workspace is rejected for this reason.
fn is_rejected(root: &Path, reason: &str) {
    let package = root.join("target/package/cs189-hw6-ada-7.zip");
    let before = handin(Some(root), &["package", "--no-test"]);
    assert!(before.status.success() && package.exists(), "{}", errors(&before));
    let output = handin(Some(root), &["package"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    let said = errors(&output);
    assert!(said.contains("the unpacked archive does not pass") && said.contains(reason), "{said}");
    assert!(!package.exists(), "an archive that did not pass is there");
    assert!(package.with_extension("zip.rejected").exists());
}

#[test]
fn an_archive_whose_tests_fail_is_rejected() {
    let root = workspace("fn main() { std::process::exit(3); }\n");
    is_rejected(root.path(), "`cargo run --locked --bin xtask -- test` ended with");
}

#[test]
fn tests_that_change_the_code_are_rejected() {
    let root = workspace("fn main() { std::fs::write(\"README.md\", \"\").unwrap(); }\n");
    is_rejected(root.path(), "its tests change README.md");
}

#[cfg(unix)]
#[test]
fn a_verification_that_is_ended_leaves_nothing_behind() {
    let root = workspace(
        "fn main() {\n    std::fs::write(\"started\", \"\").unwrap();\n    \
         std::thread::sleep(std::time::Duration::from_secs(600));\n}\n",
    );
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_handin"))
        .args(["package", "--workspace"])
        .arg(root.path())
        .env_remove("CARGO_TARGET_DIR")
        .env("TMPDIR", temporary.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let folders = || fs::read_dir(temporary.path()).unwrap().flatten();
    while !folders().any(|folder| folder.path().join("started").exists()) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("interrupted; there is no archive"), "{}", errors(&output));
    assert_eq!(folders().count(), 0);
    assert_eq!(fs::read_dir(root.path().join("target/package")).unwrap().count(), 0);
}

#[test]
fn a_lock_file_that_does_not_fit_is_rejected() {
    let root = workspace(PASSES);
    fs::write(root.path().join("Cargo.lock"), "version = 4\n").unwrap();
    is_rejected(root.path(), "ended with");
}

#[test]
fn a_module_that_git_does_not_know_is_missed() {
    let root = workspace("mod new;\nfn main() { new::test(); }\n");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(root.path()).args(arguments);
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"].iter().for_each(|name| {
            command.env_remove(name);
        });
        command.status().map(|status| assert!(status.success(), "{arguments:?}"))
    };
    if git(&["init", "--quiet"]).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        println!("skipped: there is no git on this machine");
        return;
    }
    git(&["add", "."]).unwrap();
    fs::write(root.path().join("xtask/src/new.rs"), "pub fn test() {}\n").unwrap();
    is_rejected(root.path(), "ended with");
    let output = handin(Some(root.path()), &["package", "--no-test"]);
    let text = printed(&output);
    assert!(text.contains("NOT packed (`git add` it, or ignore it): xtask/src/new.rs"), "{text}");
    assert!(text.contains("NOT VERIFIED"), "{text}");
}

#[test]
fn a_file_that_is_no_archive_is_not_replaced() {
    let root = workspace(PASSES);
    let file = root.path().join("README.md");
    let output = handin(Some(root.path()), &["package", "--output", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("is no zip archive; name another file"),
        "{}",
        errors(&output)
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "# Project\n");
}

#[test]
fn a_submission_that_nobody_reads_or_a_full_device_is_no_panic() {
    stdio::for_tests::survives_without_output(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handin"));
        command.args(["submission", "--format", "markdown"]);
        command
    })
    .unwrap();
}

#[test]
fn without_a_git_to_ask_a_repository_is_not_packed() {
    let root = workspace(PASSES);
    fs::create_dir(root.path().join(".git")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_handin"))
        .args(["package", "--no-test", "--workspace"])
        .arg(root.path())
        .env("PATH", root.path())
        .output()
        .unwrap();
    let error = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("git cannot be run: ") && error.contains("install it"), "{error}");
    assert!(!root.path().join("target/package").exists());
}

#[test]
fn the_archive_goes_to_the_target_folder_of_cargo() {
    let root = workspace(PASSES);
    let target = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_handin"))
        .args(["package", "--no-test", "--workspace"])
        .arg(root.path())
        .env("CARGO_TARGET_DIR", target.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    assert!(target.path().join("package/cs189-hw6-ada-7.zip").is_file());
    assert!(!root.path().join("target").exists());
}
