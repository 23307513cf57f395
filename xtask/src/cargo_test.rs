//! The unit, integration and documentation tests of all crates, counted per crate.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
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
    let Some(crates) = build()? else {
        eprintln!("the tests of the workspace do not compile: see the errors above");
        return Ok(Count { passed: 0, failed: 1 });
    };
    let mut tests = Tests { crates, ..Tests::default() };
    let mut cargo = command::cargo("test");
    cargo.args(["--workspace", "--no-fail-fast"]);
    let print = |output: Option<String>| output.iter().for_each(|output| println!("{output}"));
    let status = command::run_by_line(&mut cargo, |line| print(tests.read(line)))?;
    print(tests.finish_program());
    println!();
    for (name, count) in &tests.counts {
        let failed =
            if count.failed > 0 { format!(", {} failed", count.failed) } else { String::new() };
        println!("crate {name}: {} passed{failed}", count.passed);
    }
    let mut total = Count::default();
    tests.counts.values().for_each(|&count| total += count);
    if status.success() != (total.failed == 0) {
        bail!("cargo test ended with {status} and counted {} failed tests", total.failed);
    }
    Ok(total)
}

/// A message of `cargo --message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    executable: Option<String>,
    manifest_path: Option<String>,
}

/// Compiles the tests; the crate of each test program, or `None` if they do not compile.
fn build() -> Result<Option<BTreeMap<String, String>>> {
    let mut cargo = command::cargo("test");
    cargo.args(["--workspace", "--no-run", "--message-format=json-render-diagnostics"]);
    command::echo(&cargo);
    let output = cargo
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo test --no-run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut crates = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let message: Message =
            serde_json::from_str(line).with_context(|| format!("not a cargo message: {line}"))?;
        if let (Some(executable), Some(manifest)) = (message.executable, message.manifest_path) {
            let folder = std::path::Path::new(&manifest).parent().and_then(|path| path.file_name());
            let folder = folder.with_context(|| format!("no folder in {manifest}"))?;
            let file = file_name(&executable).to_owned();
            crates.insert(file, folder.to_string_lossy().into_owned());
        }
    }
    Ok(output.status.success().then_some(crates))
}

/// The output of `cargo test`, as far as it has been read.
#[derive(Default)]
struct Tests {
    /// The crate of each test program.
    crates: BTreeMap<String, String>,
    counts: BTreeMap<String, Count>,
    current: Option<Program>,
}

/// The test program whose output is being read.
struct Program {
    name: String,
    /// Its report; a program that crashes reports nothing.
    count: Option<Count>,
    output: Vec<String>,
}

impl Tests {
    /// Takes a line; gives what is to be shown of the program before, if the line begins another.
    fn read(&mut self, line: &str) -> Option<String> {
        let mut shown = None;
        if let Some(name) = self.crate_of_program(line) {
            shown = self.finish_program();
            self.current = Some(Program { name, count: None, output: Vec::new() });
        }
        let program = self.current.as_mut()?;
        program.output.push(line.to_owned());
        if let Some(count) = parse_result(line) {
            // The examples of the documentation may report in two parts.
            *program.count.get_or_insert_default() += count;
        }
        shown
    }

    /// Counts the program whose output is complete; gives that output unless all passed.
    fn finish_program(&mut self) -> Option<String> {
        let Program { name, count, output } = self.current.take()?;
        let crashed = Count { passed: 0, failed: 1 };
        *self.counts.entry(name).or_default() += count.unwrap_or(crashed);
        count.is_none_or(|count| count.failed > 0).then(|| output.join("\n"))
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

    const OUTPUT: &str = "\
     Running unittests src/lib.rs (target/debug/deps/layers-01)
test flatten::backward ... ok
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
     Running tests/course.rs (target/debug/deps/course-02)
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.2s
   Doc-tests layers
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.2s
     Running unittests src/main.rs (target/debug/deps/kaggle-03)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";

    fn counts(output: &str) -> BTreeMap<String, Count> {
        let crates =
            [("layers-01", "layers"), ("course-02", "cnn")].map(|(k, v)| (k.into(), v.into()));
        let mut tests = Tests { crates: crates.into(), ..Tests::default() };
        let mut shown: Vec<_> = output.lines().filter_map(|line| tests.read(line)).collect();
        shown.extend(tests.finish_program());
        assert_eq!(shown.len(), 1, "the output of the program that failed");
        tests.counts
    }

    fn named<const N: usize>(counts: [(&str, usize, usize); N]) -> BTreeMap<String, Count> {
        counts.map(|(name, passed, failed)| (name.to_owned(), Count { passed, failed })).into()
    }

    #[test]
    fn tests_are_counted_for_the_crate_that_they_belong_to() {
        assert_eq!(counts(OUTPUT), named([("cnn", 3, 2), ("kaggle-03", 0, 0), ("layers", 13, 0)]));
    }

    #[test]
    fn a_program_that_reports_nothing_has_failed() {
        let output = "     Running tests/course.rs (target/debug/deps/course-02)\nrunning 3 tests";
        assert_eq!(counts(output), named([("cnn", 0, 1)]));
    }

    #[test]
    fn only_summaries_count() {
        assert_eq!(parse_result("test result: 3 passed"), None);
        assert_eq!(parse_result("test a::b ... ok"), None);
        let line = "test result: FAILED. 0 passed; 1 failed; 0 ignored";
        assert_eq!(parse_result(line), Some(Count { passed: 0, failed: 1 }));
    }
}
