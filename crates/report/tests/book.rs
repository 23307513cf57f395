//! Whole books, from chapters to pages.

#![expect(clippy::unwrap_used, reason = "all of this is tests, which panic to fail")]

use std::fs;
use std::path::Path;

use report::files::files_below;
use report::problem::Problems;
use report::{Built, Options, build};
use system::for_tests;

#[path = "book/hand_in.rs"]
mod hand_in;

/// A harness whose results are up to date, and programs that print the same each time.
fn fake(arguments: &[&str]) -> anyhow::Result<String> {
    match arguments {
        [.., "inputs-hash"] => Ok("now".to_owned()),
        [.., "einsum"] => Ok("norm of the difference: 0\n".to_owned()),
        _ => anyhow::bail!("not asked for"),
    }
}

const BOOK_TOML: &str = include_str!("../../../book/book.toml");
const REPORT_TOML: &str = "title = 'Networks'\nauthor = 'Ada'\nstudent_id = ''\nworked_alone = true\n\
    kaggle_username = 'ada'\nkaggle_score = '0.8'\n";
const SUMMARY: &str = "# Summary\n\n[Title](title.md)\n\n- [4.1 ReLU](q4-1.md)\n- [2 Back](deep/back.md)\n\n\
    [Verification](background/how-to-read-the-marks.md)\n[Appendix](appendix-code.md)\n";
const CODE: &str = "//! One.\n\n// ANCHOR: f\n/// `<` and `{{#x}}`.\nfn f() {}\n// ANCHOR_END: f\n";
const QUESTION: &str = "# Question $4.1$\n\nLet $z$ be [@eq:relu], see [@fig:net], [@tbl:t] and [the rest](deep/back.md#more).\n\n\
    $$\na\n- b\n$$ {#eq:relu .result}\n\n{{#code crates/one/src/a.rs:f}}\n\n{{#tests 4.1}}\n\n{{#output einsum}}\n\n\
    {{#figure net.svg \"A net with $x$, [@eq:relu]\" \"Two circles\" fig:net}}\n\n{{#table \"Sizes\" tbl:t}}\n\n\
    | a | b |\n|---|---|\n| $x$ | {{#value checks passed}} |\n";
const BACK: &str = "# Back\n\n## More\n\n1. An item\n\n   $$\n   x\n   $$ {#eq:deep .step}\n\n   and [@eq:relu], [@eq:deep].\n";
const VERIFICATION: &str = "# Verification\n\n{{#summary}}\n\n{{#negative-controls}}\n";
const NET: &str = "<svg viewBox=\"0 0 4 4\"><g id=\"a\" fill=\"currentColor\"><circle r=\"1\"/></g><use href=\"#a\"/></svg>";

fn results(formula: &str) -> String {
    let check = |kind: &str, group: &str, name: &str| {
        serde_json::json!({
            "question": "4.1", "kind": kind, "group": group, "name": name, "status": "ok",
            "line": format!("{name} ({group}) ... ok"), "detail": "", "cases": 50,
            "max_error": 0.0, "bound": 1e-10,
        })
    };
    serde_json::json!({
        "schema": 2, "worked": {"relu.z": {"shape": [2], "values": [0.0, 3.0]}}, "step_curves": [],
        "inputs_sha256": "now", "command": "cargo xtask test", "passed": 2, "failed": 0,
        "checks": [check("course", "tests.TestReLU", "test_forward"), check("formula", "formulas", formula)],
        "controls": [{
            "id": "sign", "question": "4.1", "subject": "ReLU", "bug": "sign", "caught_by": ["course"],
        }],
    })
    .to_string()
}

struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Self {
        let workspace = Self(for_tests::folder(&[
            ("crates/one/Cargo.toml", ""),
            ("crates/one/src/a.rs", CODE),
            ("book/book.toml", BOOK_TOML),
            ("book/report.toml", REPORT_TOML),
            ("book/src/SUMMARY.md", SUMMARY),
            ("book/src/title.md", "{{#title-page}}\n"),
            ("book/src/q4-1.md", QUESTION),
            ("book/src/deep/back.md", BACK),
            ("book/src/background/how-to-read-the-marks.md", VERIFICATION),
            ("book/src/appendix-code.md", "# Appendix\n\n{{#all-code}}\n"),
            ("book/src/figures/net.svg", NET),
            ("book/src/figures/.DS_Store", ""),
            ("book/src/figures/._net.svg", ""),
            ("target/harness/results.json", &*results("relu")),
        ]));
        workspace.copy("book/theme");
        workspace
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, text: &str) {
        for_tests::write(self.path(), file, text);
    }

    /// Copies a folder of the real workspace.
    fn copy(&self, folder: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for file in files_below(&root.join(folder)).unwrap() {
            let path = file.strip_prefix(&root).unwrap().to_str().unwrap();
            for_tests::write(self.path(), path, fs::read(&file).unwrap());
        }
    }

    fn add(&self, file: &str, text: &str) {
        let old = fs::read_to_string(self.path().join(file)).unwrap();
        self.write(file, &format!("{old}\n{text}\n"));
    }

    fn build(&self) -> anyhow::Result<Built> {
        build(&Options::new(self.path(), &self.path().join("target")), Box::new(fake))
    }

    fn problems(&self) -> Vec<String> {
        self.build().unwrap_err().downcast::<Problems>().unwrap().lines()
    }

    /// The book has these problems and no others, by the words in each.
    #[track_caller]
    fn has_problems(&self, expected: &[&str]) {
        let problems = self.problems();
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for expected in expected {
            assert!(problems.iter().any(|p| p.contains(expected)), "{expected} in {problems:?}");
        }
    }

    fn page(&self, name: &str) -> String {
        fs::read_to_string(self.path().join("target/book").join(name)).unwrap()
    }

    /// A page of the finished book has all of this.
    #[track_caller]
    fn shows(&self, name: &str, expected: &[&str]) {
        let page = self.page(name).replace('\u{a0}', " ");
        for expected in expected {
            assert!(page.contains(expected), "{expected} is not in {page}");
        }
    }
}

#[test]
fn a_book_is_built() {
    let workspace = Workspace::new();
    let built = workspace.build().unwrap();
    assert_eq!(built.front.missing(), ["student_id"]);
    let counts = built.counts;
    assert_eq!((counts.chapters, counts.formulas, counts.checked), (5, 6, 1));
    let theme = fs::read_dir(workspace.path().join("book/theme")).unwrap().count();
    assert_eq!((counts.snippets, counts.figures, counts.appendix_files), (1, 1, 1 + theme));

    let question = [
        "<svg aria-hidden=\"true\" class=\"formula\"",
        "</svg><math class=\"spoken\"><mn>4.1</mn></math>",
        "id=\"eq:relu\"",
        "<a class=\"equation-number\" href=\"#eq:relu\">(4.1.1)</a>",
        "<summary>checked in 50 cases</summary>\n<ul>\n<li>checked against the code: 50 cases, largest error 0, bound 1e-10</li>",
        "<li><a href=\"background/how-to-read-the-marks.html\">what this means</a></li>\n</ul>\n</details>",
        "<a href=\"#eq:relu\">(4.1.1)</a>, see <a href=\"#fig:net\">Figure 4.1.1</a>",
        "<strong>Figure 4.1.1.</strong> A net with <span class=\"unbroken\"><svg aria-hidden",
        "</math>,</span> <a href=\"#eq:relu\">(4.1.1)</a>",
        "<strong>Table 4.1.1.</strong> Sizes",
        "<code>crates/one/src/a.rs</code>, lines 4–5",
        "fn f() {}",
        "$ cargo xtask test 4.1\ntest_forward (tests.TestReLU) ... ok\n[1 more: 1 formula]",
        "$ cargo run -p einsum\nnorm of the difference: 0",
        "<g id=\"fig-net-a\" fill=\"currentColor\">",
        "<td>2</td>",
    ];
    let back = "<a href=\"../q4-1.html#eq:relu\">(4.1.1)</a>, <a href=\"#eq:deep\">(2.1)</a>";
    let formula = "<svg role=\"img\" aria-label=\"4.1\" class=\"formula\"";
    for (page, expected) in [
        ("q4-1.html", &question[..]),
        ("deep/back.html", &[back]),
        ("index.html", &["[student ID: missing in report.toml]"]),
        ("print.html", &[formula, "fill=\"currentColor\""]),
        ("appendix-code.html", &["{{#x}}"]),
        ("background/how-to-read-the-marks.html", &["<code>sign</code>"]),
        ("toc.html", &["<title>Table of contents</title>"]),
    ] {
        workspace.shows(page, expected);
    }
    let print = workspace.page("print.html");
    assert!(!print.contains("<math"));
    // The same sources make the same pages.
    workspace.build().unwrap();
    assert!(print == workspace.page("print.html"));
}

