//! The commands of an instructor, from a folder to points.

#![cfg(target_os = "linux")]

mod machine;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use system::for_tests::{self, folder, names, ran};

fn grading(arguments: &[&str], current: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_grading"));
    program.args(arguments).current_dir(current);
    program.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
    program
}

/// A program that never answers, so that all points are lost soon.
fn silent() -> [(&'static str, &'static str); 1] {
    [("class/ada/subject.toml", "command = [\"sleep\", \"100\"]\n")]
}

#[test]
fn an_implementation_of_the_course_gets_all_points_and_a_wrong_one_those_of_the_rest() {
    if !machine::can_grade(
        "an_implementation_of_the_course_gets_all_points_and_a_wrong_one_those_of_the_rest",
    ) {
        return;
    }
    let class = folder(&[("x", "")]);
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../subject/python/neural_networks");
    for name in ["ada", "bob"] {
        let own = class.path().join("class").join(name);
        fs::create_dir_all(&own).unwrap();
        let copied = Command::new("cp").arg("-r").args([&python, &own]).status();
        assert!(copied.unwrap().success());
    }
    let layers = class.path().join("class/bob/neural_networks/layers.py");
    let text = fs::read_to_string(&layers).unwrap();
    let right = "self.gradients[\"b\"] = dZ.sum(axis=0, keepdims=True)";
    assert_eq!(text.matches(right).count(), 1, "the line of the bias's gradient");
    let wrong = text.replace(right, "self.gradients[\"b\"] = dZ.mean(axis=0, keepdims=True)");
    fs::write(&layers, wrong).unwrap();

    let run = |arguments: &[&str], code| ran(&mut grading(arguments, class.path()), code);
    let products = ["--csv", "class.csv", "--page", "class.md", "--feedback", "feedback"];
    let [text, errors] =
        run(&[&["grade", "class", "--output", "results"], &products[..]].concat(), 0);
    assert!(text.contains("    100 of 100 ada\n"), "{text}{errors}");
    let table =
        csv::ReaderBuilder::new().has_headers(false).from_path(class.path().join("class.csv"));
    let rows: Vec<csv::StringRecord> = table.unwrap().records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), &rows[1][1], &rows[2][0]), (3, "100", "bob"), "{rows:?}");
    // The course's own tests never look at the gradient of a bias; a network is trained by it.
    for (column, name) in rows[0].iter().enumerate().skip(3) {
        let loses = name.contains("gradients of W and b") || name.contains("NeuralNetwork");
        assert_eq!(rows[1][column] != rows[2][column], loses, "{name}: {rows:?}");
    }
    let page = fs::read_to_string(class.path().join("class.md")).unwrap();
    assert!(page.contains("| 1 | FullyConnected: dL/db is the mean over the examples"), "{page}");
    assert_eq!(names(&class.path().join("feedback")), ["ada.txt", "bob.txt"]);
    let [ada, bob] = ["ada", "bob"]
        .map(|name| fs::read_to_string(class.path().join(format!("feedback/{name}.txt"))).unwrap());
    assert!(ada.ends_with("\n100 of 100 points\n"), "{ada}");
    assert!(
        bob.contains(" of 100 points\n\nFullyConnected: gradients of W and b, and formulas\n=====")
    );
    assert!(bob.contains("looks like: dL/db is the mean over the examples"), "{bob}");

    // What runs a case again is what the student would type.
    let record = fs::read_to_string(class.path().join("results/bob.json")).unwrap();
    assert!(record.contains(
        "this case alone: cargo xtask test formulas.fully-connected-db --numpy DIR --case "
    ));
    assert!(!record.contains("isolate"));

    let [text, errors] =
        run(&["grade", "class/bob", "--output", "results", "--gradescope", "results.json"], 0);
    assert!(errors.contains("bob: ") && errors.contains("as before"), "{errors}");
    assert!(errors.contains("students see no total at Gradescope"), "{errors}");
    assert!(
        text.contains("FullyConnected: tests of the course                     6 of  6 points,"),
        "{text}"
    );
    let results = fs::read(class.path().join("results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    let tests = results["tests"].as_array().unwrap();
    let sum: f64 = tests.iter().map(|test| test["score"].as_f64().unwrap()).sum();
    let total = format!("\n{} of 100 points\n", (sum * 100.0).round() / 100.0);
    assert!(text.contains(&total), "{text}");

    // Other points, from the same results.
    let points = "[[group]]\nname = \"layers\"\npoints = 7\nclasses = [\"FullyConnected\"]\nkinds = [\"course\"]\n";
    fs::write(class.path().join("points.toml"), points).unwrap();
    let [text, errors] = run(&["regrade", "results", "--points", "points.toml"], 0);
    assert_eq!((&*text, &*errors), ("      7 of 7 ada\n      7 of 7 bob\n", ""));
}

#[test]
fn what_is_wrong_with_a_request_is_said_before_anything_runs() {
    let root = folder(
        &[
            &silent()[..],
            &[("class/bob/a.py", ""), ("points.toml", "[[group]]\nname = \"a\"\npoint = 1")],
        ]
        .concat(),
    );
    for (arguments, expected) in [
        (&["grade", "nowhere"][..], "error: nowhere cannot be graded: No such file"),
        (
            &["grade", "class", "--points", "points.toml"],
            "points.toml cannot be used: expected what --print-points prints",
        ),
        (&["grade", "class", "--points", "none.toml"], "none.toml cannot be read"),
        (&["grade", "class", "--only", "TestConv3D"], "near names: TestConv2D"),
        (
            &["grade", "class", "--only", "tests_f4"],
            "no check that --only tests_f4 selects earns points; name others",
        ),
        (
            &["grade", "class", "--gradescope", "r.json"],
            "--gradescope is for one hand-in, but there are 2",
        ),
        (&["grade", "class", "--read", "/"], "lies in /, which a hand-in may read"),
        (
            &["grade", "class", "--csv", "no/x.csv"],
            "no/x.csv cannot be written: its folder does not exist",
        ),
        (&["grade", "class", "--read", "nowhere"], "--read nowhere does not exist"),
        (&["regrade", "class"], "class holds no results; cargo xtask grade PATH writes them"),
        (&["regrade", "nowhere"], "nowhere holds no results"),
    ] {
        let [text, errors] = ran(&mut grading(arguments, root.path()), 1);
        assert!(text.is_empty() && errors.contains(expected), "{arguments:?}: {text}{errors}");
    }
    assert_eq!(names(root.path()), ["class", "points.toml"]);
    let [printed, _] = ran(&mut grading(&["grade", "--print-points"], root.path()), 0);
    fs::write(root.path().join("points.toml"), printed).unwrap();
    let arguments = ["grade", "class/ada", "--points", "points.toml", "--no-sandbox"];
    let limits = ["--time-limit", "1", "--output", "results", "--gradescope", "results.json"];
    let [text, errors] = ran(&mut grading(&[&arguments[..], &limits].concat(), root.path()), 0);
    assert!(errors.contains("isolation: none: programs have all your rights"), "{errors}");
    assert!(
        text.contains("nothing could be verified") && text.ends_with("\n0 of 100 points\n"),
        "{text}"
    );
}

#[test]
fn what_is_interrupted_goes_on_and_leaves_nothing_behind() {
    let root = folder(&silent());
    for name in ["bob", "eve"] {
        for_tests::write(root.path(), &format!("class/{name}/subject.toml"), silent()[0].1);
    }
    let arguments = |limit: &'static str| {
        [
            "grade",
            "class",
            "--no-sandbox",
            "--workers",
            "1",
            "--output",
            "results",
            "--time-limit",
            limit,
        ]
    };
    fs::create_dir(root.path().join("tmp")).unwrap();
    let mut first = grading(&arguments("1"), root.path());
    let first =
        first.env("TMPDIR", root.path().join("tmp")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut first = first.spawn().unwrap();
    let results = root.path().join("results");
    while names(&results).is_empty() {
        sleep(Duration::from_millis(10));
    }
    let interrupt = format!("kill -INT {}", first.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    assert_eq!(first.wait().unwrap().code(), Some(130));
    assert_eq!(names(&root.path().join("tmp")), [""; 0]);
    let before = names(&results).len();
    assert!((1..3).contains(&before), "{before}");
    let [text, errors] = ran(&mut grading(&arguments("1"), root.path()), 0);
    assert_eq!(errors.lines().filter(|line| line.contains("/3 ")).count(), 3, "{errors}");
    assert_eq!(text.matches("0 of 100 ").count(), 3, "{text}");
    assert_eq!(names(&results).len(), 3);
}
