//! The names of files, and paths in them that exist on one machine only.

use crate::problem::Problem;
use crate::workspace::SourceFile;

/// Names that say nothing of what is in a file.
const NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// Where people's and build machines' folders begin. In two parts, or this file would hold them.
const MACHINES: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

pub(super) fn check(files: &[SourceFile]) -> Vec<Problem> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let stem = file.path.file_stem().and_then(|stem| stem.to_str());
    if let Some(stem) = stem.filter(|stem| NAMES.contains(stem)) {
        let what = format!("a file named {stem} holds anything");
        let remedy = "name it by the one thing that is in it, or split it";
        problems.push(Problem::in_file(&file.path, what, remedy));
    }
    for (index, line) in file.text.as_deref().unwrap_or("").lines().enumerate() {
        for machine in MACHINES.iter().filter(|machine| begins_a_path(line, machine)) {
            let what = format!("`{machine}` is a folder of one machine");
            let remedy = "use a path relative to the root of the repository";
            problems.push(Problem::in_line(&file.path, index + 1, what, remedy));
        }
    }
    problems
}

/// Whether the folder stands in the line as the beginning of a path, not within one.
fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "_-.~/}".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.into(), text: Some(text.to_owned()) };
        check_file(&file).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert_eq!(problems("crates/cnn/src/im2col.rs", ""), [""; 0]);
        let found = problems("crates/cnn/src/utils.rs", "");
        assert!(found[0].starts_with("crates/cnn/src/utils.rs: a file named utils"), "{found:?}");
        assert_eq!(problems("tests/common.rs", "").len(), 1);
        assert_eq!(problems("fixtures/helpers.py", "").len(), 1);
    }

    #[test]
    fn folders_of_a_machine_are_found_with_their_line() {
        for machine in MACHINES {
            let found = problems("a.md", &format!("one\nsee `{machine}x/y`"));
            assert_eq!(found.len(), 1, "{machine}");
            assert!(found[0].starts_with(&format!("a.md:2: `{machine}`")), "{found:?}");
        }
    }

    #[test]
    fn the_same_words_within_other_paths_pass() {
        let text = ["https://example.org", "my", ""].join(MACHINES[0]);
        assert_eq!(problems("a.md", &text), [""; 0]);
    }
}
