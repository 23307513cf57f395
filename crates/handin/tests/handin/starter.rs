//! The workspace of students: nothing of the solution is in it, and it does what the assignment says.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use handin::{ENTRIES, GRADED, Graded, gather};
use system::for_tests::{names, ran};
use system::println;

use crate::program::handin;
use crate::root;

/// What the course gives to its students.
const GIVEN: [&str; 2] = ["activations.Linear", "layers.Conv2D.__init__"];

#[test]
fn each_entry_has_something_to_write_and_the_book_derives_it() {
    let submission = gather(&root()).unwrap();
    for entry in &ENTRIES {
        let graded = GRADED.iter().any(|graded| graded.entry == Some(entry.name));
        assert_eq!(graded, !GIVEN.contains(&entry.name), "{}", entry.name);
    }
    for Graded { name, file, item, entry, page: (page, equation), .. } in &GRADED {
        if let Some(entry) = entry {
            let own = submission.iter().find(|own| own.entry.name == *entry).unwrap();
            assert!(own.entry.files.contains(file), "{name}");
            let shown = submission.iter().flat_map(|gathered| &gathered.listings);
            let function = format!("fn {}<", item.rsplit("::").next().unwrap());
            let method = function.replace('<', "(");
            let mut listed = shown.filter(|listing| listing.file == *file);
            let is_shown = |code: &str| code.contains(&function) || code.contains(&method);
            assert!(listed.any(|listing| is_shown(&listing.code)), "{name}");
        }
        let text = fs::read_to_string(root().join("book/src").join(page)).unwrap();
        assert!(text.contains(&format!("{{#eq:{equation} ")), "{name}: {page}, {equation}");
    }
}

/// Lines that other layers have too.
const SHARED: [&str; 3] = [
    "let shapes = LayerConfig::<T>::shapes(self, input_shape)?;",
    "assert_eq!((rows, cols), window.input, \"the window was made for the input\");",
    "x.as_slice().expect(\"the standard layout is contiguous\")",
];

/// A starter of this workspace, in a folder for temporary files.
fn starter(folder: &Path) -> PathBuf {
    let starter = folder.join("hw6");
    let [printed, _] = ran(handin(Some(&root()), &["starter"]).arg(&starter), 0);
    assert!(printed.contains("next: cd ") && printed.contains("cargo xtask test"), "{printed}");
    assert_eq!(names(folder), ["hw6"], "nothing else is left");
    starter
}

/// The Rust files below a folder, and what is in them.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for entry in system::entries(folder).unwrap() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push((path.clone(), fs::read_to_string(path).unwrap()));
        }
    }
    all
}

#[test]
fn a_starter_has_no_line_of_a_solution_and_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let starter = starter(folder.path());
    let sources = sources(&starter.join("crates"));
    for Graded { name, file, .. } in &GRADED {
        let own = fs::read_to_string(starter.join(file)).unwrap();
        assert_eq!(own.matches(&format!("\"{name} is not written yet")).count(), 1, "{name}");
        // Whatever the file has lost.
        let solution = fs::read_to_string(root().join(file)).unwrap();
        let solution = solution.split("#[cfg(test)]").next().unwrap();
        let lost = solution.lines().map(str::trim).filter(|line| {
            line.len() >= 40
                && !SHARED.contains(line)
                && !line.starts_with("//")
                && !line.contains("use ")
                && !own.contains(line)
        });
        for line in lost {
            let shown = sources.iter().find(|(_, text)| text.contains(line));
            assert!(shown.is_none(), "{name}: {line} in {:?}", shown.map(|(path, _)| path));
        }
    }
    for (path, text) in &sources {
        assert!(!text.contains("\n#[cfg(test)]") && !text.contains("\n#[test]"), "{path:?}");
    }
    // Cargo would take the packages of the verification for those of the student.
    let manifest = fs::read_to_string(starter.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("-starter\"\n") && !manifest.contains("\"xtask\""), "{manifest}");
    // A folder with something in it is left alone.
    let before = fs::read(starter.join("Cargo.lock")).unwrap();
    let [_, errors] = ran(handin(Some(&root()), &["starter"]).arg(&starter), 1);
    assert!(errors.contains("it is no empty folder"), "{errors}");
    assert_eq!(fs::read(starter.join("Cargo.lock")).unwrap(), before);
    let outside = tempfile::tempdir().unwrap();
    let [_, errors] = ran(&mut handin(Some(outside.path()), &["starter", "a"]), 1);
    assert!(errors.contains("is not inside a Cargo workspace"), "{errors}");
    // What fails in the middle leaves nothing.
    let [_, errors] = ran(
        handin(Some(&root()), &["starter", "--harness", "no-such-file"])
            .arg(outside.path().join("b")),
        1,
    );
    assert!(errors.contains("cannot read no-such-file"), "{errors}");
    assert!(names(outside.path()).is_empty());
}

