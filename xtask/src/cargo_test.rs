//! The unit, integration and documentation tests of all crates, counted by test program.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Deserialize;
use system::{eprintln, println};

use crate::command;

/// Numbers of tests, or of checks as the harness records them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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

/// Runs all tests; prints one line a program, and the output of test programs in which any failed.
pub(crate) fn run() -> Result<Count> {
    let mut tests = Tests::default();
    let mut cargo = command::cargo("test");
    cargo.args(["--workspace", "--no-fail-fast"]);
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
        println!("tests {name}: {} passed{failed}", count.passed);
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
    counts: BTreeMap<String, Count>,
    /// The test program that is being read, and its output.
    current: Option<(String, Vec<String>)>,
}

impl Tests {
    /// Takes a line; gives what is to be shown of the program before, if the line begins another. What cargo
    /// says while it compiles is passed on.
    fn read(&mut self, line: &str) -> Option<String> {
        let mut shown = None;
        if let Some(name) = program(line) {
            shown = self.finish_program();
            self.current = Some((name, Vec::new()));
        }
        match &mut self.current {
            Some((_, output)) => output.push(line.to_owned()),
            None => eprintln!("{line}"),
        }
        shown
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
}

/// The name of the test program that this line announces, which is that of its crate or of its file:
/// `Running tests/course.rs (target/debug/deps/course-0123)` or `Doc-tests layers`.
fn program(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(name.to_owned());
    }
    let (_, path) = line.strip_prefix("Running ")?.strip_suffix(')')?.split_once('(')?;
    let name = path.rsplit(['/', '\\']).next()?;
    Some(name.rsplit_once('-').map_or(name, |(name, _)| name).to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that are no summaries among them.
    const OUTPUT: &str = "\
   Compiling layers v0.1.0
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
    fn tests_are_counted_by_program_and_a_program_that_reports_nothing_has_failed() {
        let crashed = "     Running tests/course.rs (target/debug/deps/course-02)\nrunning 3 tests";
        let counted = [("course", 3, 2), ("kaggle", 0, 0), ("layers", 13, 0)];
        for (output, expected) in [(OUTPUT, &counted[..]), (crashed, &[("course", 0, 1)])] {
            let count = |&(name, passed, failed): &(&str, usize, usize)| {
                (name.to_owned(), Count { passed, failed })
            };
            assert_eq!(counts(output), expected.iter().map(count).collect());
        }
    }
}
