//! The anchors by which the book includes source code.
//!
//! mdBook takes the rest of the file for an anchor that does not end, and nothing for one that does
//! not begin.

use std::path::Path;

use crate::problem;
use crate::workspace::SourceFile;

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let has_anchors = |file: &&SourceFile| {
        file.path
            .extension()
            .is_some_and(|extension| ["rs", "toml", "py"].iter().any(|e| extension == *e))
    };
    let marks = |file: &SourceFile| {
        let lines = file.text.as_deref().unwrap_or("").lines().enumerate();
        let marks: Vec<_> = lines.filter_map(|(index, line)| mark(index + 1, line)).collect();
        check_marks(&file.path, &marks)
    };
    files.iter().filter(has_anchors).flat_map(marks).collect()
}

/// The beginning or the end of an anchor.
struct Mark<'a> {
    line: usize,
    is_end: bool,
    name: &'a str,
}

/// The mark in a line that consists of one, such as `// ANCHOR_END: forward`.
fn mark(line: usize, text: &str) -> Option<Mark<'_>> {
    let text = text.trim_start();
    let comment = text.strip_prefix("//").or_else(|| text.strip_prefix('#'))?.trim();
    let (is_end, name) = match comment.strip_prefix("ANCHOR_END:") {
        Some(name) => (true, name),
        None => (false, comment.strip_prefix("ANCHOR:")?),
    };
    Some(Mark { line, is_end, name: name.trim() })
}

fn check_marks(path: &Path, marks: &[Mark<'_>]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut problem = |line, what: String, remedy: &str| {
        problems.push(problem::in_line(path, line, what, remedy));
    };
    for (index, mark) in marks.iter().enumerate() {
        let name = mark.name;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            let what = format!("{name:?} is no name of an anchor");
            problem(mark.line, what, "use letters, digits, `_` and `-`");
            continue;
        }
        let of_name = |other: &&Mark<'_>| other.name == name && other.is_end == mark.is_end;
        if let Some(first) = marks[..index].iter().find(of_name) {
            let verb = if mark.is_end { "ends" } else { "begins" };
            let what = format!("the anchor {name} {verb} here and in line {}", first.line);
            problem(mark.line, what, "give one of them another name");
            continue;
        }
        let partner = |other: &&Mark<'_>| other.name == name && other.is_end != mark.is_end;
        match marks.iter().find(partner) {
            None if mark.is_end => {
                let what = format!("the anchor {name} ends and does not begin");
                problem(mark.line, what, "add `// ANCHOR: NAME` above");
            }
            None => {
                let what = format!("the anchor {name} begins and does not end");
                problem(mark.line, what, "add `// ANCHOR_END: NAME` below");
            }
            Some(end) if !mark.is_end && end.line < mark.line => {
                let what = format!("the anchor {name} ends in line {}, before it begins", end.line);
                problem(mark.line, what, "swap the two");
            }
            Some(end) if !mark.is_end && end.line == mark.line + 1 => {
                problem(mark.line, format!("the anchor {name} is empty"), "move it or remove it");
            }
            Some(_) => {}
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.into(), text: Some(text.to_owned()) };
        check(&[file])
    }

    #[test]
    fn each_way_to_be_wrong_is_found() {
        for (path, text, expected) in [
            ("a.rs", "x\n// ANCHOR: a\ny", "a.rs:2: the anchor a begins and does not end"),
            ("a.rs", "x\n  // ANCHOR_END: a", "a.rs:2: the anchor a ends and does not begin"),
            ("a.rs", "// ANCHOR: a\n// ANCHOR_END: a", "a.rs:1: the anchor a is empty"),
            ("a.rs", "// ANCHOR_END: a\nx\n// ANCHOR: a", "a.rs:3: the anchor a ends in line 1"),
            (
                "a.rs",
                "// ANCHOR: a\nx\n// ANCHOR_END: a\n// ANCHOR: a",
                "a.rs:4: the anchor a begins here and in line 1",
            ),
            ("a.rs", "// ANCHOR: a b\nx", "a.rs:1: \"a b\" is no name of an anchor"),
            ("a.toml", "# ANCHOR: a\nx = 1", "a.toml:1: the anchor a begins and does not end"),
        ] {
            let found = problems(path, text);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}");
        }
    }

    #[test]
    fn nested_anchors_and_prose_pass() {
        for (path, text) in [
            ("a.rs", "// ANCHOR: a\n// ANCHOR: b\nx\n// ANCHOR_END: b\n// ANCHOR_END: a\n"),
            ("a.rs", "let s = \"// ANCHOR: a\"; // every ANCHOR: needs an end"),
            ("a.toml", "# ANCHOR: a\nx = 1\n# ANCHOR_END: a"),
            ("a.md", "# ANCHOR: a"),
        ] {
            assert_eq!(problems(path, text), [""; 0], "{text}");
        }
    }
}
