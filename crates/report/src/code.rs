//! Code of the workspace, by file and anchor.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::markup::escape;

/// A part of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snippet {
    /// The file, relative to the workspace.
    pub(crate) file: String,
    /// The lines that it takes in the file, from 1.
    pub(crate) lines: (usize, usize),
    /// The code, without anchor lines, dedented.
    pub(crate) code: String,
}

/// Reads the region `anchor` of `file`, or the whole file without its unit tests.
pub(crate) fn snippet(root: &Path, file: &str, anchor: Option<&str>) -> Result<Snippet, String> {
    let inside = Path::new(file).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if !inside {
        return Err(format!("`{file}` is not a path within the workspace"));
    }
    let text = fs::read_to_string(root.join(file))
        .map_err(|error| format!("cannot read the code of {file}: {error}"))?;
    let lines: Vec<&str> = text.lines().collect();
    check_anchors(file, &lines)?;
    let range = match anchor {
        Some(anchor) => region(file, &lines, anchor)?,
        None => 0..before_tests(&lines),
    };
    let kept: Vec<&str> =
        lines[range.clone()].iter().copied().filter(|l| marker(l).is_none()).collect();
    let first = kept.iter().position(|line| !line.trim().is_empty());
    let last = kept.iter().rposition(|line| !line.trim().is_empty());
    let (Some(first), Some(last)) = (first, last) else {
        let what = anchor.map_or_else(|| file.to_owned(), |anchor| format!("{file}:{anchor}"));
        return Err(format!("there is no code in {what}"));
    };
    let code = dedent(&kept[first..=last]);
    // Where the shown lines stand in the file: anchor lines within them count.
    let shown: Vec<usize> = range
        .filter(|&i| marker(lines[i]).is_none() && !lines[i].trim().is_empty())
        .map(|i| i + 1)
        .collect();
    let lines = (shown[0], shown[shown.len() - 1]);
    Ok(Snippet { file: file.to_owned(), lines, code })
}

/// `ANCHOR: name` or `ANCHOR_END: name` in a comment.
pub(crate) fn marker(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    let comment = ["//", "#", "--"].iter().find_map(|sign| line.strip_prefix(sign))?.trim();
    let (end, name) = match comment.strip_prefix("ANCHOR_END:") {
        Some(name) => (true, name),
        None => (false, comment.strip_prefix("ANCHOR:")?),
    };
    Some((end, name.trim()))
}

/// Every anchor opens once and closes once, after it opened.
pub(crate) fn check_anchors(file: &str, lines: &[&str]) -> Result<(), String> {
    let markers: Vec<_> =
        lines.iter().enumerate().filter_map(|(i, line)| Some((i, marker(line)?))).collect();
    for (index, (_, name)) in &markers {
        let same = markers.iter().filter(|(_, (_, other))| other == name);
        let fault = match same.map(|(_, (end, _))| *end).collect::<Vec<_>>()[..] {
            [false, true] => continue,
            [false] => "is never closed",
            [true] | [true, false] => "is closed before it opens",
            _ => "occurs more than once",
        };
        return Err(format!("{file}:{}: the anchor `{name}` {fault}", index + 1));
    }
    Ok(())
}

fn region(file: &str, lines: &[&str], anchor: &str) -> Result<std::ops::Range<usize>, String> {
    let find = |end| lines.iter().position(|line| marker(line) == Some((end, anchor)));
    match (find(false), find(true)) {
        (Some(open), Some(close)) => Ok(open + 1..close),
        _ => {
            let known: Vec<&str> = lines
                .iter()
                .filter_map(|l| marker(l))
                .filter(|(end, _)| !end)
                .map(|(_, n)| n)
                .collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(format!("{file} has no anchor `{anchor}`; it has: {known}"))
        }
    }
}

/// Where the unit tests begin, which stand at the end of a file.
fn before_tests(lines: &[&str]) -> usize {
    let is_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests");
    lines.windows(2).position(is_tests).unwrap_or(lines.len())
}

fn dedent(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|l| !l.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut out = String::new();
    for line in lines {
        out.push_str(line.get(common..).unwrap_or_default().trim_end());
        out.push('\n');
    }
    out
}

/// The most lines of a listing that is kept on one page in print.
const SHORT: usize = 30;

