//! The program as a user runs it: what it prints, and with which status it ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{fs, str};

use harness::results::Results;

fn harness(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).expect("the output is text")
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("the messages are text")
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("no signal ends the program")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn a_class_of_the_course_is_run_as_the_course_runs_it() {
    let results = Results::path(&system::target_folder(&root()).unwrap());
    let before = fs::read(&results).ok();
    let output = harness(&["test", "tests.test_layers.TestConv2D"]);
    let lines: Vec<&str> = stdout(&output).lines().collect();
    assert_eq!(
        lines[..3],
        [
            "Question 6.2: convolution",
            "test_forward (tests.test_layers.TestConv2D) ... ok",
            "test_backward (tests.test_layers.TestConv2D) ... ok",
        ]
    );
    assert_eq!(lines.last(), Some(&"2 passed, 0 failed"));
    assert_eq!(status(&output), 0);
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
    assert_eq!(fs::read(&results).ok(), before, "a part of the checks must not replace the whole");
}

#[test]
fn a_users_data_is_25_lines_and_bad_data_a_failure() {
    let data = tempfile::tempdir().unwrap();
    for file in fs::read_dir(root().join("fixtures/course")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), data.path().join(file.file_name())).unwrap();
    }
    let folder = data.path().to_str().unwrap();
    let output = harness(&["test", "--course-data", folder, "--strict"]);
    let ok = stdout(&output).lines().filter(|line| line.ends_with(" ... ok")).count();
    assert_eq!((ok, status(&output)), (25, 0), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("\n25 passed, 0 failed\n"));
    assert!(stdout(&output).contains("\nLargest error: "));

    // The course keeps them in tests/data.
    let project = tempfile::tempdir().unwrap();
    let below = project.path().join("tests/data");
    fs::create_dir_all(&below).unwrap();
    fs::copy(data.path().join("TestReLU.npz"), below.join("TestReLU.npz")).unwrap();
    for folder in [project.path().to_owned(), project.path().join("tests"), below] {
        let output = harness(&["test", "TestReLU", "--course-data", folder.to_str().unwrap()]);
        assert!(stdout(&output).ends_with("\n2 passed, 0 failed\n"), "{}", stderr(&output));
    }

    fs::write(data.path().join("TestReLU.npz"), "not an archive").unwrap();
    let output = harness(&["test", "--course-data", folder]);
    let text = stdout(&output);
    assert!(
        text.contains("\ntest_forward (tests.test_activations.TestReLU) ... ERROR\n"),
        "{text}"
    );
    assert!(
        text.contains("\nERROR: test_backward (tests.test_activations.TestReLU)\n---"),
        "{text}"
    );
    let again = "run it again: cargo xtask test tests.test_activations.TestReLU.test_forward \
                 --course-data /";
    assert!(text.contains(again), "{text}");
    assert!(text.ends_with("\n23 passed, 2 failed\n"), "{text}");
    assert_eq!(status(&output), 1);
}

#[test]
fn wrong_requests_end_with_status_2_and_say_what_would_be_right() {
    for (arguments, expected) in [
        (&["test", "TestConv3D"][..], "near names: TestConv2D"),
        (&["test", "--course-data", "/nowhere"], "/nowhere: expected a folder with TestReLU.npz"),
        (&["test", "--course-data", "/usr"], "nor data or tests/data below it has one of them"),
        (&["test", "--strict"], "--course-data"),
        (&["test", "--case", "{}"], "FILTER"),
        (&["test", "TestConv2D", "--case", "{}"], "selects 2; give the check's full name"),
        (&["test", "TestConv2D.test_forward", "--case", "{}"], "draws no random cases"),
        (&["test", "--seed", "many"], "invalid digit"),
        (&["gradcheck", "Conv3D"], "expected one of FullyConnected, Flatten, Conv2D, Pool2D"),
        (&[], "Usage"),
    ] {
        let output = harness(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{arguments:?}: {}", stdout(&output));
    }
}

#[test]
fn names_are_listed_and_a_listed_name_selects_one_check() {
    let output = harness(&["test", "4.1", "--list"]);
    let names: Vec<&str> =
        stdout(&output).lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert!(names.contains(&"tests.test_activations.TestReLU.test_forward"));
    for name in [names[0], names[names.len() - 1]] {
        let one = harness(&["test", name, "--list"]);
        assert_eq!(stdout(&one).lines().count(), 1, "{name}");
    }
}

#[test]
fn the_gradient_table_has_a_row_for_each_parameter() {
    let output = harness(&["gradcheck", "FullyConnected"]);
    let rows = stdout(&output).lines().filter(|line| line.starts_with("FullyConnected "));
    assert_eq!((rows.count(), status(&output)), (21, 0), "{}", stdout(&output));
}

#[test]
fn outside_the_workspace_the_program_says_where_to_go() {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .arg("inputs-hash")
        .env_remove("CARGO_MANIFEST_DIR")
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    assert_eq!(status(&output), 1);
    assert!(stderr(&output).contains("change into the repository"), "{}", stderr(&output));
    let output = harness(&["inputs-hash"]);
    assert_eq!((stdout(&output).trim().len(), status(&output)), (64, 0));
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    for arguments in [&["inputs-hash"][..], &["test", "--list"], &["test", "TestReLU"]] {
        system::for_tests::survives_without_output(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
            command.args(arguments);
            command
        })
        .unwrap();
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut wrong = Command::new(env!("CARGO_BIN_EXE_harness"));
    let status = wrong.args(["test", "no-such-check"]).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(2), "nor are errors that nobody reads");
}