#[test]
fn every_failure_is_reported_in_one_run_with_its_line() {
    let workspace = Workspace::new();
    workspace.add(
        "book/src/q4-1.md",
        "$\\foo$ and 5$\n\n[@eq:gone] [@fig:gone]\n\n{{#code crates/one/src/a.rs:gone}}\n\n{{#code crates/one/src/b.rs:f}}\n\n\
         {{#tests 9.9}}\n\n{{#output rm}}\n\n{{#record gone table}}\n\n{{#value gone a}}\n\n\
         {{#figure gone.svg \"c\" \"a\" fig:gone-file}}\n\n{{#plot book/x.svg \"c\" \"a\" fig:plot}}\n\n\
         [dead](gone.md) [dead](deep/back.md#gone)\n\n$$\nx\n$$ {#eq:relu .step}\n\n$$\nx\n$$ {#eq:unchecked .result}\n\n\
         {{#inclde a}}\n\n{{#include a.rs:b}}\n\n![](x.png)\n\nsee ??\n\n\
         {{#repeats best three 0.9}}\n\n{{#widget pooling \"Try\"}}\n\n<p>open\n",
    );
    workspace.write("book/src/figures/unused.svg", NET);
    let problems = workspace.problems().join("\n").replace("book/src/q4-1.md", "FILE");
    let problems = problems.replace("target/book/q4-1.html", "PAGE");
    for expected in [
        "FILE:24: the formula `\\foo` does not render: Undefined control sequence: \\foo",
        "FILE:24: a `$` without a partner",
        "FILE:26: nothing in the book defines `eq:gone`",
        "FILE:26: nothing in the book defines `fig:gone`",
        "FILE:28: crates/one/src/a.rs has no anchor `gone`; it has: f",
        "FILE:30: cannot read the code of crates/one/src/b.rs",
        "FILE:32: the harness has no check of question `9.9`",
        "FILE:34: unknown program `rm`",
        "FILE:36: there is no record `gone`",
        "FILE:38: there is no record `gone`",
        "FILE:40: cannot read the figure gone.svg",
        "FILE:42: the plot `book/x.svg` is not of the form",
        "PAGE: the link `gone.html` leads nowhere",
        "PAGE: the link `deep/back.html#gone` leads nowhere: deep/back.html has no `#gone`",
        "FILE:46: `eq:relu` is already defined at FILE:5",
        "FILE:50: the result `eq:unchecked` is not verified",
        "FILE:54: unknown directive `{{#inclde}}`",
        "FILE:56: `{{#include}}` does not fail on a wrong anchor",
        "PAGE: an image has no alternative text",
        "PAGE: `x.png` would be loaded, but is not in the book",
        "FILE:62: `three` in `{{#repeats best three 0.9}}` is not a number",
        "FILE:64: there is no widget `pooling`",
        "PAGE: `??` in \"see ??\"",
        "book: mdBook warns: unclosed HTML tag `<p>`",
        "book/src/figures/unused.svg: no chapter shows this figure",
    ] {
        assert!(problems.lines().any(|p| p.starts_with(expected)), "{expected} in\n{problems}");
    }
    assert!(!workspace.path().join("target/book").exists());
}

