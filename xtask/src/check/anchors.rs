//! The anchors by which the book includes source code.
//!
//! mdBook takes the rest of the file for an anchor that does not end, and nothing for one that does
//! not begin.

use std::path::Path;

use super::rust_tokens::{Token, tokens};
use crate::problem::Problem;
use crate::workspace::SourceFile;

pub(super) fn check(files: &[SourceFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files {
        let marks = match (file.text_if("rs"), file.text_if("toml").or(file.text_if("py"))) {
            (Some(rust), _) => marks_of_rust(rust),
            (_, Some(text)) => marks_of_hash_comments(text),
            _ => continue,
        };
        problems.extend(check_marks(&file.path, &marks));
    }
    problems
}

/// The beginning or the end of an anchor.
#[derive(Debug, PartialEq, Eq)]
struct Mark<'a> {
    line: usize,
    is_end: bool,
    name: &'a str,
}

fn marks_of_rust(source: &str) -> Vec<Mark<'_>> {
    let comments = tokens(source).into_iter().filter_map(|spanned| match spanned.token {
        Token::Comment(text) => mark(spanned.line, text.trim_start_matches(['/', '*', '!'])),
        _ => None,
    });
    comments.collect()
}

fn marks_of_hash_comments(text: &str) -> Vec<Mark<'_>> {
    let lines = text.lines().enumerate();
    lines.filter_map(|(i, line)| mark(i + 1, line.trim_start().strip_prefix('#')?)).collect()
}

/// The mark in a comment that consists of one, such as `ANCHOR_END: forward`.
fn mark(line: usize, comment: &str) -> Option<Mark<'_>> {
    let comment = comment.trim();
    let (is_end, name) = match comment.strip_prefix("ANCHOR_END:") {
        Some(name) => (true, name),
        None => (false, comment.strip_prefix("ANCHOR:")?),
    };
    Some(Mark { line, is_end, name: name.trim() })
}

fn check_marks(path: &Path, marks: &[Mark<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |line, what: String, remedy: &str| {
        problems.push(Problem::in_line(path, line, what, remedy));
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
        check(&[file]).iter().map(Problem::to_string).collect()
    }

    fn assert_found(source: &str, expected: &str) {
        let problems = problems("a.rs", source);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }

    #[test]
    fn anchors_may_nest() {
        let source = "// ANCHOR: a\n// ANCHOR: b\nfn f() {}\n// ANCHOR_END: b\n// ANCHOR_END: a\n";
        assert_eq!(problems("a.rs", source), [""; 0]);
    }

    #[test]
    fn each_way_to_be_wrong_is_found() {
        assert_found("x\n// ANCHOR: a\ny", "a.rs:2: the anchor a begins and does not end");
        assert_found("x\n  // ANCHOR_END: a", "a.rs:2: the anchor a ends and does not begin");
        assert_found("// ANCHOR: a\n// ANCHOR_END: a", "a.rs:1: the anchor a is empty");
        assert_found("// ANCHOR_END: a\nx\n// ANCHOR: a", "a.rs:3: the anchor a ends in line 1");
        assert_found(
            "// ANCHOR: a\nx\n// ANCHOR_END: a\n// ANCHOR: a",
            "a.rs:4: the anchor a begins here and in line 1",
        );
        assert_found("// ANCHOR: a b\nx", "a.rs:1: \"a b\" is no name of an anchor");
    }

    #[test]
    fn strings_and_prose_are_no_anchors() {
        let source = "const S: &str = \"\n// ANCHOR: a\n\"; // every ANCHOR: needs an end";
        assert_eq!(problems("a.rs", source), [""; 0]);
    }

    #[test]
    fn configuration_files_have_anchors_too() {
        assert_eq!(problems("a.toml", "# ANCHOR: a\nx = 1\n# ANCHOR_END: a"), [""; 0]);
        assert_eq!(problems("a.toml", "# ANCHOR: a\nx = 1").len(), 1);
    }
}
