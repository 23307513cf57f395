//! The unit, integration and documentation tests of all crates, counted per crate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Deserialize;
use system::{eprintln, println};

use crate::command;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs all tests; prints one line a crate, and the output of test programs in which any failed.
pub(crate) fn run() -> Result<Count> {
    let mut tests = Tests::default();
    let mut cargo = command::cargo("test");
    cargo.args(["--workspace", "--no-fail-fast", "--message-format=json-render-diagnostics"]);
    let print = |output: Option<String>| output.iter().for_each(|output| println!("{output}"));
    let status = command::run_by_line(&mut cargo, |line| print(tests.read(line)))?;
    print(tests.finish_program());
    if tests.counts.is_empty() {
        eprintln!("the tests of the workspace do not compile: see the errors above");
        return Ok(Count { passed: 0, failed: 1 });
    }
    println!();
    let mut total = Count::default();
    for (name, count) in &tests.counts {
        let failed =
            if count.failed > 0 { format!(", {} failed", count.failed) } else { String::new() };
        println!("crate {name}: {} passed{failed}", count.passed);
        total += *count;
    }
    if status.success() != (total.failed == 0) {
        bail!("cargo test ended with {status} and counted {} failed tests", total.failed);
    }
    Ok(total)
}

/// The output of `cargo test`, as far as it has been read.
#[derive(Default)]
struct Tests {
    /// The crate of each test program.
    crates: BTreeMap<String, String>,
    counts: BTreeMap<String, Count>,
    /// The crate whose test program is being read, and its output.
    current: Option<(String, Vec<String>)>,
}

impl Tests {
    /// Takes a line; gives what is to be shown of the program before, if the line begins another. What cargo
    /// says while it compiles is passed on.
    fn read(&mut self, line: &str) -> Option<String> {
        let mut shown = None;
        if let Some(name) = self.crate_of_program(line) {
            shown = self.finish_program();
            self.current = Some((name, Vec::new()));
        }
        match &mut self.current {
            Some((_, output)) => output.push(line.to_owned()),
            None if line.starts_with('{') => self.read_message(line),
            None => eprintln!("{line}"),
        }
        shown
    }

    /// Takes a message of cargo: which program it has compiled of which crate.
    fn read_message(&mut self, line: &str) {
        #[derive(Deserialize)]
        struct Message {
            executable: Option<String>,
            manifest_path: Option<PathBuf>,
        }
        if let Ok(Message { executable: Some(program), manifest_path: Some(manifest) }) =
            serde_json::from_str(line)
            && let Some(folder) = manifest.parent().and_then(Path::file_name)
        {
            let folder = folder.to_string_lossy().into_owned();
            self.crates.insert(file_name(&program).to_owned(), folder);
        }
    }

    /// Counts the program whose output is complete; gives that output unless all passed.
    fn finish_program(&mut self) -> Option<String> {
        let (name, output) = self.current.take()?;
        // The examples of the documentation may report in two parts, a program that crashes in none.
        let reports: Vec<Count> = output.iter().filter_map(|line| parse_result(line)).collect();
        let mut count = Count { passed: 0, failed: usize::from(reports.is_empty()) };
        reports.into_iter().for_each(|part| count += part);
        *self.counts.entry(name).or_default() += count;
        (count.failed > 0).then(|| output.join("\n"))
    }

    /// The crate, if this line announces a test program:
    /// `Running tests/course.rs (target/debug/deps/course-0123)` or `Doc-tests layers`.
    fn crate_of_program(&self, line: &str) -> Option<String> {
        let line = line.trim_start();
        if let Some(name) = line.strip_prefix("Doc-tests ") {
            return Some(name.to_owned());
        }
        let (_, program) = line.strip_prefix("Running ")?.strip_suffix(')')?.split_once('(')?;
        let program = file_name(program);
        Some(self.crates.get(program).cloned().unwrap_or_else(|| program.to_owned()))
    }
}

/// The count in `test result: ok. 3 passed; 0 failed; 0 ignored; ...`.
fn parse_result(line: &str) -> Option<Count> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |word| {
        let part = counts.split(';').find_map(|part| part.trim().strip_suffix(word))?;
        part.trim().parse().ok()
    };
    Some(Count { passed: number(" passed")?, failed: number(" failed")? })
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that are no summaries among them.
    const OUTPUT: &str = "\
   Compiling layers v0.1.0
{\"reason\":\"compiler-artifact\",\"executable\":\"/t/layers-01\",\"manifest_path\":\"/w/layers/Cargo.toml\"}
{\"reason\":\"compiler-artifact\",\"executable\":\"/t/course-02\",\"manifest_path\":\"/w/cnn/Cargo.toml\"}
{\"reason\":\"build-finished\",\"success\":true}
     Running unittests src/lib.rs (target/debug/deps/layers-01)
test flatten::backward ... ok
test result: 3 passed
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
     Running tests/course.rs (target/debug/deps/course-02)
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.2s
   Doc-tests layers
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.2s
     Running unittests src/main.rs (target/debug/deps/kaggle-03)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";

    fn counts(output: &str) -> BTreeMap<String, Count> {
        let mut tests = Tests::default();
        let mut shown: Vec<_> = output.lines().filter_map(|line| tests.read(line)).collect();
        shown.extend(tests.finish_program());
        assert_eq!(shown.len(), 1, "the output of the program that failed");
        tests.counts
    }

    #[test]
    fn tests_are_counted_for_their_crate_and_a_program_that_reports_nothing_has_failed() {
        let crashed = "     Running tests/course.rs (target/debug/deps/course-02)\nrunning 3 tests";
        let counted = [("cnn", 3, 2), ("kaggle-03", 0, 0), ("layers", 13, 0)];
        for (output, expected) in [(OUTPUT, &counted[..]), (crashed, &[("course-02", 0, 1)])] {
            let count = |&(name, passed, failed): &(&str, usize, usize)| {
                (name.to_owned(), Count { passed, failed })
            };
            assert_eq!(counts(output), expected.iter().map(count).collect());
        }
    }
}
