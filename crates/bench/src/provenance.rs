//! Where a record comes from.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use bench::Compiler;
use experiment::Program;

pub(crate) fn program() -> Program {
    Program::current(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// The command line as one types it. What `--json` and `--torch` name lies on this machine only.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args().skip(1).map(|argument| {
        if argument.starts_with("--torch=") { "--torch".to_owned() } else { argument }
    });
    ["cargo xtask bench".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

pub(crate) fn compiler() -> Compiler {
    let output = Command::new("rustc").arg("--version").output().ok();
    let version = output.filter(|output| output.status.success());
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
    Compiler {
        rustc: version.map(|version| version.trim().to_owned()),
        release: !cfg!(debug_assertions),
    }
}

/// The instruction sets of the processor that our code or the matrix product asks for.
pub(crate) fn features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let found: [(&str, bool); 0] = [];
    found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect()
}

/// The time now: `2026-01-31T23:59:59Z`.
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    iso_8601(since.as_secs())
}

fn iso_8601(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that the day that a leap year adds is the last one of a year, and
    // days are counted from 1 March of year 0. An era is 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = 400 * era + year + next;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_by_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(iso_8601(seconds), expected);
        }
    }
}
