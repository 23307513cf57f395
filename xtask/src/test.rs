//! `cargo xtask test`.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use system::{eprintln, println};

use crate::cargo_test::{self, Count};
use crate::command::Options;
use crate::{code_of, command, verdict, workspace};

pub(crate) fn run(Options { options }: &Options) -> Result<ExitCode> {
    let Some(mut harness) = command::program("harness")? else { return Ok(ExitCode::FAILURE) };
    harness.arg("test");
    if !options.is_empty() {
        return Ok(code_of(command::run(harness.args(options))?));
    }
    let path = system::target_folder(&workspace::root()?)?.join("harness/results.json");
    let mut total = Count::default();
    // What fails for another reason than a check or a test must not vanish in the sum.
    for count in [checks(&mut harness, &path), cargo_test::run()] {
        total += count.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Count { passed: 0, failed: 1 }
        });
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    Ok(verdict(total.failed == 0))
}

/// Runs the harness; how many of its checks passed and failed.
fn checks(harness: &mut Command, results: &Path) -> Result<Count> {
    let shown = results.display();
    // Results of an earlier run must not be taken for those of a run that ended early.
    if results.exists() {
        fs::remove_file(results).with_context(|| format!("cannot remove {shown}"))?;
    }
    let status = command::run(harness)?;
    if !results.exists() {
        bail!("the harness ended with {status} and wrote no results: see its output above");
    }
    let text = fs::read(results).with_context(|| format!("cannot read {shown}"))?;
    let count: Count =
        serde_json::from_slice(&text).with_context(|| format!("cannot parse {shown}"))?;
    if status.success() != (count.failed == 0) {
        bail!("the harness ended with {status} and counted {} failed checks", count.failed);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_harness_that_ends_otherwise_than_it_counts_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        let checks = |code: &str, written: &str| {
            let mut harness = Command::new("sh");
            harness.args(["-c", &format!("{written}; exit {code}")]).current_dir(folder.path());
            super::checks(&mut harness, &path).map_err(|error| error.to_string())
        };
        let write =
            |failed| format!(r#"echo '{{"passed": 2, "failed": {failed}}}' > results.json"#);
        assert_eq!(checks("0", &write(0)), Ok(Count { passed: 2, failed: 0 }));
        assert_eq!(checks("1", &write(3)), Ok(Count { passed: 2, failed: 3 }));
        assert!(checks("1", &write(0)).unwrap_err().contains("counted 0 failed checks"));
        assert!(checks("0", &write(3)).unwrap_err().contains("counted 3 failed checks"));
        // What the last one wrote is not taken for its own.
        assert!(checks("0", ":").unwrap_err().ends_with("wrote no results: see its output above"));
    }
}
