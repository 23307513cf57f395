//! ARCHITECTURE.md against the crates that exist.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::metadata::Metadata;
use crate::problem::Problem;

const PATH: &str = "ARCHITECTURE.md";

/// Longer, and nobody reads it.
const MAX_LINES: usize = 150;

pub(super) fn check(root: &Path, metadata: &Metadata) -> Result<Vec<Problem>> {
    let text =
        fs::read_to_string(root.join(PATH)).with_context(|| format!("cannot read {PATH}"))?;
    let crates: Vec<_> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    Ok(problems(&text, &crates))
}

fn problems(text: &str, crates: &[&str]) -> Vec<Problem> {
    let path = Path::new(PATH);
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        let what = format!("has {lines} lines, expected at most {MAX_LINES}");
        problems.push(Problem::in_line(path, MAX_LINES + 1, what, "say it shorter or elsewhere"));
    }
    let rows: Vec<_> = text
        .lines()
        .enumerate()
        .filter_map(|(i, line)| Some((i + 1, crate_of_row(line)?)))
        .collect();
    for (index, &(line, name)) in rows.iter().enumerate() {
        if !crates.contains(&name) {
            let what = format!("the table lists the crate {name}, which does not exist");
            problems.push(Problem::in_line(path, line, what, "remove the row"));
        } else if rows[..index].iter().any(|&(_, other)| other == name) {
            let what = format!("the table lists the crate {name} twice");
            problems.push(Problem::in_line(path, line, what, "remove one of the rows"));
        }
    }
    for name in crates.iter().filter(|name| !rows.iter().any(|(_, row)| row == *name)) {
        let what = format!("the table does not list the crate {name}");
        problems.push(Problem::in_file(path, what, "add a row that says what is in it"));
    }
    problems
}

/// The crate in a row ``| question | `crate` | what is in it |``.
fn crate_of_row(line: &str) -> Option<&str> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    cells.nth(1)?.strip_prefix('`')?.strip_suffix('`')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Architecture

| question | crate | what is in it |
|---|---|---|
| 4.2 | `layers` | the contract `Layer` |
| - | `xtask` | the commands |
";

    fn check(text: &str, crates: &[&str]) -> Vec<String> {
        problems(text, crates).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_table_of_exactly_the_crates_passes() {
        assert_eq!(check(TEXT, &["layers", "xtask"]), [""; 0]);
    }

    #[test]
    fn a_missing_an_unknown_and_a_repeated_crate_are_found() {
        let problems = check(TEXT, &["layers", "xtask", "cnn"]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("does not list the crate cnn"));

        let problems = check(TEXT, &["layers"]);
        assert!(problems[0].starts_with("ARCHITECTURE.md:6: the table lists the crate xtask"));

        let repeated = TEXT.replace("xtask", "layers");
        assert!(check(&repeated, &["layers"])[0].contains("the crate layers twice"));
    }

    #[test]
    fn too_many_lines_are_found() {
        let long = TEXT.to_owned() + &"line\n".repeat(MAX_LINES - 6);
        assert_eq!(check(&long, &["layers", "xtask"]), [""; 0]);
        let longer = long + "line\n";
        let problems = check(&longer, &["layers", "xtask"]);
        assert!(problems[0].starts_with("ARCHITECTURE.md:151: has 151 lines"), "{problems:?}");
    }
}
