//! Whether this machine can isolate programs, and has NumPy.

use std::process::Command;

use system::println;

/// Whether hand-ins in NumPy can be graded here in isolation, whose mechanisms are printed; otherwise the test is
/// skipped, or fails if `REQUIRE_SANDBOX` or `REQUIRE_NUMPY` is set.
pub(crate) fn can_grade(test: &str) -> bool {
    let numpy = Command::new("python3").args(["-c", "import numpy"]).output();
    let mut launcher = Command::new(env!("CARGO_BIN_EXE_grading"));
    launcher.args(["isolate", "--memory", "500000000", "--seconds", "1", "/usr"]);
    let output = launcher.output().expect("the launcher can be run");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let has_numpy = numpy.is_ok_and(|output| output.status.success());
    for (variable, is_there, what) in [
        ("REQUIRE_SANDBOX", output.status.success(), text.trim()),
        ("REQUIRE_NUMPY", has_numpy, "python3 has no NumPy"),
    ] {
        if !is_there {
            assert!(std::env::var_os(variable).is_none(), "{what}");
            println!("{test}: skipped: {what}");
            return false;
        }
    }
    println!("{test}: {}", text.trim());
    true
}
