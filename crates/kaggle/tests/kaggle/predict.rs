//! Predictions: from which images, with which weights, to which file.

use std::fs;

use datasets::{argmax, cifar10_sample};
use experiment::Evaluation;
use ndarray::{Array4, s};
use training::Checkpoint;

use crate::machine::{Machine, images, line};

const COMPETITION: &str = "cifar10_test_data_sp23.npy";

#[test]
fn the_competition_s_images_give_a_submission_and_the_command_that_submits_it() {
    let machine = Machine::with_checkpoint();
    let images = images(130);
    machine.npy(COMPETITION, &images);
    let (said, warned) = machine
        .succeed(&format!("--checkpoint model.safetensors --test-data {COMPETITION} --tta none"));
    assert_eq!(warned, "");
    assert_eq!(machine.names(), ["submission.csv"]);

    let model = Checkpoint::load(&machine.path("model.safetensors")).unwrap().model;
    let classes = argmax(model.predict(images.view()).unwrap().view()).unwrap();
    assert_eq!(machine.classes("submission.csv"), classes);

    assert_eq!(line(&said, "images:"), format!("images: 130 from {COMPETITION} (--test-data)"));
    assert_eq!(line(&said, "weights:"), "weights: model.safetensors (--checkpoint)");
    assert_eq!(line(&said, "  model"), "  model small, 1 epochs, seed 7, revision unknown");
    assert_eq!(line(&said, "  trained by"), "  trained by: a command");
    let of_class_3 = classes.iter().filter(|class| **class == 3).count();
    assert!(line(&said, "predictions:").contains(&format!(", cat {of_class_3}, ")), "{said}");
    assert!(
        line(&said, "written:").starts_with("written: submission.csv (130 rows and the header")
    );
    let command = "  kaggle competitions submit <COMPETITION> -f submission.csv -m ";
    assert!(line(&said, command).ends_with("\"CNN of this workspace\""), "{said}");
    assert!(!said.contains("NOT FOR SUBMISSION"), "{said}");
}

#[test]
fn the_file_that_is_named_comes_first_then_the_competition_s_wherever_it_lies() {
    let machine = Machine::with_checkpoint();
    let options = "--checkpoint model.safetensors --data-dir data --offline";
    // Its archive is not passed over.
    let zip = format!("{COMPETITION}.zip");
    machine.write(&zip, b"PK\x03\x04");
    let expected = format!("{zip}: expected a .npy file, but got a zip archive: unpack it");
    assert!(machine.fail(options, 1).contains(&expected));
    assert!(machine.fail(&format!("{options} --test-data {zip}"), 1).contains(&expected));
    fs::create_dir_all(machine.path("data/cifar-10")).unwrap();
    for (n, folder) in [(5, "data/cifar-10/"), (4, "data/"), (3, "")] {
        let file = format!("{folder}{COMPETITION}");
        machine.npy(&file, &images(n));
        let (said, _) = machine.succeed(options);
        assert_eq!(line(&said, "images:"), format!("images: {n} from {file} (found)"));
        assert!(said.contains("To submit it (this program never does):"), "{said}");
    }
    machine.npy("mine.npy", &images(2));
    let (said, _) = machine.succeed(&format!("{options} --test-data mine.npy"));
    assert!(said.contains("If mine.npy is the competition's file under another name"), "{said}");
    assert_eq!(machine.classes("submission.csv").len(), 2);
}

#[test]
fn the_file_does_not_depend_on_the_number_of_threads() {
    let machine = Machine::with_checkpoint();
    machine.npy("x.npy", &images(150));
    let files = [1, 2, 3].map(|threads| {
        let (said, _) = machine.succeed(&format!(
            "--checkpoint model.safetensors --test-data x.npy --threads {threads}"
        ));
        assert!(said.contains(&format!(" on {threads} threads")), "{said}");
        machine.read("submission.csv")
    });
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn mirror_images_are_averaged_in() {
    let machine = Machine::with_checkpoint();
    let images = images(70);
    machine.npy("x.npy", &images);
    let model = Checkpoint::load(&machine.path("model.safetensors")).unwrap().model;
    let plain = model.predict(images.view()).unwrap();
    let mirror_images: Array4<u8> = images.slice(s![.., .., ..;-1, ..]).to_owned();
    assert_eq!(mirror_images[[5, 2, 0, 1]], images[[5, 2, 31, 1]]);
    let mirrored = model.predict(mirror_images.view()).unwrap();
    let mean = (&plain + &mirrored) * 0.5;
    assert_ne!(plain, mirrored, "a network that sees no difference would prove nothing");

    let (said, _) =
        machine.succeed("--checkpoint model.safetensors --test-data x.npy --tta mirror");
    assert!(said.contains("each image and its mirror image"), "{said}");
    assert_eq!(machine.classes("submission.csv"), argmax(mean.view()).unwrap());
}

#[test]
fn offline_the_sample_is_predicted_loudly_and_never_as_a_submission() {
    let machine = Machine::with_checkpoint();
    let (said, warned) = machine.succeed("--checkpoint model.safetensors --offline --tta none");
    assert!(warned.starts_with("warning: NO TEST IMAGES. "), "{warned}");
    assert!(warned.contains("not asked: offline"), "{warned}");
    assert!(warned.contains("to retry: cargo xtask data cifar-10"), "{warned}");
    assert!(said.contains("NOT FOR SUBMISSION"), "{said}");
    assert!(!said.contains("competitions submit"), "{said}");
    assert_eq!(machine.names(), ["sample_submission.csv"]);
    let model = Checkpoint::load(&machine.path("model.safetensors")).unwrap().model;
    let probabilities = model.predict(cifar10_sample().unwrap().images().view()).unwrap();
    assert_eq!(machine.classes("sample_submission.csv"), argmax(probabilities.view()).unwrap());

    let (_, warned) = machine
        .succeed("--checkpoint model.safetensors --offline --tta none --quiet --output other.csv");
    assert!(
        warned.contains("and other.csv is not a submission"),
        "also when it is quiet: {warned}"
    );
    assert_eq!(machine.read("other.csv"), machine.read("sample_submission.csv"));
    let error = machine.fail("--checkpoint model.safetensors --offline --output submission.csv", 1);
    assert!(error.contains("do not go to a file named submission.csv"), "{error}");
    assert_eq!(machine.names(), ["other.csv", "sample_submission.csv"]);
}

/// What `experiments/NAME` is not taken for.
fn not_taken<'a>(said: &'a str, name: &str) -> &'a str {
    line(said, &format!("  not taken: experiments/{name}"))
}

