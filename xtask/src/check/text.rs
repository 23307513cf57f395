//! Code, names and paths that no file may have.

use crate::problem;
use crate::workspace::SourceFile;

/// Code that no Rust file may contain, whether cargo compiles it or not, and what to do instead.
const EVERYWHERE: [(&str, &str); 4] = [
    ("unsafe", "write it safely; the workspace has no unsafe code"),
    ("allow(", "satisfy the lint, or use #[expect(LINT, reason = ...)]"),
    ("#[ignore", "make the test fast and sound, or delete it"),
    ("should_panic", "return an error and assert it"),
];

/// The crates that compute, which read nothing and, by a lint of clippy, print nothing.
const MATHEMATICS: [&str; 7] =
    ["numerics", "activations", "losses", "layers", "cnn", "optim", "network"];

const INPUT_AND_OUTPUT: [&str; 4] = ["std::fs", "std::env", "std::net", "std::process"];

/// Names that say nothing of what is in a file.
const NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// Beginnings of people's and build machines' folders. In two parts, or this file would hold them.
const MACHINES: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

/// Rust that is not to be, besides what the lints find.
pub(super) fn rust(files: &[SourceFile]) -> Vec<String> {
    files.iter().flat_map(|file| rust_problems(file, file.text_if("rs").unwrap_or(""))).collect()
}

fn rust_problems(file: &SourceFile, text: &str) -> Vec<String> {
    let is_mathematics =
        MATHEMATICS.iter().any(|name| file.path.starts_with(format!("crates/{name}/src")));
    let no_io = "the crates of mathematics do no input or output; do it in the program";
    let io =
        INPUT_AND_OUTPUT.iter().filter(|_| is_mathematics).map(|forbidden| (*forbidden, no_io));
    let rules: Vec<_> = EVERYWHERE.into_iter().chain(io).collect();
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut problem = |what: &str, remedy: &str| {
            problems.push(problem::in_line(&file.path, index + 1, what, remedy));
        };
        let code = code_of(line);
        for (forbidden, remedy) in rules.iter().filter(|(forbidden, _)| has_word(&code, forbidden))
        {
            problem(&format!("`{forbidden}` is not allowed"), remedy);
        }
        let fence = line.trim_start_matches(['/', '!', '*', ' ']).strip_prefix("```");
        if fence.is_some_and(|info| info.split(',').any(|word| word.trim() == "ignore")) {
            let remedy = "make it compile, or mark it `text` if it is no Rust";
            problem("an example that is not compiled", remedy);
        }
    }
    problems
}

/// A line without its comment and without what is in its strings. A string of several lines is taken for
/// code: at worst, it has to be worded otherwise.
pub(super) fn code_of(line: &str) -> String {
    let line = line.replace(r#"\""#, "").replace(r#"'"'"#, "").replace(" (", "(");
    let code: String = line.split('"').step_by(2).collect();
    code.split("//").next().unwrap_or("").to_owned()
}

/// Whether a text has this word, and not as a part of a longer name.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let goes_on_before = word.starts_with(in_name) && before.ends_with(in_name);
        let goes_on_after = word.ends_with(in_name) && after.starts_with(in_name);
        !goes_on_before && !goes_on_after
    })
}

/// Files whose names say nothing, and paths in them that exist on one machine only.
pub(super) fn paths(files: &[SourceFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for SourceFile { path, text } in files {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let Some(stem) = stem.filter(|stem| NAMES.contains(stem)) {
            let what = format!("a file named {stem} holds anything");
            let remedy = "name it by the one thing that is in it, or split it";
            problems.push(problem::in_file(path, what, remedy));
        }
        for (index, line) in text.as_deref().unwrap_or("").lines().enumerate() {
            for machine in MACHINES.iter().filter(|machine| begins_a_path(line, machine)) {
                let what = format!("`{machine}` is a folder of one machine");
                let remedy = "use a path relative to the root of the repository";
                problems.push(problem::in_line(path, index + 1, what, remedy));
            }
        }
    }
    problems
}

/// Whether the folder stands in the line as the beginning of a path, not within one.
fn begins_a_path(line: &str, folder: &str) -> bool {
    let in_path = |c: char| c.is_alphanumeric() || "_-.~/}".contains(c);
    line.match_indices(folder).any(|(at, _)| !line[..at].ends_with(in_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rule = fn(&[SourceFile]) -> Vec<String>;

    /// The problems of a file of this text.
    fn problems(rule: Rule, path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.into(), text: Some(text.to_owned()) };
        rule(&[file])
    }

    #[test]
    fn what_is_forbidden_is_found_with_its_line() {
        let machine = format!("one\nsee `{}x/y`", MACHINES[0]);
        for (rule, path, text, expected) in [
            (rust as Rule, "a.rs", "fn f() {\n    unsafe { g() }\n}", "a.rs:2: `unsafe` is not"),
            (rust, "a.rs", "#[allow(dead_code)]", "a.rs:1: `allow(` is not allowed"),
            (rust, "a.rs", "#![allow (missing_docs)]", "a.rs:1: `allow(` is not allowed"),
            (rust, "a.rs", "\n#[test]\n#[ignore]\nfn f() {}", "a.rs:3: `#[ignore` is not allowed"),
            (rust, "a.rs", "#[ignore = \"slow\"]", "a.rs:1: `#[ignore` is not allowed"),
            (rust, "a.rs", "#[should_panic(expected = \"\")]", "a.rs:1: `should_panic` is not"),
            (rust, "a.rs", "f(\"\\\"//\"); unsafe {}", "a.rs:1: `unsafe` is not allowed"),
            (rust, "a.rs", "/// ```ignore\nfn f() {}", "a.rs:1: an example that is not compiled"),
            (rust, "a.rs", "//! ```rust, ignore", "a.rs:1: an example that is not compiled"),
            (rust, "crates/cnn/src/a.rs", "use std::fs;", "crates/cnn/src/a.rs:1: `std::fs` is"),
            (paths, "a/utils.rs", "", "a/utils.rs: a file named utils holds anything"),
            (paths, "fixtures/helpers.py", "", "fixtures/helpers.py: a file named helpers"),
            (paths, "a.md", &machine, &format!("a.md:2: `{}` is a folder", MACHINES[0])),
        ] {
            let found = problems(rule, path, text);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{text}: {found:?}");
        }
    }

    #[test]
    fn comments_strings_and_longer_names_pass() {
        let source = r##"
            //! There is no unsafe code and no `allow(...)`.
            #![deny(unsafe_code)]
            fn allowed(ignore: bool) { let s = "unsafe {} #[ignore]"; }
            /// ```text
            /// ignore
            /// ```
        "##;
        assert_eq!(problems(rust, "a.rs", source), [""; 0]);
        assert_eq!(problems(rust, "crates/datasets/src/a.rs", "use std::fs;"), [""; 0]);
        let text = ["https://example.org", "my", ""].join(MACHINES[0]);
        assert_eq!(problems(paths, "crates/cnn/src/im2col.rs", &text), [""; 0]);
    }
}
