//! Code of the workspace, by file and anchor.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use html::escape;

/// The most lines of a listing that is kept on one page in print.
const SHORT: usize = 30;

/// The region `anchor` of `file`, a path in the workspace, without anchor lines and dedented, with a caption.
pub(crate) fn listing(root: &Path, file: &str, anchor: &str) -> Result<String, String> {
    let inside = Path::new(file).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if !inside {
        return Err(format!("`{file}` is not a path within the workspace"));
    }
    let text = fs::read_to_string(root.join(file))
        .map_err(|error| format!("cannot read the code of {file}: {error}"))?;
    let lines: Vec<&str> = text.lines().collect();
    check_anchors(file, &lines)?;
    let find = |end| lines.iter().position(|line| marker(line) == Some((end, anchor)));
    let (Some(open), Some(close)) = (find(false), find(true)) else {
        let markers = lines.iter().filter_map(|line| marker(line));
        let known: Vec<&str> = markers.filter(|(end, _)| !end).map(|(_, name)| name).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(format!("{file} has no anchor `{anchor}`; it has: {known}"));
    };
    // By their indices, so that lines of anchors count.
    let shown: Vec<usize> = (open..close).filter(|&i| marker(lines[i]).is_none()).collect();
    let has_code = |&i: &usize| !lines[i].trim().is_empty();
    let (first, last) = (shown.iter().position(has_code), shown.iter().rposition(has_code));
    let (Some(first), Some(last)) = (first, last) else {
        return Err(format!("there is no code in {file}:{anchor}"));
    };
    let code: Vec<&str> = shown[first..=last].iter().map(|&i| lines[i]).collect();
    let lines = match (shown[first] + 1, shown[last] + 1) {
        (first, last) if first == last => format!("line {first}"),
        (first, last) => format!("lines {first}–{last}"),
    };
    let language = match Path::new(file).extension().and_then(|end| end.to_str()) {
        Some("rs") => "rust",
        Some("mjs") => "javascript",
        Some("py") => "python",
        _ => "text",
    };
    Ok(figure(file, &lines, language, &dedent(&code)))
}

/// Code with a caption: its file, and which part of it this is.
pub(crate) fn figure(file: &str, part: &str, language: &str, code: &str) -> String {
    let class = if code.lines().count() <= SHORT { "listing short" } else { "listing" };
    format!(
        "<figure class=\"{class}\">\n<figcaption><code>{}</code>, {part}</figcaption>\n\n{}\n</figure>\n",
        escape(file),
        fenced(language, code)
    )
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

/// The function of a starter that is still to be written, if this line stands for it.
pub(crate) fn unwritten(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let message = line.strip_prefix("todo!(").unwrap_or(line).strip_prefix('"')?;
    Some(message.split_once(" is not written yet; `cargo xtask hint ")?.0)
}

pub(crate) fn dedent(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|l| !l.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut out = String::new();
    for line in lines {
        out.push_str(line.get(common..).unwrap_or_default().trim_end());
        out.push('\n');
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;

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
";

    /// A listing of a file of this text, whose path is `a.rs`.
    fn get(text: &str, file: &str, anchor: &str) -> Result<String, String> {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.rs"), text.replace('@', "")).unwrap();
        listing(root.path(), file, anchor)
    }

    #[test]
    fn a_region_is_dedented_and_loses_the_anchors_inside_it() {
        let expected = "<figure class=\"listing short\">\n\
            <figcaption><code>a.rs</code>, lines 6–13</figcaption>\n\n\
            ```rust\nfn a() {\n    b();\n}\n\nfn c() {}\n```\n\n</figure>\n";
        assert_eq!(get(FILE, "a.rs", "outer").unwrap(), expected);
        let inner = get(FILE, "a.rs", "inner").unwrap();
        assert!(inner.contains(", lines 6–8<"), "{inner}");
    }

    #[test]
    fn wrong_anchors_and_files_are_errors() {
        for (text, anchor, expected) in [
            (FILE, "other", "has no anchor `other`; it has: outer, inner, none"),
            (FILE, "none", "there is no code in a.rs:none"),
            ("// ANCHOR: a\nx\n", "a", "a.rs:1: the anchor `a` is never closed"),
            ("// ANCHOR_END: a\nx\n// ANCHOR: a\n", "a", "closed before it opens"),
            ("// ANCHOR_END: b\n// ANCHOR: a\nx\n// ANCHOR_END: a\n", "a", "`b` is closed before"),
            ("// ANCHOR: a\nx\n// ANCHOR_END: a\n// ANCHOR: a\n", "a", "occurs more than once"),
        ] {
            let error = get(text, "a.rs", anchor).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        for (file, expected) in [
            ("b.rs", "cannot read the code of b.rs"),
            ("../a.rs", "not a path within the workspace"),
            ("/etc/hostname", "not a path within the workspace"),
        ] {
            let error = get(FILE, file, "outer").unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn code_is_shown_as_it_is() {
        assert_eq!(fenced("rust", "# a\n  ##\n#[b]\n#"), "```rust\n## a\n  ###\n#[b]\n##\n```\n");
        assert_eq!(fenced("text", "# a"), "```text\n# a\n```\n");
        assert_eq!(fenced("text", "```\n````x"), "`````text\n```\n````x\n`````\n");
    }
}
