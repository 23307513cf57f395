//! The program as a user runs it: what it prints, and with which status it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_harness"))
}

/// The status, the output and the messages.
fn run(program: &mut Command) -> (i32, String, String) {
    let output = program.output().expect("the program starts");
    let status = output.status.code().expect("no signal ends the program");
    let [out, err] = [output.stdout, output.stderr]
        .map(|text| String::from_utf8(text).expect("what is printed is text"));
    (status, out, err)
}

fn harness(arguments: &[&str]) -> (i32, String, String) {
    run(program().args(arguments))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn a_class_of_the_course_is_run_as_the_course_runs_it() {
    let results = system::target_folder(&root()).unwrap().join("harness/results.json");
    let before = fs::read(&results).ok();
    let (status, out, err) = harness(&["test", "tests.test_layers.TestConv2D"]);
    let begins = "Question 6.2: convolution\n\
                  test_forward (tests.test_layers.TestConv2D) ... ok\n\
                  test_backward (tests.test_layers.TestConv2D) ... ok\n";
    assert!(out.starts_with(begins) && out.ends_with("\n2 passed, 0 failed\n"), "{out}");
    assert_eq!((status, &*err), (0, ""));
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
        let (status, out, _) = harness(&[&["test", "--course-data", folder], strict].concat());
        let ok = out.lines().filter(|line| line.ends_with(" ... ok")).count();
        assert_eq!((ok, status), (25, 0), "{out}");
        assert!(out.contains("\nLargest error: ") && out.ends_with("\n25 passed, 0 failed\n"));
    }

    // The course keeps them in tests/data.
    let project = tempfile::tempdir().unwrap();
    let below = project.path().join("tests/data");
    fs::create_dir_all(&below).unwrap();
    fs::copy(data.path().join("TestReLU.npz"), below.join("TestReLU.npz")).unwrap();
    for folder in [project.path().to_owned(), project.path().join("tests"), below] {
        let folder = folder.to_str().unwrap();
        let (_, out, err) = harness(&["test", "TestReLU", "--course-data", folder]);
        assert!(out.ends_with("\n2 passed, 0 failed\n"), "{err}");
    }

    fs::write(data.path().join("TestReLU.npz"), "not an archive").unwrap();
    let (status, out, _) = harness(&["test", "--course-data", folder]);
    for expected in [
        "\ntest_forward (tests.test_activations.TestReLU) ... ERROR\n",
        "\nERROR: test_backward (tests.test_activations.TestReLU)\n---",
        "run it again: cargo xtask test tests.test_activations.TestReLU.test_forward --course-data /",
    ] {
        assert!(out.contains(expected), "{out}");
    }
    assert!(status == 1 && out.ends_with("\n23 passed, 2 failed\n"), "{out}");
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
        let (status, out, err) = harness(arguments);
        assert!(
            status == 2 && out.is_empty() && err.contains(expected),
            "{arguments:?}: {out}{err}"
        );
    }
}

#[test]
fn names_are_listed_and_a_listed_name_selects_one_check() {
    let (_, out, _) = harness(&["test", "4.1", "--list"]);
    let names: Vec<&str> =
        out.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert!(names.contains(&"tests.test_activations.TestReLU.test_forward"));
    for name in [names[0], names[names.len() - 1]] {
        assert_eq!(harness(&["test", name, "--list"]).1.lines().count(), 1, "{name}");
    }
}

#[test]
fn the_gradient_table_has_a_row_for_each_parameter() {
    let (status, out, _) = harness(&["gradcheck", "fullyconnected"]);
    let rows = out.lines().filter(|line| line.starts_with("FullyConnected ")).count();
    assert_eq!((rows, status), (21, 0), "{out}");
}

#[test]
fn outside_the_workspace_the_program_says_where_to_go() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut program = program();
    program.arg("inputs-hash").env_remove("CARGO_MANIFEST_DIR").current_dir(elsewhere.path());
    let (status, _, err) = run(&mut program);
    assert!(status == 1 && err.contains("change into the repository"), "{err}");
    let (status, out, _) = harness(&["inputs-hash"]);
    assert_eq!((out.trim().len(), status), (64, 0));
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    for arguments in [&["inputs-hash"][..], &["test", "--list"], &["test", "TestReLU"]] {
        system::for_tests::survives_without_output(|| {
            let mut program = program();
            program.args(arguments);
            program
        })
        .unwrap();
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = program().args(["test", "no-such-check"]).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(2), "nor are errors that nobody reads");
}
