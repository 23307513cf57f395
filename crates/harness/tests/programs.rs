//! The verification of programs: our own implementation as a program, right and with each of the deliberate
//! bugs, and an implementation in NumPy, right and with each of the mistakes that are listed beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use serde::Deserialize;
use tempfile::TempDir;

/// What `harness test` prints on a program, and its status.
fn verified(arguments: &[&str]) -> (String, Option<i32>) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_harness"))
        .arg("test")
        .args(arguments)
        .output()
        .expect("the harness is there");
    let text = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (text, status.code())
}

/// The command that serves our own implementation.
fn served(options: &str) -> String {
    format!("'{}' serve {options}", env!("CARGO_BIN_EXE_harness"))
}

#[test]
fn our_own_implementation_passes_as_a_program() {
    let (text, code) = verified(&["--subject", &served(""), "--strict"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("convention of ReLU: the derivative of ReLU at 0 is 1\n"), "{text}");
    assert_eq!(text.matches(" 0 failed").count(), 3, "{text}");
}

/// The bugs of rooms that a program can have, by the name of the room, and the kinds of check that catch each.
fn bugs(filter: &str) -> BTreeMap<String, String> {
    let (text, code) = verified(&[filter, "--verbose"]);
    assert_eq!(code, Some(0), "{text}");
    let rooms = "Linear Sigmoid TanH ReLU SoftMax ArcTan GELU FullyConnected Flatten Conv2D Pool2D \
                 GlobalAveragePool2D CrossEntropy L2 SoftmaxCrossEntropy NeuralNetwork Einsum";
    let line = |line: &str| {
        let (name, rest) = line.split_once(" (controls.")?;
        let (room, rest) = rest.split_once(')')?;
        let (_, kinds) = rest.split_once("caught by ")?;
        let known = rooms.split(' ').any(|own| own == room);
        known.then(|| (format!("{room}.{name}"), kinds.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// The kind of a check, by the beginning of its group.
fn kind(group: &str) -> &str {
    match group.split(['.', '_']).next().unwrap_or_default() {
        "tests" => "course",
        "extra" => "oracle",
        "gradients" => "gradient",
        "formulas" => "formula",
        "properties" | "conventions" => "property",
        other => other,
    }
}

/// Bugs that no check of a program shows: they are conventions, typed errors or of the optimiser, which the
/// protocol does not have, or of shapes that only proofs try.
const NOT_ASKED: [&str; 9] = [
    "Conv2D.grey-shortcut-pad",
    "CrossEntropy.cross-entropy-infinite",
    "FullyConnected.backward-first",
    "NeuralNetwork.network-ascends",
    "NeuralNetwork.network-first-layer-only",
    "NeuralNetwork.network-one-velocity",
    "Pool2D.all-ties-win",
    "Pool2D.last-tie-wins",
    "ReLU.relu-kink",
];

/// Each bug fails a check as a program, and only kinds of check that catch it in our own process.
fn lose_what_catches_them(bugs: &[(String, String)]) {
    let wrong = Mutex::new(Vec::new());
    in_turn(bugs, |(bug, kinds)| {
        let room = bug.split('.').next().unwrap_or_default();
        let subject = served(&format!("--bug {bug}"));
        let (text, _) = verified(&[room, "--subject", &subject, "--strict", "--brief"]);
        assert!(!text.contains("looks like"), "{text}");
        let failing =
            text.lines().filter(|line| line.contains(") ... FAIL") || line.contains(") ... ERROR"));
        let failing: Vec<&str> = failing
            .filter_map(|line| Some(kind(line.split_once(" (")?.1.split(')').next()?)))
            .collect();
        // The loss and the prediction of a network are looked at among its gradients, and a layer with another
        // parameter is refused by every check that builds it.
        let more = ["loss-of-sum", "predicts-logits", "softmax-twice", "bias-kept"];
        let expected = |kind| {
            kinds.split(", ").any(|own| own == kind) || more.iter().any(|end| bug.ends_with(end))
        };
        if failing.is_empty() != NOT_ASKED.contains(&&**bug)
            || !failing.iter().all(|kind| expected(*kind))
        {
            let found = format!("{bug}: caught by {kinds}, as a program by {failing:?}");
            wrong.lock().unwrap().push(found);
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether every bug and every edit is tried, which takes minutes, or a few of them.
fn every() -> bool {
    std::env::var_os("EVERY_PROGRAM").is_some()
}

#[test]
fn deliberate_bugs_lose_the_checks_that_catch_them() {
    let bugs: Vec<_> = if every() {
        bugs("controls").into_iter().collect()
    } else {
        bugs("controls.L2").into_iter().chain(bugs("controls.Einsum")).collect()
    };
    assert!(bugs.len() >= if every() { 80 } else { 6 }, "{bugs:?}");
    lose_what_catches_them(&bugs);
}

/// Runs all on two threads: each of them starts processes of its own.
fn in_turn<T: Sync>(all: &[T], one: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for half in [0, 1] {
            let one = &one;
            scope.spawn(move || all.iter().skip(half).step_by(2).for_each(one));
        }
    });
}

/// The folder with the implementation in NumPy and the list of its mistakes.
fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../subject/python")
}

/// Whether a program runs; without it these tests pass, unless `REQUIRE_NUMPY` is set.
fn has(program: &str, arguments: &[&str]) -> bool {
    let found = Command::new(program).args(arguments).output().is_ok_and(|o| o.status.success());
    let required = std::env::var_os("REQUIRE_NUMPY").is_some();
    assert!(found || !required, "{program} {arguments:?} does not run");
    found
}

fn has_numpy() -> bool {
    has("python3", &["-c", "import numpy"])
}

#[test]
fn three_classes_in_javascript_pass() {
    if has("node", &["--version"]) {
        let file = python().join("../node/subject.mjs");
        let (text, code) = verified(&["--subject", &format!("node '{}'", file.display())]);
        assert!(code == Some(0) && text.contains("three classes in JavaScript"), "{text}");
    }
}

/// Edits of the implementation, and what the harness says of it then.
#[derive(Deserialize)]
struct Edits {
    fault: Vec<Edit>,
    convention: Vec<Edit>,
    program: Vec<Edit>,
}

#[derive(Deserialize)]
struct Edit {
    id: String,
    /// The room whose checks are run; all without it.
    class: Option<String>,
    /// The file that is changed, and the text in it.
    file: Option<String>,
    #[serde(default)]
    find: String,
    #[serde(default)]
    replace: String,
    /// Files that are added.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Whether the implementation is left out.
    #[serde(default)]
    empty: bool,
    /// The folder that is named, below that of the implementation.
    #[serde(default)]
    dir: String,
    /// The exit status, 1 unless another one is given.
    code: Option<i32>,
    /// What the harness has to say.
    says: Vec<String>,
}

fn edits() -> Edits {
    toml::from_str(&fs::read_to_string(python().join("faults.toml")).unwrap()).unwrap()
}

impl Edit {
    /// A copy of the implementation with the edit.
    fn planted(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        if !self.empty {
            copy(&python().join("neural_networks"), &folder.path().join("neural_networks"));
        }
        if let Some(file) = &self.file {
            let path = folder.path().join("neural_networks").join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text.matches(&self.find).count(), 1, "{}: {}", self.id, self.find);
            fs::write(path, text.replace(&self.find, &self.replace)).unwrap();
        }
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// What is wrong with what the harness says of the edited implementation.
    fn problem(&self, default: i32) -> Option<String> {
        let folder = self.planted();
        let named = folder.path().join(&self.dir);
        let arguments = self.class.iter().map(String::as_str).chain(["--numpy", named.to_str()?]);
        let (text, code) = verified(&arguments.collect::<Vec<_>>());
        let expected = self.code.unwrap_or(default);
        let missing: Vec<&String> = self.says.iter().filter(|says| !text.contains(*says)).collect();
        (code != Some(expected) || !missing.is_empty())
            .then(|| format!("{}: status {code:?}, not said: {missing:?}\n{text}", self.id))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to) } else { fs::copy(&from, &to).map(drop).unwrap() }
    }
}

/// Plants each edit and collects what is wrong.
fn all_as_they_say(edits: &[Edit], code: i32) {
    let wrong = Mutex::new(Vec::new());
    in_turn(edits, |edit| wrong.lock().unwrap().extend(edit.problem(code)));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), edits.len(), wrong.join("\n\n"));
}

#[test]
fn an_implementation_in_numpy_passes() {
    if has_numpy() {
        let (text, code) = verified(&["--numpy", python().to_str().unwrap()]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("the assignment: 1"), "{text}");
    }
}

/// The edits of these names, or every one.
fn chosen(edits: Vec<Edit>, some: &[&str]) -> Vec<Edit> {
    edits.into_iter().filter(|edit| every() || some.contains(&&*edit.id)).collect()
}

#[test]
fn conventions_are_named_and_pass() {
    if has_numpy() {
        all_as_they_say(&chosen(edits().convention, &["relu-derivative-at-zero-is-one"]), 0);
    }
}

#[test]
fn mistakes_fail_and_are_named() {
    if has_numpy() {
        let some = ["fc-db-mean", "softmax-one-maximum", "tanh-backward-writes-into-dy"];
        all_as_they_say(&chosen(edits().fault, &some), 1);
    }
}

#[test]
fn programs_that_do_not_work_are_explained() {
    if has_numpy() {
        let some = ["two-packages", "syntax-error", "syntax-error-elsewhere"];
        all_as_they_say(&chosen(edits().program, &some), 1);
    }
}

#[test]
fn a_command_that_does_not_exist_is_an_error() {
    let (text, code) = verified(&["--subject", "no-such-program"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("the program cannot be verified") && text.contains("not found"),
        "{text}"
    );
}
