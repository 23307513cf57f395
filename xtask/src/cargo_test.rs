//! The unit, integration and documentation tests of all crates, counted by test program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread::{self, available_parallelism};

use anyhow::{Context, Result};
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

/// Runs all tests, as many programs at a time as there are processors: cargo runs one after the other, and few of
/// them keep two processors busy. Prints the output of programs in which any failed, and one line a program.
pub(crate) fn run() -> Result<Count> {
    let mut build = command::cargo("test");
    build.args(["--workspace", "--no-run", "--message-format", "json-render-diagnostics"]);
    command::echo(&build);
    let built = build.stderr(Stdio::inherit()).output();
    let built = built.context("cannot run cargo")?;
    if !built.status.success() {
        eprintln!("the tests of the workspace do not compile: see the errors above");
        return Ok(Count { passed: 0, failed: 1 });
    }
    let mut documentation = command::cargo("test");
    documentation.args(["--workspace", "--doc", "--no-fail-fast"]);
    command::echo(&documentation);
    // From the end: the documentation, which is compiled only now, begins first.
    let mut waiting = programs(&String::from_utf8_lossy(&built.stdout))?;
    waiting.push(("documentation".to_owned(), documentation));
    let waiting = Mutex::new(waiting);
    let counts = Mutex::new(BTreeMap::<String, Count>::new());
    let work = || -> Result<()> {
        loop {
            let next = waiting.lock().expect("no thread panics").pop();
            let Some((name, mut program)) = next else { return Ok(()) };
            let (status, output) = command::output(&mut program)?;
            let count = count(status, &output);
            if count.failed > 0 {
                println!("{output}");
            }
            *counts.lock().expect("no thread panics").entry(name).or_default() += count;
        }
    };
    thread::scope(|scope| {
        let workers = available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no thread panics"))
    })?;
    println!();
    let mut total = Count::default();
    for (name, count) in counts.into_inner().expect("no thread panics") {
        let failed =
            if count.failed > 0 { format!(", {} failed", count.failed) } else { String::new() };
        println!("tests {name}: {} passed{failed}", count.passed);
        total += count;
    }
    Ok(total)
}

/// A line of what cargo says about a build, as far as test programs need it.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    profile: Option<Profile>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The test programs in cargo's messages, by the name of their crate or file, each to be run as cargo would run it.
fn programs(messages: &str) -> Result<Vec<(String, Command)>> {
    let mut programs = Vec::new();
    for line in messages.lines() {
        let message = serde_json::from_str(line).with_context(|| format!("cargo said {line}"))?;
        let Message {
            executable: Some(executable),
            profile: Some(Profile { test: true }),
            manifest_path: Some(manifest),
            target: Some(Target { name }),
        } = message
        else {
            continue;
        };
        let package = manifest.parent().unwrap_or(Path::new("."));
        let mut program = Command::new(executable);
        program.current_dir(package).env("CARGO_MANIFEST_DIR", package);
        programs.push((name, program));
    }
    Ok(programs)
}

/// The tests that a program reports as passed and failed. One that ends otherwise than it counts has failed.
fn count(status: ExitStatus, output: &str) -> Count {
    // The examples of the documentation report by crate, a program that crashes not at all.
    let reports: Vec<Count> = output.lines().filter_map(parse_result).collect();
    let mut count = Count::default();
    reports.iter().for_each(|&part| count += part);
    if reports.is_empty() || status.success() != (count.failed == 0) {
        count.failed += 1;
    }
    count
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

    #[cfg(unix)]
    #[test]
    fn tests_are_counted_and_a_program_that_ends_otherwise_than_it_counts_has_failed() {
        let ok = "test flatten::backward ... ok\ntest result: 3 passed\n\
                  test result: ok. 12 passed; 0 failed; 0 ignored; finished in 0.01s\n\
                  test result: ok. 1 passed; 0 failed; 0 ignored; finished in 0.2s";
        let bad = "test result: FAILED. 3 passed; 2 failed; 0 ignored; finished in 0.2s";
        for (code, output, passed, failed) in [
            (0, ok, 13, 0),
            (101, ok, 13, 1),
            (101, bad, 3, 2),
            (101, "running 3 tests", 0, 1),
            (0, "running 3 tests", 0, 1),
        ] {
            let mut program = Command::new("sh");
            program.args(["-c", &format!("echo '{output}' >&2; exit {code}")]);
            let (status, output) = command::output(&mut program).unwrap();
            assert_eq!(count(status, &output), Count { passed, failed }, "{code} {output}");
        }
    }

    #[test]
    fn test_programs_are_those_that_cargo_names() {
        let message = |test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/w/layers/Cargo.toml","target":{{"name":"course"}},"profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let lines = [
            message(true, "\"/t/course-01\""),
            message(false, "\"/t/course\""),
            message(true, "null"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let found = programs(&lines.join("\n")).unwrap();
        let [(name, program)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (name.as_str(), program.get_program().to_str()),
            ("course", Some("/t/course-01"))
        );
        assert_eq!(program.get_current_dir(), Some(Path::new("/w/layers")));
        assert!(programs("Compiling layers").is_err());
    }
}