#[test]
fn a_book_that_fails_leaves_the_old_one_alone() {
    let workspace = Workspace::new();
    workspace.build().unwrap();
    let before = workspace.page("q4-1.html");
    workspace.add("book/src/q4-1.md", "[@eq:gone]");
    workspace.has_problems(&["nothing in the book defines `eq:gone`"]);
    assert_eq!(workspace.page("q4-1.html"), before);
    let left: Vec<_> = fs::read_dir(workspace.path().join("target")).unwrap().flatten().collect();
    assert_eq!(left.len(), 2, "book, harness: {left:?}");
}

#[test]
fn numbers_of_examples_come_from_the_harness() {
    let workspace = Workspace::new();
    workspace.add(
        "book/src/q4-1.md",
        "## A worked example\n\nFrom $z = \\worked{relu.z}$, in words {{#value worked relu.z}}, comes \
         $\\checked{\\worked{relu.z[1]} + 1 = 4}$.\n\n{{#negative-controls 4.1}}\n",
    );
    workspace.build().unwrap();
    workspace.shows("q4-1.html", &["in words (0, 3), comes", "3 + 1 = 4", "<code>sign</code>"]);

    workspace.add(
        "book/src/q4-1.md",
        "Then $y = 5$.\n\n$\\checked{1 + 1 = 3}$\n\n$\\worked{relu.y}$\n\n{{#negative-controls 9.9}}\n\n\
         {{#table \"Alone\" tbl:alone}}\n\n{{#drawing nothing \"c\" \"a\" fig:net2}}\n\nSee [@fig:net2].\n\n\
         $$\nx\n$$ {#eq:unsaid}\n",
    );
    workspace.has_problems(&[
        "`= 5` is typed in a worked example",
        "`1 + 1 = 3`: 2 is not 3",
        "no tensor `relu.y`; it has relu.z",
        "no deliberate bug belongs to `9.9`",
        "the text never refers to `tbl:alone`",
        "no drawing is called `nothing`",
        "`{#eq:unsaid}` is not of the form",
        "the link `#fig:net2` leads nowhere",
    ]);
}

#[test]
fn formulas_chapters_and_the_summary_agree() {
    let workspace = Workspace::new();
    workspace.write("target/harness/results.json", &results("other"));
    workspace.write("book/src/background/how-to-read-the-marks.md", "No title.\n");
    workspace.add("book/src/q4-1.md", "# Another");
    workspace.write("book/src/stray.md", "# Stray\n");
    workspace.has_problems(&[
        "book/src/q4-1.md:5: the result `eq:relu` is not verified",
        "checks `formulas.other`, but no equation is `{#eq:other}`",
        "q4-1.md:1: a chapter has one title (`# ...`), but this has 2",
        "background/how-to-read-the-marks.md:1: a chapter has one title (`# ...`), but this has 0",
        "book/src/stray.md: SUMMARY.md does not list this chapter",
    ]);
    fs::remove_file(workspace.path().join("book/src/deep/back.md")).unwrap();
    let error = format!("{:#}", workspace.build().unwrap_err());
    assert!(error.contains("deep/back.md"), "{error}");
    assert!(!workspace.path().join("book/src/deep/back.md").exists(), "mdBook must not create it");
}

