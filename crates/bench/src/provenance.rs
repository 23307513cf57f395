//! The circumstances of a record.

use std::process::Command;

use bench::Compiler;

/// The command line as one types it. What `--json` and `--torch` name lies on this machine only.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args().skip(1).map(|argument| {
        if argument.starts_with("--torch=") { "--torch".to_owned() } else { argument }
    });
    ["cargo xtask bench".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

pub(crate) fn compiler() -> Compiler {
    Compiler { rustc: printed("rustc", &["--version"]), release: !cfg!(debug_assertions) }
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

/// The time now, `2026-01-31T23:59:59Z`, by the program `date`, where there is one.
pub(crate) fn now() -> String {
    printed("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]).unwrap_or_else(|| "unknown".to_owned())
}

/// The line that a program prints.
fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned())
}