/// The listing of a snippet: its caption and its code.
pub(crate) fn listing(snippet: &Snippet) -> String {
    let Snippet { file, lines: (first, last), code } = snippet;
    let lines =
        if first == last { format!("line {first}") } else { format!("lines {first}–{last}") };
    let caption = format!("<code>{}</code>, {lines}", escape(file));
    let class = if code.lines().count() <= SHORT { "listing short" } else { "listing" };
    format!(
        "<figure class=\"{class}\">\n<figcaption>{caption}</figcaption>\n\n{}\n</figure>\n",
        fenced(language(file), code)
    )
}

/// A code block that shows `code` as it is.
pub(crate) fn fenced(language: &str, code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let mut out = format!("{fence}{language}\n");
    for line in code.lines() {
        // mdBook hides lines of Rust that begin with `# ` and takes one sign off `##`.
        let rest = line.trim_start();
        let hidden =
            rest.strip_prefix('#').is_some_and(|r| r.is_empty() || r.starts_with([' ', '#']));
        if language == "rust" && hidden {
            let indent = &line[..line.len() - rest.len()];
            let _ = writeln!(out, "{indent}#{rest}");
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    out + &fence + "\n"
}

/// The name that the highlighter has for the language of a file.
fn language(file: &str) -> &'static str {
    match Path::new(file).extension().and_then(|extension| extension.to_str()) {
        Some("rs") => "rust",
        Some("py") => "python",
        Some("toml") => "toml",
        Some("json") => "json",
        Some("sh") => "bash",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(file: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("crates/one/src")).unwrap();
        fs::write(root.path().join("crates/one/Cargo.toml"), "").unwrap();
        let file = file.replace('@', "");
        fs::write(root.path().join("crates/one/src/a.rs"), file).unwrap();
        root
    }

    /// With `@` before each anchor, lest they be anchors of this file too.
    const FILE: &str = "\
//! Doc.

impl A {
    // @ANCHOR: outer
    // @ANCHOR: inner
    fn a() {
        b();
    }
    // @ANCHOR_END: inner

    // @ANCHOR: none
    // @ANCHOR_END: none
    fn c() {}
    // @ANCHOR_END: outer
}

#[cfg(test)]
mod tests {
    fn hidden() {}
}
";

    fn get(file: &str, anchor: Option<&str>) -> Result<Snippet, String> {
        snippet(workspace(file).path(), "crates/one/src/a.rs", anchor)
    }

    #[test]
    fn a_region_is_dedented_and_loses_the_anchors_inside_it() {
        let outer = get(FILE, Some("outer")).unwrap();
        assert_eq!(outer.code, "fn a() {\n    b();\n}\n\nfn c() {}\n");
        assert_eq!(outer.lines, (6, 13));
        assert_eq!(get(FILE, Some("inner")).unwrap().lines, (6, 8));
    }

    #[test]
    fn a_whole_file_has_neither_anchors_nor_unit_tests() {
        let whole = get(FILE, None).unwrap();
        assert!(whole.code.starts_with("//! Doc.\n") && whole.code.ends_with("fn c() {}\n}\n"));
        assert!(!whole.code.contains("ANCHOR") && !whole.code.contains("hidden"));
    }

    #[test]
    fn wrong_anchors_are_errors() {
        for (file, anchor, expected) in [
            (FILE, "other", "has no anchor `other`; it has: outer, inner, none"),
            (FILE, "none", "there is no code in crates/one/src/a.rs:none"),
            ("// ANCHOR: a\nx\n", "a", "a.rs:1: the anchor `a` is never closed"),
            ("// ANCHOR_END: a\nx\n// ANCHOR: a\n", "a", "closed before it opens"),
            ("// ANCHOR_END: b\n// ANCHOR: a\nx\n// ANCHOR_END: a\n", "a", "`b` is closed before"),
            ("// ANCHOR: a\nx\n// ANCHOR_END: a\n// ANCHOR: a\n", "a", "occurs more than once"),
        ] {
            let error = get(file, Some(anchor)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn files_outside_of_the_workspace_or_absent_are_errors() {
        let root = workspace(FILE);
        for file in ["crates/one/src/b.rs", "../a.rs", "/etc/hostname"] {
            assert!(snippet(root.path(), file, None).is_err(), "{file}");
        }
    }

    #[test]
    fn code_is_shown_as_it_is() {
        assert_eq!(fenced("rust", "# a\n  ##\n#[b]\n#"), "```rust\n## a\n  ###\n#[b]\n##\n```\n");
        assert_eq!(fenced("text", "# a"), "```text\n# a\n```\n");
        assert_eq!(fenced("text", "```\n````x"), "`````text\n```\n````x\n`````\n");
    }
}
