//! The code appendix.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::code::{check_anchors, fenced, marker, unwritten};
use crate::files::{self, files_below};
use crate::problem::{Place, Problems};

/// The headings of the crates that answer a question, by the table of crates in ARCHITECTURE.md: a row begins with the
/// numbers of its questions, or has none of its own.
pub fn answering_questions(root: &Path) -> Result<Vec<String>> {
    let text = files::read(&root.join("ARCHITECTURE.md"))?;
    let crate_of = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (question, name) = (cells.next()?, cells.next()?);
        let answers = question.starts_with(|c: char| c.is_ascii_digit());
        answers.then(|| format!("crates/{}", name.trim_matches('`')))
    };
    let crates: Vec<String> = text.lines().filter_map(crate_of).collect();
    ensure!(!crates.is_empty(), "ARCHITECTURE.md has no table of crates with their questions");
    Ok(crates)
}

/// Folders with code beside the crates: the tasks, scripts and styles of the book, the oracle, and what a student wrote
/// elsewhere for question 7.
const OTHER_FOLDERS: [&str; 4] = ["xtask", "book/theme", "fixtures", "kaggle"];

/// The files of a student's workspace as they were handed out, in the form of the program `sha256sum`.
const HANDED_OUT: &str = "starter.sha256";

/// Every file of code of the workspace, complete, by crate, in Markdown, and how many files there are. Of a student's
/// workspace those that the student changed, added, or has still to change.
pub(crate) fn appendix(
    root: &Path,
    place: &Place,
    problems: &mut Problems,
) -> Result<(String, usize)> {
    let handed_out = fs::read_to_string(root.join(HANDED_OUT)).unwrap_or_default();
    let handed_out: BTreeSet<&str> = handed_out.lines().collect();
    let mut out = String::new();
    let mut files = 0;
    for package in folders(root) {
        let folder = root.join(&package);
        let mut heading = Some(format!("\n## `{package}`\n"));
        for file in files_below(&folder)? {
            if !is_code(&file) || file.starts_with(folder.join("target")) {
                continue;
            }
            let name =
                file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
            let line = format!("{}  {name}", system::hex(&Sha256::digest(&text)));
            if handed_out.contains(&*line) && text.lines().all(|line| unwritten(line).is_none()) {
                continue;
            }
            let lines: Vec<&str> = text.lines().collect();
            problems.keep(place, check_anchors(&name, &lines));
            let code: Vec<&str> = lines.into_iter().filter(|line| marker(line).is_none()).collect();
            out.push_str(&heading.take().unwrap_or_default());
            let _ = write!(out, "\n### `{name}`\n\n{}", fenced("text", &code.join("\n")));
            files += 1;
        }
    }
    if files == 0 {
        problems.add(place, "the workspace has no code to list");
    }
    Ok((format!("<div class=\"appendix\">\n{out}\n</div>\n"), files))
}

/// The endings of files of code, which are also names of their languages for the highlighter (`frame.js`).
const CODE: [&str; 4] = ["rs", "py", "js", "css"];

fn is_code(file: &Path) -> bool {
    file.extension().is_some_and(|ending| CODE.iter().any(|code| ending == *code))
}

/// The folders with code, as far as they are there: `crates/*` by name, `xtask`, and others.
fn folders(root: &Path) -> Vec<String> {
    let crates = system::entries(&root.join("crates")).unwrap_or_default();
    let crates = crates.iter().map(|entry| format!("crates/{}", entry.file_name().display()));
    let mut folders: Vec<_> = crates.chain(OTHER_FOLDERS.map(str::to_owned)).collect();
    folders.retain(|folder| root.join(folder).is_dir());
    folders
}

#[cfg(test)]
mod tests {
    use system::for_tests::{folder, write};

    use super::*;

    #[test]
    fn crates_that_answer_questions_have_their_numbers() {
        let text = "| question | crate |\n|---|---|\n| - | `system` | a |\n| 4, 5 | `layers` | b |\n| all | `html` | c |\n";
        let root = folder(&[("ARCHITECTURE.md", text)]);
        assert_eq!(answering_questions(root.path()).unwrap(), ["crates/layers"]);
        write(root.path(), "ARCHITECTURE.md", "# A\n");
        assert!(answering_questions(root.path()).is_err());
    }

    #[test]
    fn the_appendix_lists_every_file_complete_and_wrong_anchors_are_problems() {
        // Otherwise these would be anchors of this file.
        let code =
            "// @: a\nfn a() {}\n// @_END: a\n#[cfg(test)]\nmod tests {}\n".replace('@', "ANCHOR");
        let root = folder(&[
            ("crates/one/src/a.rs", &*code),
            ("crates/one/tests/b.rs", "fn b() {}\n"),
            ("crates/one/data.csv", "1,2\n"),
            ("fixtures/oracle.py", "# 3\n"),
            ("xtask/src/main.rs", "fn main() {}\n"),
        ]);
        let mut problems = Problems::default();
        let mut all = |root: &Path| appendix(root, &Place::file("x"), &mut problems).unwrap();
        let expected = "<div class=\"appendix\">\n\n## `crates/one`\n\n\
            ### `crates/one/src/a.rs`\n\n```text\nfn a() {}\n#[cfg(test)]\nmod tests {}\n```\n\n\
            ### `crates/one/tests/b.rs`\n\n```text\nfn b() {}\n```\n\n\
            ## `xtask`\n\n### `xtask/src/main.rs`\n\n```text\nfn main() {}\n```\n\n\
            ## `fixtures`\n\n### `fixtures/oracle.py`\n\n```text\n# 3\n```\n\n</div>\n";
        assert_eq!(all(root.path()), (expected.to_owned(), 4));
        let sum = "397460990513ac8a8fe48298004b661aad1022b6cea140fb793ad7ae8bf1cccc";
        write(root.path(), HANDED_OUT, format!("{sum}  fixtures/oracle.py\n"));
        assert_eq!(all(root.path()).1, 3, "what was handed out is left out");
        write(root.path(), "fixtures/oracle.py", "# 4\n");
        assert_eq!(all(root.path()).1, 4);
        let unclosed = "// @: b\n".replace('@', "ANCHOR");
        write(root.path(), "xtask/src/main.rs", unclosed);
        all(root.path());
        all(&root.path().join("crates/one/src"));
        let problems = problems.lines();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("no code to list"));
        assert!(problems[1].contains("main.rs:1: the anchor `b` is never closed"));
    }
}
