//! The code appendix.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::code::{check_anchors, fenced, marker};
use crate::files::files_below;
use crate::problem::{Place, Problems};

/// Folders with code beside the crates: scripts and styles of the book, the oracle.
const OTHER_FOLDERS: [&str; 2] = ["book/theme", "fixtures"];

/// Every file of code of the workspace, complete, by crate, in Markdown, and how many files there are.
pub(crate) fn appendix(
    root: &Path,
    place: &Place,
    problems: &mut Problems,
) -> Result<(String, usize)> {
    let mut out = String::new();
    let mut files = 0;
    let others = OTHER_FOLDERS.map(str::to_owned).into_iter().filter(|f| root.join(f).is_dir());
    for package in packages(root)?.into_iter().chain(others) {
        let folder = root.join(&package);
        let mut heading = Some(format!("\n## `{package}`\n"));
        for file in files_below(&folder)? {
            let Some(language) = language(&file) else { continue };
            if file.starts_with(folder.join("target")) {
                continue;
            }
            let name =
                file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
            let lines: Vec<&str> = text.lines().collect();
            problems.keep(place, check_anchors(&name, &lines));
            let code: Vec<&str> = lines.into_iter().filter(|line| marker(line).is_none()).collect();
            out.push_str(&heading.take().unwrap_or_default());
            let _ = write!(out, "\n### `{name}`\n\n{}", fenced(language, &code.join("\n")));
            files += 1;
        }
    }
    if files == 0 {
        problems.add(place, "the workspace has no code to list");
    }
    Ok((format!("<div class=\"appendix\">\n{out}\n</div>\n"), files))
}

/// The language of a file of code, by the name that the highlighter has for it.
fn language(file: &Path) -> Option<&'static str> {
    match file.extension()?.to_str()? {
        "rs" => Some("rust"),
        "py" => Some("python"),
        "js" => Some("javascript"),
        "css" => Some("css"),
        _ => None,
    }
}

/// The folders of the workspace's packages: `crates/*` by name, then `xtask`.
fn packages(root: &Path) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    let crates = root.join("crates");
    if crates.is_dir() {
        let entries = system::entries(&crates)
            .with_context(|| format!("cannot read {}", crates.display()))?;
        for entry in entries {
            if entry.path().join("Cargo.toml").is_file() {
                packages.push(format!("crates/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    packages.sort();
    if root.join("xtask/Cargo.toml").is_file() {
        packages.push("xtask".to_owned());
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["crates/one/src", "crates/one/tests", "xtask/src", "fixtures"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for (file, text) in [
            ("crates/one/Cargo.toml", ""),
            (
                "crates/one/src/a.rs",
                "// ANC_HOR: a\nfn a() {}\n// ANC_HOR_END: a\n#[cfg(test)]\nmod tests {}\n",
            ),
            ("crates/one/tests/b.rs", "fn b() {}\n"),
            ("crates/one/data.csv", "1,2\n"),
            ("fixtures/oracle.py", "# 3\n"),
            ("xtask/Cargo.toml", ""),
            ("xtask/src/main.rs", "fn main() {}\n"),
        ] {
            // Otherwise these would be anchors of this file.
            fs::write(root.path().join(file), text.replace("ANC_HOR", "ANCHOR")).unwrap();
        }
        root
    }

    #[test]
    fn the_appendix_lists_every_file_complete() {
        let mut problems = Problems::default();
        let (markdown, files) =
            appendix(workspace().path(), &Place::file("x"), &mut problems).unwrap();
        assert!(problems.is_empty());
        assert_eq!(files, 4);
        let expected = "<div class=\"appendix\">\n\n## `crates/one`\n\n\
            ### `crates/one/src/a.rs`\n\n```rust\nfn a() {}\n#[cfg(test)]\nmod tests {}\n```\n\n\
            ### `crates/one/tests/b.rs`\n\n```rust\nfn b() {}\n```\n\n\
            ## `xtask`\n\n### `xtask/src/main.rs`\n\n```rust\nfn main() {}\n```\n\n\
            ## `fixtures`\n\n### `fixtures/oracle.py`\n\n```python\n# 3\n```\n\n</div>\n";
        assert_eq!(markdown, expected);
    }

    #[test]
    fn a_wrong_anchor_and_an_empty_workspace_are_problems() {
        let root = workspace();
        let unclosed = "// ANC_HOR: b\n".replace("ANC_HOR", "ANCHOR");
        fs::write(root.path().join("xtask/src/main.rs"), unclosed).unwrap();
        let mut problems = Problems::default();
        appendix(root.path(), &Place::file("x"), &mut problems).unwrap();
        appendix(tempfile::tempdir().unwrap().path(), &Place::file("y"), &mut problems).unwrap();
        let problems = problems.sorted();
        assert!(problems[0].message.contains("main.rs:1: the anchor `b` is never closed"));
        assert!(problems[1].message.contains("no code to list"));
    }
}
