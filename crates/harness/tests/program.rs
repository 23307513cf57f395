//! The program as a user runs it: what it prints, and with which status it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use system::for_tests::{ran, survives_without_output};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_harness"))
}

fn harness(arguments: &[&str], code: i32) -> [String; 2] {
    ran(program().args(arguments), code)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn a_class_of_the_course_is_run_as_the_course_runs_it() {
    let results = system::target_folder(&root()).unwrap().join("harness/results.json");
    let before = fs::read(&results).ok();
    let [out, err] = harness(&["test", "tests.test_layers.TestConv2D"], 0);
    let begins = "Question 6.2: convolution\n\
                  test_forward (tests.test_layers.TestConv2D) ... ok\n\
                  test_backward (tests.test_layers.TestConv2D) ... ok\n";
    assert!(out.starts_with(begins) && out.ends_with("\n2 passed, 0 failed\n"), "{out}");
    assert_eq!(err, "");
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
    for strict in [&["--strict"][..], &[]] {
        let [out, _] = harness(&[&["test", "--course-data", folder], strict].concat(), 0);
        let ok = out.lines().filter(|line| line.ends_with(" ... ok")).count();
        assert_eq!(ok, 25, "{out}");
        assert!(out.contains("\nLargest error: ") && out.ends_with("\n25 passed, 0 failed\n"));
    }

    // The course keeps them in tests/data.
    let project = tempfile::tempdir().unwrap();
    let below = project.path().join("tests/data");
    fs::create_dir_all(&below).unwrap();
    fs::copy(data.path().join("TestReLU.npz"), below.join("TestReLU.npz")).unwrap();
    for folder in [project.path().to_owned(), project.path().join("tests"), below] {
        let folder = folder.to_str().unwrap();
        let [out, err] = harness(&["test", "TestReLU", "--course-data", folder], 0);
        assert!(out.ends_with("\n2 passed, 0 failed\n"), "{err}");
    }

    fs::write(data.path().join("TestReLU.npz"), "not an archive").unwrap();
    let [out, _] = harness(&["test", "--course-data", folder], 1);
    for expected in [
        "\ntest_forward (tests.test_activations.TestReLU) ... ERROR\n",
        "\nERROR: test_backward (tests.test_activations.TestReLU)\n---",
        "the whole check: cargo xtask test tests.test_activations.TestReLU.test_forward --course-data /",
    ] {
        assert!(out.contains(expected), "{out}");
    }
    assert!(out.ends_with("\n23 passed, 2 failed\n"), "{out}");
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
        (&["gradcheck", "Conv3D"], "expected one of FullyConnected, Flatten, Conv2D, Pool2D, Glob"),
        (&[], "Usage"),
    ] {
        let [out, err] = harness(arguments, 2);
        assert!(out.is_empty() && err.contains(expected), "{arguments:?}: {out}{err}");
    }
}

#[test]
fn names_are_listed_and_a_listed_name_selects_one_check() {
    let [out, _] = harness(&["test", "4.1", "--list"], 0);
    let names: Vec<&str> =
        out.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert!(names.contains(&"tests.test_activations.TestReLU.test_forward"));
    for name in [names[0], names[names.len() - 1]] {
        assert_eq!(harness(&["test", name, "--list"], 0)[0].lines().count(), 1, "{name}");
    }
}

#[test]
fn the_gradient_table_has_a_row_for_each_parameter() {
    let [out, _] = harness(&["gradcheck", "fullyconnected"], 0);
    let rows = out.lines().filter(|line| line.starts_with("FullyConnected ")).count();
    assert_eq!(rows, 21, "{out}");
}

#[test]
fn outside_the_workspace_the_program_says_where_to_go() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut program = program();
    program.arg("inputs-hash").env_remove("CARGO_MANIFEST_DIR").current_dir(elsewhere.path());
    let [_, err] = ran(&mut program, 1);
    assert!(err.contains("change into the repository"), "{err}");
    assert_eq!(harness(&["inputs-hash"], 0)[0].trim().len(), 64);
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    for arguments in [&["inputs-hash"][..], &["test", "--list"], &["test", "TestReLU"]] {
        survives_without_output(program, arguments);
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = program().args(["test", "no-such-check"]).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(2), "nor are errors that nobody reads");
}
