//! Whether this machine can isolate programs.

use std::path::Path;
use std::process::Command;

use system::println;

/// Whether a program can be isolated here, which is said; otherwise the test is skipped, or fails if `REQUIRE_SANDBOX` is
/// set.
pub(crate) fn can_isolate(test: &str) -> bool {
    let mut launcher = Command::new(env!("CARGO_BIN_EXE_grading"));
    launcher.args(["isolate", "--memory", "500000000", "--seconds", "1"]).arg(Path::new("/usr"));
    let output = launcher.output().expect("the launcher can be run");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    if output.status.success() {
        println!("{test}: {}", text.trim());
        return true;
    }
    assert!(std::env::var_os("REQUIRE_SANDBOX").is_none(), "{text}");
    println!("{test}: skipped: {}", text.trim());
    false
}
