//! The weights that ship with the program, where there are some.

use kaggle::SHIPPED;

use crate::machine::Machine;

#[cfg(not(shipped_weights))]
#[test]
fn without_weights_the_program_says_how_to_get_some() {
    let machine = Machine::new();
    assert_eq!(SHIPPED, None);
    for arguments in ["--offline", "--offline --checkpoint shipped"] {
        let error = machine.fail(arguments, 1);
        assert!(error.contains("there are no weights: none ship with this copy"), "{error}");
        assert!(error.contains("cargo run -p kaggle -- train"), "{error}");
    }
    assert_eq!(machine.names(), [""; 0]);
}

#[cfg(shipped_weights)]
mod with_weights {
    use clap::ValueEnum;
    use experiment::Evaluation;
    use kaggle::{TestTimeAugmentation, shipped_accuracy};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::machine::line;

    /// As large as they may be, in bytes.
    const LARGEST: usize = 8_000_000;

    #[test]
    fn they_are_small_and_their_checksum_stands_beside_them() {
        let bytes = SHIPPED.unwrap();
        assert!(bytes.len() <= LARGEST, "{} bytes", bytes.len());
        let sha256 = system::hex(&Sha256::digest(bytes));
        let readme = include_str!("../../weights/README.md");
        assert!(readme.contains(&sha256), "weights/README.md does not name {sha256}");
        for form in TestTimeAugmentation::value_variants() {
            let name = form.to_possible_value().unwrap();
            let expected =
                format!("`--tta {}` {:.2} %", name.get_name(), 100.0 * shipped_accuracy(*form));
            assert!(readme.contains(&expected), "weights/README.md does not say {expected}");
        }
    }

    #[test]
    fn they_recognise_the_sample_and_are_used_from_any_folder() {
        let machine = Machine::new();
        let (said, _) = machine.succeed("evaluate --sample");
        let expected =
            "weights: weights that ship with the program (there is no training in experiments)";
        assert_eq!(line(&said, "weights:"), expected);
        let accuracy = line(&said, "accuracy:").strip_prefix("accuracy: ").unwrap();
        let accuracy: f64 = accuracy.split_once(' ').unwrap().0.parse().unwrap();
        // A network of 80 % falls below 65 % on 100 images in one of 6800 such samples.
        assert!(accuracy >= 65.0, "{accuracy}");
        machine.record("cifar10", Some(Evaluation::classification(0.1, 0, 10_000)));
        let (named, _) = machine.succeed("evaluate --sample --checkpoint shipped");
        assert_eq!(line(&named, "accuracy:"), line(&said, "accuracy:"));
    }
}
