//! The anchors by which the book includes source code.
//!
//! mdBook takes the rest of the file for an anchor that does not end, and nothing for one that does
//! not begin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::problem;
use crate::workspace::SourceFile;

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let problems_of = |file: &SourceFile| {
        let text = ["rs", "toml", "py"].iter().find_map(|extension| file.text_if(extension));
        problems(&file.path, text.unwrap_or(""))
    };
    files.iter().flat_map(problems_of).collect()
}

fn problems(path: &Path, text: &str) -> Vec<String> {
    let (mut begun, mut ended) = (BTreeMap::new(), BTreeSet::new());
    let mut problems = Vec::new();
    let mut problem = |line: usize, what: String, remedy: &str| {
        problems.push(problem::in_line(path, line, what, remedy));
    };
    for (line, text) in (1..).zip(text.lines()) {
        let Some((is_end, name)) = mark(text) else { continue };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            let what = format!("{name:?} is no name of an anchor");
            problem(line, what, "use letters, digits, `_` and `-`");
        } else if !is_end {
            if let Some(first) = begun.insert(name, line) {
                let what = format!("the anchor {name} begins here and in line {first}");
                problem(line, what, "give one of them another name");
            }
        } else if !begun.contains_key(name) || !ended.insert(name) {
            let what = format!("the anchor {name} ends and does not begin");
            problem(line, what, "add `// ANCHOR: NAME` above");
        } else if begun[name] + 1 == line {
            problem(line, format!("the anchor {name} is empty"), "move it or remove it");
        }
    }
    for (name, line) in begun.iter().filter(|(name, _)| !ended.contains(*name)) {
        let what = format!("the anchor {name} begins and does not end");
        problem(*line, what, "add `// ANCHOR_END: NAME` below");
    }
    problems
}

/// Whether a line that consists of a mark, such as `// ANCHOR_END: forward`, is an end, and its name.
fn mark(text: &str) -> Option<(bool, &str)> {
    let text = text.trim_start();
    let comment = text.strip_prefix("//").or_else(|| text.strip_prefix('#'))?.trim();
    let (is_end, name) = match comment.strip_prefix("ANCHOR_END:") {
        Some(name) => (true, name),
        None => (false, comment.strip_prefix("ANCHOR:")?),
    };
    Some((is_end, name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_be_wrong_is_found_and_nested_anchors_and_prose_pass() {
        const A: &str = "// ANCHOR: a\nx\n// ANCHOR_END: a\n";
        for (path, text, expected) in [
            ("a.rs", "x\n// ANCHOR: a\ny", "a.rs:2: the anchor a begins and does not end"),
            ("a.rs", "x\n  // ANCHOR_END: a", "a.rs:2: the anchor a ends and does not begin"),
            ("a.rs", "// ANCHOR: a\n// ANCHOR_END: a", "a.rs:2: the anchor a is empty"),
            ("a.rs", "// ANCHOR_END: a\n// ANCHOR: a", "a.rs:1: the anchor a ends and does not"),
            ("a.rs", &A.repeat(2), "a.rs:4: the anchor a begins here and in line 1"),
            ("a.rs", "// ANCHOR: a b\nx", "a.rs:1: \"a b\" is no name of an anchor"),
            ("a.toml", "# ANCHOR: a\nx = 1", "a.toml:1: the anchor a begins and does not end"),
            ("a.rs", &A.replace('x', "// ANCHOR: b\nx\n// ANCHOR_END: b"), ""),
            ("a.rs", "let s = \"// ANCHOR: a\"; // every ANCHOR: needs an end", ""),
            ("a.toml", "# ANCHOR: a\nx = 1\n# ANCHOR_END: a", ""),
            ("a.md", "# ANCHOR: a", ""),
        ] {
            let found = check(&[SourceFile { path: path.into(), text: Some(text.to_owned()) }]);
            assert_eq!(found.is_empty(), expected.is_empty(), "{text}: {found:?}");
            assert!(found.iter().take(1).all(|first| first.starts_with(expected)), "{found:?}");
        }
    }
}