#[test]
fn exercises_bugs_sources_and_the_map_are_shown() {
    let workspace = Workspace::new();
    workspace.write("book/src/title.md", "# Networks\n\n{{#chapters}}\n\n{{#sources}}\n");
    let part = "# Part\n\n- [5 More](more.md)\n- [6 Most](deep/most.md)\n\n[Verification]";
    workspace.write("book/src/SUMMARY.md", &SUMMARY.replace("[Verification]", part));
    workspace.write("book/src/more.md", "# More\n\n$$ x $$ {#eq:more .step}\n");
    workspace.write("book/src/deep/most.md", "# Most\n\n[@eq:more], [@src:a-1], [@ex:one].\n");
    workspace.write(
        "crates/harness/src/rooms/relu.rs",
        "fn faulty() {\n    match bug {\n        \"sign\" => -1,\n        \"other\" => 0,\n    }\n}\n",
    );
    let source = "id = 'a-1'\nauthors = 'A & B'\ntitle = 'T'\npublished = '2015'\ntaken = 'all'\n";
    workspace.add("book/report.toml", &format!("[[sources]]\n{source}"));
    workspace.add(
        "book/src/q4-1.md",
        "{{#exercise \"A *sign*\" ex:one}}\n\n{{#bug ReLU sign}}\n\nWhy?\n\n{{#solution}}\n\n{{#caught ReLU sign}}\n\n\
         - $\\checked{1 + 1 = 2}$\n\n{{#end}}\n\nText.\n",
    );
    workspace.build().unwrap();
    let exercise = [
        "<section class=\"exercise\" id=\"ex:one\">\n<p><strong>Exercise 4.1.1. A <em>sign</em>.</strong></p>",
        "<code>crates/harness/src/rooms/relu.rs</code>, without its other bugs",
        "\"sign\" =&gt; -1,\n    }\n}",
        "<p>Why?</p>\n<details class=\"solution\" data-of=\"Exercise 4.1.1\">\n<summary>Solution</summary>",
        "<strong>ReLU: sign.</strong> Caught by: course. No kind of check lets it pass.",
        "</ul>\n</details>\n</section>\n<p>Text.</p>",
    ];
    workspace.shows("q4-1.html", &exercise);
    let most = "<a href=\"../more.html#eq:more\">(5.1)</a>, <a href=\"../title.html#src:a-1\">[1]</a>, \
        <a href=\"../q4-1.html#ex:one\">Exercise 4.1.1</a>";
    workspace.shows("deep/most.html", &[most]);
    workspace.shows(
        "index.html",
        &[
            "<td><a href=\"deep/most.html\">6 Most</a></td><td style=\"text-align: right\">1</td><td>\
             <a href=\"q4-1.html\">4.1</a>, <a href=\"more.html\">5</a></td>",
            "<li id=\"src:a-1\">A &amp; B. <cite>T</cite>. 2015. <em>Taken:</em> all.</li>",
        ],
    );
}

#[test]
fn a_frame_that_cannot_be_read_is_an_error() {
    for (file, text, expected) in [
        ("book/book.toml", "[book]\nmood = 1\n", "book.toml"),
        ("book/report.toml", "title = ''\n", "report.toml"),
        ("target/harness/results.json", "{", "not asked for"),
    ] {
        let workspace = Workspace::new();
        workspace.write(file, text);
        let error = workspace.build().unwrap_err();
        assert!(!error.is::<Problems>() && format!("{error:#}").contains(expected), "{error:#}");
    }
}

#[test]
fn records_of_pictures_and_of_an_ablation_are_shown() {
    let workspace = Workspace::new();
    workspace.copy("book/records/fashion-mnist-mlp");
    workspace.copy("book/records/cifar10-ablation");
    workspace.add(
        "book/src/q4-1.md",
        "\nSee [@fig:samples].\n\n\
         {{#plot book/records/fashion-mnist-mlp/samples.svg \"Pictures\" \"Clothes\" fig:samples}}\n\n\
         {{#ablation cifar10-ablation}}\n\n{{#record fashion-mnist-mlp network}}\n\n\
         {{#record fashion-mnist-mlp confused}}\n\n\
         {{#requirement fashion-mnist-mlp derived.validation_accuracy% 0.5 \"accuracy\"}}\n",
    );
    workspace.build().unwrap();
    let expected = [
        "href=\"data:image/png;base64,iVBORw0KGgo",
        "; right</title>",
        "aria-label=\"Clothes\"",
        "<td>nothing (the full recipe)</td>",
        "<code>flatten</code>",
        "<td>shirt</td>",
        "%</strong> (at least 50.0 %)",
    ];
    workspace.shows("q4-1.html", &expected);

    // What the page would load is refused wherever it stands.
    let file = workspace.path().join("book/records/fashion-mnist-mlp/samples.svg");
    let svg = fs::read_to_string(&file).unwrap();
    fs::write(&file, svg.replace("data:image/png", "https://x/data:image/png")).unwrap();
    let problems = workspace.problems();
    assert!(problems[0].contains("would be loaded from the network"), "{problems:?}");
}
