//! The program where nobody reads it.

use std::process::Command;

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    system::for_tests::survives_without_output(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["check", "--list"]);
        command
    })
    .unwrap();
}
