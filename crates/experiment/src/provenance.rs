//! Where a record comes from: the machine, the program and the memory that it took.

use std::fs;
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};

/// The machine that a record was measured on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The architecture, as `std::env::consts::ARCH` spells it.
    pub arch: String,
    /// The operating system.
    pub os: String,
    /// The number of threads that run at once.
    pub cores: usize,
    /// The processor's name, where that can be read.
    pub cpu: Option<String>,
}

impl Machine {
    /// The machine that this runs on.
    pub fn current() -> Self {
        Self {
            arch: std::env::consts::ARCH.to_owned(),
            os: std::env::consts::OS.to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            cpu: fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| cpu_name(&text)),
        }
    }
}

fn cpu_name(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The largest number of bytes that this process has had in memory so far; `None` where the system
/// does not say, which Linux does.
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The program that wrote a record. The revision is provenance only: nothing is refused for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The Git revision of its source, with `-dirty` if that was changed since, where Git and the
    /// source are at hand.
    pub revision: Option<String>,
}

impl Program {
    /// The program of this name and version, in the revision that its source has now.
    pub fn current(name: &str, version: &str) -> Self {
        Self { name: name.to_owned(), version: version.to_owned(), revision: revision() }
    }
}

fn revision() -> Option<String> {
    // Inside somebody else's repository the prefix is another one.
    (git(&["rev-parse", "--show-prefix"])? == "crates/experiment/").then_some(())?;
    git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_found_among_the_lines() {
        let text = "processor\t: 0\nmodel name\t: Some  CPU @ 2.00GHz\nflags\t: fpu\n";
        assert_eq!(cpu_name(text), Some("Some CPU @ 2.00GHz".to_owned()));
        assert_eq!(cpu_name("Features : fp asimd\n"), None);
    }
}