/// What cargo prints in the starter, and whether it succeeds.
fn cargo(starter: &Path, target: &Path, arguments: &[&str]) -> (String, bool) {
    let mut command = handin::cargo(starter);
    command.args(arguments).env("CARGO_TARGET_DIR", target).env_remove("RUST_BACKTRACE");
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

/// Puts the solution of a crate into the starter.
fn copy(starter: &Path, name: &str) {
    let crates = Path::new("crates").join(name).join("src");
    let from = root().join(&crates).join(".");
    let copied = Command::new("cp").arg("-r").arg(from).arg(starter.join(&crates)).status();
    assert!(copied.unwrap().success());
}

/// Writes a mistake into a function while it is watched, and takes it back.
fn watch(starter: &Path, target: &Path) {
    let mut command = handin::cargo(starter);
    command.args(["run", "--quiet", "--bin", "student", "--", "watch", "4.1"]);
    command.env("CARGO_TARGET_DIR", target).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut watching = command.spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut wait = |expected: &str| {
        assert!(lines.any(|line| line.unwrap().contains(expected)), "{expected}");
    };
    wait("all checks pass");
    let file = starter.join("crates/activations/src/relu.rs");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, right.replace("z < T::zero() { T::zero()", "z < T::zero() { z")).unwrap();
    wait("): Y[0]: expected 0, got -");
    fs::write(&file, right).unwrap();
    wait("all checks pass");
    // As Ctrl-C does, which all processes of a terminal get.
    drop(lines);
    watching.kill().unwrap();
    watching.wait().unwrap();
}

/// Takes minutes, so it runs where `BUILD_STARTER` is set.
#[test]
fn an_empty_starter_passes_8_of_25_and_one_that_is_filled_in_all() {
    if std::env::var_os("BUILD_STARTER").is_none() {
        return println!("skipped: BUILD_STARTER is not set");
    }
    let folder = tempfile::tempdir().unwrap();
    let starter = starter(folder.path());
    let own = system::target_folder(&root()).unwrap();
    let target = system::temporary_folder(&own, "starter-").unwrap();
    handin::share(&own, target.path()).unwrap();
    let run = |arguments: &[&str]| cargo(&starter, target.path(), arguments);

    let (text, passed) = run(&["check", "--workspace"]);
    assert!(passed && !text.contains("warning"), "{text}");
    let (text, passed) = run(&["xtask", "test"]);
    assert!(!passed && text.contains("the assignment: 8 passed, 17 failed\n"), "{text}");
    let ok = text.lines().filter(|line| line.ends_with(" ... ok"));
    for line in ok {
        let class = line.rsplit(".Test").next().unwrap();
        assert!(
            ["Linear", "TanH", "ArcTan", "Flatten"].iter().any(|own| class.starts_with(own)),
            "{text}"
        );
    }
    let count = |what: &str| text.matches(what).count();
    let (errors, reports) = (count(" ... ERROR\n"), count("\nERROR: test_"));
    // What one missing function fails is reported together.
    assert_eq!((errors, reports + count("\nthe same in: ")), (17, 17), "{text}");
    let named = count(" is not written yet; `cargo xtask hint ");
    assert_eq!((named, count(".rs:")), (reports, reports), "{text}");
    for (arguments, function) in [
        (&["run", "-p", "ffnn", "--", "train"][..], "FullyConnectedConfig::build"),
        (&["run", "-p", "einsum"], "einsum::trace"),
        (&["xtask", "gradcheck", "Pool2D"], "max_pool_forward"),
    ] {
        let (text, passed) = run(arguments);
        assert!(!passed && text.contains(&format!("{function} is not written yet")), "{text}");
        assert!(!text.contains("RUST_BACKTRACE"), "{text}");
    }
    let (text, passed) = run(&["xtask", "report"]);
    assert!(passed && text.contains("missing crates/activations/src/relu.rs:"), "{text}");
    assert!(text.contains("missing book/src/q4-1.md:11: derive dL/dZ"), "{text}");
    let (text, passed) = run(&["xtask", "package"]);
    assert!(passed && text.contains("NOT WRITTEN: ReLU::value (crates/act"), "{text}");
    assert!(text.contains("the tests of the course: 8 passed, 17 failed\n"), "{text}");
    assert!(text.contains("left out: verification.zip\n"), "{text}");
    // A training that cannot come to an end has no record, however far it would come.
    for name in ["activations", "layers", "losses"] {
        copy(&starter, name);
    }
    let (text, passed) = run(&["run", "-p", "ffnn", "--", "train"]);
    assert!(!passed && text.contains("NeuralNetwork::infer is not written yet"), "{text}");
    assert!(!starter.join("experiments").exists());
    let (text, passed) = run(&["xtask", "submission", "--format", "markdown"]);
    assert!(passed && text.contains("max_pool_backward is not written yet"), "{text}");

    watch(&starter, target.path());
    for name in ["activations", "layers", "cnn", "losses", "network", "einsum"] {
        copy(&starter, name);
    }
    for (arguments, expected) in [
        (&["xtask", "test"][..], "the assignment: 25 passed, 0 failed\n"),
        (&["xtask", "gradcheck", "Pool2D"], "largest error"),
        (&["run", "-p", "ffnn", "--", "train", "--quiet"], ""),
        (&["run", "-p", "einsum"], "outer product"),
        (&["run", "-p", "ffnn", "--", "sweep"], ""),
        (&["xtask", "submission", "--format", "markdown"], "fn max_pool_backward"),
        (&["xtask", "report"], "missing book/src/q4-1.md:11: derive dL/dZ"),
        (&["xtask", "package"], "verified: unpacked elsewhere"),
    ] {
        let (text, passed) = run(arguments);
        assert!(passed && text.contains(expected), "{arguments:?}: {text}");
    }
    assert!(starter.join("experiments/iris/loss.svg").is_file());
}