#[test]
fn of_finished_trainings_and_the_weights_that_ship_the_most_accurate_predict() {
    let machine = Machine::new();
    let wrong = |n, examples| Some(Evaluation::classification(0.1, n, examples));
    machine.record("cifar10", wrong(2000, 10_000));
    let predict = || machine.succeed("--offline").0;
    // A copy without weights of its own takes what there is.
    let mut best = "weights: experiments/cifar10/checkpoints/last.safetensors (the best: 80.00 % of 10000 test images";
    let said = predict();
    if cfg!(shipped_weights) {
        let expected = "weights: weights that ship with the program (no finished training is known to be better)";
        assert_eq!(line(&said, "weights:"), expected);
        let expected = "/checkpoints/last.safetensors (80.00 % of 10000 test images; so measured, the \
                        weights that ship have 93.";
        assert!(not_taken(&said, "cifar10").contains(expected), "{said}");
    } else {
        assert!(line(&said, "weights:").starts_with(best), "{said}");
    }

    // Neither a training that was killed, nor a smoke test, nor one that nobody measured.
    machine.record("cifar10-smoke", wrong(0, 500));
    machine.record("unmeasured", None);
    drop(machine.unfinished("cifar10-best"));
    if cfg!(shipped_weights) {
        best = "weights: weights that ship with the program";
    }
    let said = predict();
    assert!(line(&said, "weights:").starts_with(best), "{said}");
    for (name, why) in [
        ("cifar10-smoke", " (measured on 500 test images only)"),
        ("unmeasured", " (not measured: no images were held out, nor tested)"),
        ("cifar10-best", " (not finished: running)"),
    ] {
        assert!(not_taken(&said, name).ends_with(why), "{said}");
    }

    // 94 % are more than the weights that ship have for single images, and less than they have for means.
    let averaged = machine.record("averaged", wrong(599, 10_000)).join("config.toml");
    let config = fs::read_to_string(&averaged).unwrap();
    let heading = "[hyperparameters]\n";
    let form = format!("{heading}test_time_augmentation = \"shifts\"\n");
    fs::write(&averaged, config.replace(heading, &form)).unwrap();
    machine.record("single", wrong(601, 10_000));
    let said = predict();
    let expected = "weights: experiments/single/checkpoints/last.safetensors (the best: 93.99 % of 10000 test images";
    assert!(line(&said, "weights:").starts_with(expected), "{said}");
    let expected =
        "(94.01 % of 10000 test images, each image and two moved by a pixel, all with their";
    assert!(not_taken(&said, "averaged").contains(expected), "{said}");

    machine.write("experiments/single/checkpoints/last.safetensors", b"damaged");
    let error = machine.fail("--offline", 1);
    assert!(error.contains("experiments/single/checkpoints/last.safetensors"), "{error}");
    assert!(error.contains(": expected"), "{error}");
}

#[test]
fn where_nothing_can_be_fetched_to_the_sample_is_predicted() {
    let machine = Machine::with_checkpoint();
    machine.write("home", b"a file, in which no folder can be made");
    let mut command = machine.command();
    command.args(["--checkpoint", "model.safetensors"]);
    let output = command.output().unwrap();
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{warned}");
    assert!(warned.contains("warning: NO TEST IMAGES. "), "{warned}");
    assert!(warned.contains("cannot create the folder "), "{warned}");
    assert!(machine.path("sample_submission.csv").exists());
}

#[test]
fn quiet_is_quiet_but_for_a_single_class_for_everything() {
    let machine = Machine::with_checkpoint();
    machine.npy("x.npy", &images(60));
    machine.npy("same.npy", &Array4::from_elem((5, 32, 32, 3), 200));
    let run = |name: &str| {
        let name = machine.path(name);
        machine.succeed(&format!(
            "--checkpoint model.safetensors --test-data {} --quiet",
            name.display()
        ))
    };
    assert_eq!(run("x.npy"), (String::new(), String::new()));
    let (said, warned) = run("same.npy");
    assert!(warned.starts_with("warning: every image is predicted as class "), "{warned}");
    assert_eq!((said.as_str(), machine.names()), ("", vec!["submission.csv".to_owned()]));
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    let machine = Machine::with_checkpoint();
    machine.npy(COMPETITION, &images(3));
    let arguments = ["--checkpoint", "model.safetensors", "--test-data", COMPETITION];
    system::for_tests::survives_without_output(|| machine.command(), &arguments);
    assert_eq!(machine.read("submission.csv").lines().count(), 4);
}
