//! `evaluate`, on the images that ship with the program: the test batch is not there in a test.

use datasets::cifar10_sample;
use experiment::Confusion;

use crate::machine::{Machine, csv, line};

#[test]
fn the_accuracy_of_the_file_is_that_of_the_model() {
    let machine = Machine::with_checkpoint();
    for tta in ["", "--tta none", "--tta mirror", "--tta shifts"] {
        let options = format!("--checkpoint model.safetensors --offline {tta}");
        machine.succeed(&options);
        let (said, warned) =
            machine.succeed(&format!("evaluate --sample --csv sample_submission.csv {options}"));
        assert!(warned.contains("no accuracy is a result"), "{warned}");
        let classes = machine.classes("sample_submission.csv");
        let set = cifar10_sample().unwrap();
        let pairs = classes.iter().zip(set.labels());
        let right = pairs.filter(|&(&said, &truth)| said == usize::from(truth)).count();
        let expected = format!("{right}.00 % ({right} of 100)");
        assert_eq!(line(&said, "accuracy:"), format!("accuracy: {expected}"));
        let of_file = format!("accuracy of sample_submission.csv: {expected}");
        assert_eq!(line(&said, "accuracy of"), of_file);
        assert!(said.contains("agrees with this model on 100 of 100 images"), "{said}");

        let folder = machine.path("experiments/cifar10-evaluation-sample");
        let confusion = Confusion::read(&folder.join("confusion.csv")).unwrap();
        assert_eq!((confusion.right(), confusion.examples()), (right as u64, 100));
        for name in ["confusion.svg", "samples.svg", "confused.svg", "mistakes.svg"] {
            assert!(folder.join(name).is_file(), "{name}");
        }
        assert!(line(&said, "airplane  ").contains(" 10 "), "{said}");
    }
}

#[test]
fn another_file_has_another_accuracy() {
    let machine = Machine::with_checkpoint();
    let labels = cifar10_sample().unwrap();
    let mut classes: Vec<_> = labels.labels().iter().map(|&label| usize::from(label)).collect();
    classes[40] = (classes[40] + 1) % 10;
    machine.write("good.csv", csv(&classes).as_bytes());
    let (said, _) = machine
        .succeed("evaluate --sample --csv good.csv --checkpoint model.safetensors --output here");
    assert_eq!(line(&said, "accuracy of"), "accuracy of good.csv: 99.00 % (99 of 100)");
    assert!(!said.contains("agrees with this model on 100 "), "{said}");
    assert!(machine.path("here/mistakes.svg").is_file());
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let machine = Machine::with_checkpoint();
    machine.write("short.csv", csv(&[1; 99]).as_bytes());
    machine.write("pandas.csv", b"Id,Category\n0,3\n");
    for (file, expected) in [
        ("short.csv", "short.csv: expected a row for each of the 100 labelled images, but got 99"),
        ("pandas.csv", "pandas.csv, line 2: expected \"1,CLASS\\n\" with a class from 0 to 9"),
        ("no.csv", "cannot read no.csv: No such file"),
    ] {
        let options = format!("--checkpoint model.safetensors --csv {file}");
        let error = machine.fail(&format!("evaluate --sample {options}"), 1);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn without_the_test_batch_there_is_no_result() {
    let machine = Machine::with_checkpoint();
    let error = machine.fail("evaluate --offline --checkpoint model.safetensors", 1);
    assert!(error.contains("the labelled test batch is needed (--sample tries it"), "{error}");
    assert!(error.contains("to retry: cargo xtask data cifar-10"), "{error}");
}
