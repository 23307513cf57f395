//! `cargo run -p einsum` as a user sees it.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_einsum"))
        .args(arguments)
        .output()
        .expect("the program was built for this test")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program prints UTF-8")
}

#[test]
fn every_norm_on_integers_is_printed_and_is_exactly_zero() {
    for seed in ["0", "189", "18446744073709551615"] {
        let output = run(&["--seed", seed]);
        assert!(output.status.success());
        let lines: Vec<&str> = text(&output.stdout).lines().collect();
        let norms = lines.iter().filter(|line| **line == "   norm of the difference: 0").count();
        assert_eq!(norms, 3, "seed {seed}");
        for subscripts in ["\"ii->\"", "\"ij,j->i\"", "\"i,j->ij\""] {
            assert!(lines.iter().any(|line| line.ends_with(subscripts)), "{subscripts}");
        }
    }
}

#[test]
fn the_same_seed_prints_the_same_and_another_seed_something_else() {
    let first = run(&["--seed", "7"]).stdout;
    assert_eq!(first, run(&["--seed", "7"]).stdout);
    assert_ne!(first, run(&["--seed", "8"]).stdout);
    assert_eq!(run(&[]).stdout, run(&["--seed", "189"]).stdout);
}

#[test]
fn a_seed_that_is_no_number_is_a_usage_error() {
    let output = run(&["--seed", "many"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error = text(&output.stderr);
    assert!(error.contains("many") && error.contains("--seed"), "{error}");
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    stdio::for_tests::survives_without_output(|| Command::new(env!("CARGO_BIN_EXE_einsum")))
        .unwrap();
}
