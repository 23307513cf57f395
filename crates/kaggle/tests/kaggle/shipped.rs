//! The weights that ship with the program, where there are some.

use crate::machine::Machine;

#[cfg(not(shipped_weights))]
#[test]
fn without_weights_the_program_says_how_to_get_some() {
    let machine = Machine::new();
    for arguments in ["--offline", "--offline --checkpoint shipped"] {
        let error = machine.fail(arguments, 1);
        assert!(error.contains("there are no weights: none ship with this copy"), "{error}");
        assert!(error.contains("cargo run -p kaggle -- train"), "{error}");
    }
    assert_eq!(machine.names(), [""; 0]);
}

#[cfg(shipped_weights)]
#[test]
fn they_recognise_the_sample_and_are_used_from_any_folder() {
    use crate::machine::line;

    let machine = Machine::new();
    let (said, _) = machine.succeed("evaluate --sample");
    let expected =
        "weights: weights that ship with the program (there is no training in experiments)";
    assert_eq!(line(&said, "weights:"), expected);
    let accuracy = line(&said, "accuracy:").strip_prefix("accuracy: ").unwrap();
    let accuracy: f64 = accuracy.split_once(' ').unwrap().0.parse().unwrap();
    // A network of 80 % falls below 65 % on 100 images in one of 6800 such samples.
    assert!(accuracy >= 65.0, "{accuracy}");
    machine.record("cifar10", Some(experiment::Evaluation::classification(0.1, 0, 10_000)));
    let (named, _) = machine.succeed("evaluate --sample --checkpoint shipped");
    assert_eq!(line(&named, "accuracy:"), line(&said, "accuracy:"));
}
