//! The book of a student, in a starter: empty and filled in.

use std::fs;
use std::path::Path;

use handin::{GRADED, StarterArguments};
use report::problem::Problems;
use report::{Built, Options, build};
use serde_json::json;
use system::for_tests::write;

use crate::fake;

/// The classes of the course's tests that the assignment asks for.
const CLASSES: [&str; 6] = [
    "tests.test_activations.TestReLU",
    "tests.test_layers.TestFullyConnected",
    "tests.test_activations.TestSoftMax",
    "tests.test_losses.TestCrossEntropy",
    "tests.test_layers.TestConv2D",
    "tests.test_layers.TestPool2D",
];

/// A starter of this workspace, and the folder that it is in.
struct Starter(tempfile::TempDir);

impl Starter {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The harness is not run.
        let harness = Some(root().join("README.md"));
        let arguments = StarterArguments { folder: folder.path().join("hw6"), harness };
        arguments.run(&root()).unwrap();
        Self(folder)
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("hw6")
    }

    /// The book after a run of the course's tests with this outcome.
    fn build(&self, status: &str) -> anyhow::Result<Built> {
        let check = |group: &&str| {
            json!({
                "question": "4", "kind": "course", "group": group, "name": "test_forward",
                "status": status, "line": format!("test_forward ({group}) ... {status}"), "cases": 6,
            })
        };
        let results = json!({ "checks": CLASSES.iter().map(check).collect::<Vec<_>>() });
        write(&self.path(), "results.json", results.to_string());
        let mut options = Options::new(&self.path(), &self.path().join("target"));
        options.hand_in = Some(self.path().join("results.json"));
        let is_written = status == "ok";
        build(
            &options,
            Box::new(move |arguments| match is_written {
                true => fake(arguments),
                false => anyhow::bail!("`cargo run` failed:\n    einsum::trace is not written"),
            }),
        )
    }

    fn page(&self, name: &str) -> String {
        fs::read_to_string(self.path().join("target/book").join(name)).unwrap()
    }

    /// Replaces a text in all chapters.
    fn edit(&self, edit: impl Fn(&str) -> String) {
        let files = report::files::files_below(&self.path().join("book/src")).unwrap();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "md")) {
            fs::write(file, edit(&fs::read_to_string(file).unwrap())).unwrap();
        }
    }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy(from: &Path, to: &Path) {
    for file in report::files::files_below(from).unwrap() {
        let path = file.strip_prefix(from).unwrap().to_str().unwrap();
        write(to, path, fs::read(&file).unwrap());
    }
}

#[test]
fn an_empty_starter_has_a_book_that_marks_and_lists_what_is_missing() {
    let starter = Starter::new();
    let built = starter.build("FAIL").unwrap();
    let missing = built.missing.lines();
    let count = |what: &str| missing.iter().filter(|line| line.contains(what)).count();
    // All functions but those of Sigmoid and L2, which the assignment leaves to the student.
    let optional = GRADED
        .iter()
        .filter(|graded| graded.name.starts_with("Sigmoid::") || graded.name.starts_with("L2::"));
    assert_eq!(count(" is not written"), GRADED.len() - optional.count() + 1, "{missing:#?}");
    assert_eq!(count(") fails"), CLASSES.len());
    assert_eq!(count(": there is no record `iris-sweep` in experiments/"), 2);
    assert_eq!(count("there is no record"), 6);
    assert_eq!(count("book/report.toml:"), 5);
    for expected in [
        "book/report.toml:6: student_id: empty",
        "book/report.toml:13: collaborators (or worked_alone = true): empty",
        "book/src/q4-1.md:11: derive dL/dZ from dL/dY and Z, for a mini-batch",
        "book/src/q6-1.md:16: `cargo run` failed:\n    einsum::trace is not written",
        "crates/activations/src/relu.rs:21: ReLU::value is not written",
        "book/src/q4-1.md:21: test_forward (tests.test_activations.TestReLU) fails",
    ] {
        assert!(missing.iter().any(|line| line == expected), "{expected} in {missing:#?}");
    }
    let page = starter.page("q4-1.html");
    assert!(page.contains("[missing: ReLU::value is not written]"), "{page}");
    assert!(page.contains("<strong class=\"missing\">[missing: derive dL/dZ"), "{page}");
    assert!(page.contains("test_forward (tests.test_activations.TestReLU) ... FAIL"), "{page}");
    let plot = "<strong class=\"missing\" id=\"fig:iris-loss\">[missing: there is no record";
    assert!(starter.page("q5.html").contains(plot));
    assert!(starter.page("index.html").contains("[author: missing in report.toml]"));
    // Those with something to write, and no other.
    assert_eq!(built.counts.appendix_files, 11);

    // What a student writes wrongly is a mistake all the same, with its place.
    starter.edit(|text| text.replace("{{#todo \"derive dL/db\"}}", "$\\foo$\n\n{{#codes a}}"));
    let problems = starter.build("FAIL").unwrap_err().downcast::<Problems>().unwrap().lines();
    let [formula, directive] = &problems[..] else { panic!("{problems:?}") };
    assert!(formula.starts_with("book/src/q4-2.md:11: the formula `\\foo` does not"), "{formula}");
    assert!(directive.starts_with("book/src/q4-2.md:13: unknown directive"), "{directive}");
}

#[test]
fn nothing_is_missing_in_a_starter_that_is_filled_in() {
    let starter = Starter::new();
    for name in ["activations", "layers", "cnn", "losses", "network", "einsum"] {
        let own = Path::new("crates").join(name).join("src");
        copy(&root().join(&own), &starter.path().join(&own));
    }
    let record = starter.path().join("experiments/iris-sweep");
    copy(&root().join("book/records/iris-sweep"), &record);
    let report = starter.path().join("book/report.toml");
    let text = fs::read_to_string(&report).unwrap().replace("= \"\"", "= \"0.8\"");
    fs::write(&report, text.replace("alone = false", "alone = true")).unwrap();
    write(
        &starter.path(),
        "kaggle/mlp.py",
        "# ANCHOR: training\ntrain()\n# ANCHOR_END: training\n",
    );
    copy(&root().join("book/pictures"), &starter.path().join("book/src/figures"));
    starter.edit(|text| {
        let lines = text.lines().map(|line| match line {
            _ if line.contains("the code that trains") => "{{#code kaggle/mlp.py:training}}",
            _ if line.starts_with("{{#todo") => "My own words.",
            _ if line.starts_with("{{#plot") && !line.contains("iris") => {
                "![Loss by epoch](figures/page.png)"
            }
            line => line,
        });
        lines.map(|line| format!("{line}\n")).collect()
    });
    let built = starter.build("ok").unwrap();
    assert_eq!(built.missing.lines(), [""; 0]);
    let page = starter.page("q5.html");
    assert!(page.contains("aria-label=\"Line plot over the iterations"), "{page}");
    assert!(page.contains("fn backward(") && !page.contains("missing"), "{page}");
    assert!(starter.page("q7-1.html").contains("train()"));
    assert!(starter.page("q6-1.html").contains("norm of the difference: 0"));
    assert!(starter.page("appendix-code.html").contains("kaggle/mlp.py"));

    // A section that lost its line is empty, and so is one that was never written.
    starter.edit(|text| text.replace("## Derivation\n\nMy own words.", "## Derivation\n"));
    let missing = starter.build("ok").unwrap().missing.lines();
    let expected = "book/src/q4-3.md:7: the section \"Derivation\" is empty";
    assert!(missing.iter().any(|line| line == expected), "{missing:?}");
}
