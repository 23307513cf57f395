//! What the program says of itself.

use std::process::Command;

#[test]
fn it_fails_and_says_that_question_7_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_kaggle")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: question 7"), "{message}");
    assert!(message.contains("no submission was written"), "{message}");
}
