//! Predictions: from which images, with which weights, to which file.

use std::fs;

use datasets::{argmax, cifar10_sample};
use kaggle::{Submission, TestTimeAugmentation};
use ndarray::{Array4, s};
use ndarray_npy::write_npy;
use training::Checkpoint;

use crate::machine::{Machine, images, line, rows};

const COMPETITION: &str = "cifar10_test_data_sp23.npy";

#[test]
fn the_competition_s_images_give_a_submission_and_the_command_that_submits_it() {
    let machine = Machine::with_checkpoint();
    let images = images(130);
    machine.npy(COMPETITION, &images);
    let (said, warned) =
        machine.succeed(&format!("--checkpoint model.safetensors --test-data {COMPETITION}"));
    assert_eq!(warned, "");
    assert_eq!(machine.names(), ["submission.csv"]);

    let model = Checkpoint::load(&machine.path("model.safetensors")).unwrap().into_model();
    let classes = argmax(model.predict(images.view()).unwrap().view());
    let expected: String =
        classes.iter().zip(1..).map(|(class, id)| format!("{id},{class}\n")).collect();
    assert_eq!(machine.read("submission.csv"), format!("Id,Category\n{expected}"));

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
fn it_is_also_found_in_the_folder_of_the_data_and_other_names_are_doubted() {
    let machine = Machine::with_checkpoint();
    fs::create_dir(machine.path("data")).unwrap();
    machine.npy(&format!("data/{COMPETITION}"), &images(3));
    let (said, _) = machine.succeed("--checkpoint model.safetensors --data-dir data --offline");
    assert!(
        said.contains("images: 3 from data/cifar10_test_data_sp23.npy (in the folder"),
        "{said}"
    );
    assert!(said.contains("To submit it (this program never does):"), "{said}");

    machine.npy("mine.npy", &images(2));
    let (said, _) = machine.succeed("--checkpoint model.safetensors --test-data mine.npy");
    assert!(said.contains("If mine.npy is the competition's file under another name"), "{said}");
    assert_eq!(Submission::read(&machine.path("submission.csv")).unwrap().classes().len(), 2);
}

#[test]
fn the_same_images_give_the_same_file_in_every_form_and_on_every_number_of_threads() {
    let machine = Machine::with_checkpoint();
    let images = images(150);
    machine.npy("rows.npy", &images);
    write_npy(machine.path("last.npy"), &images).unwrap();
    let planes = images.clone().permuted_axes([0, 3, 1, 2]);
    write_npy(machine.path("planes.npy"), &planes.as_standard_layout()).unwrap();
    let fortran = rows(&images).reversed_axes().as_standard_layout().into_owned().reversed_axes();
    write_npy(machine.path("fortran.npy"), &fortran).unwrap();
    let header = fs::read(machine.path("fortran.npy")).unwrap();
    assert!(header.windows(21).any(|bytes| bytes == b"'fortran_order': True"));

    let mut files = Vec::new();
    for name in ["rows", "last", "planes", "fortran"] {
        for threads in [1, 2, 3] {
            let (said, _) = machine.succeed(&format!(
                "--checkpoint model.safetensors --test-data {name}.npy --threads {threads}"
            ));
            assert!(said.contains(&format!(" on {threads} threads")), "{said}");
            files.push(machine.read("submission.csv"));
        }
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn mirror_images_are_averaged_in() {
    let machine = Machine::with_checkpoint();
    let images = images(70);
    machine.npy("x.npy", &images);
    let model = Checkpoint::load(&machine.path("model.safetensors")).unwrap().into_model();
    let plain = model.predict(images.view()).unwrap();
    let mirror_images: Array4<u8> = images.slice(s![.., .., ..;-1, ..]).to_owned();
    assert_eq!(mirror_images[[5, 2, 0, 1]], images[[5, 2, 31, 1]]);
    let mirrored = model.predict(mirror_images.view()).unwrap();
    let mean = (&plain + &mirrored) * 0.5;
    assert_eq!(kaggle::predict(&model, images.view(), TestTimeAugmentation::Mirror).unwrap(), mean);
    assert_ne!(plain, mirrored, "a network that sees no difference would prove nothing");

    let mut files = Vec::new();
    for threads in [1, 2] {
        let (said, _) = machine.succeed(&format!(
            "--checkpoint model.safetensors --test-data x.npy --tta --threads {threads}"
        ));
        assert!(said.contains("each image and its mirror image"), "{said}");
        files.push(Submission::read(&machine.path("submission.csv")).unwrap());
    }
    let classes: Vec<_> = argmax(mean.view()).into_iter().map(|class| class as u8).collect();
    assert!(files.iter().all(|file| file.classes() == classes));
}

#[test]
fn offline_the_sample_is_predicted_loudly_and_never_as_a_submission() {
    let machine = Machine::with_checkpoint();
    let (said, warned) = machine.succeed("--checkpoint model.safetensors --offline");
    assert!(warned.starts_with("warning: NO TEST IMAGES. "), "{warned}");
    assert!(warned.contains("not asked: offline"), "{warned}");
    assert!(warned.contains("to retry: cargo xtask data cifar-10"), "{warned}");
    assert!(said.contains("NOT FOR SUBMISSION"), "{said}");
    assert!(!said.contains("competitions submit"), "{said}");
    assert_eq!(machine.names(), ["sample_submission.csv"]);
    let sample = Submission::read(&machine.path("sample_submission.csv")).unwrap();
    let model = Checkpoint::load(&machine.path("model.safetensors")).unwrap().into_model();
    let probabilities = model.predict(cifar10_sample().unwrap().images().view()).unwrap();
    let classes: Vec<_> = sample.classes().iter().map(|&class| usize::from(class)).collect();
    assert_eq!(classes, argmax(probabilities.view()));

    let (_, warned) =
        machine.succeed("--checkpoint model.safetensors --offline --quiet --output other.csv");
    assert!(
        warned.contains("and other.csv is not a submission"),
        "also when it is quiet: {warned}"
    );
    assert_eq!(machine.read("other.csv"), machine.read("sample_submission.csv"));
    let error = machine.fail("--checkpoint model.safetensors --offline --output submission.csv", 1);
    assert!(error.contains("do not go to a file named submission.csv"), "{error}");
    assert_eq!(machine.names(), ["other.csv", "sample_submission.csv"]);
}

#[test]
fn the_best_checkpoint_of_a_training_comes_before_the_weights_that_ship() {
    let machine = Machine::with_checkpoint();
    machine.checkpoint("experiments/cifar10/checkpoints/best.safetensors");
    let (said, _) = machine.succeed("--offline");
    let expected = "weights: experiments/cifar10/checkpoints/best.safetensors (a training here)";
    assert_eq!(line(&said, "weights:"), expected);
    let by_name = machine.read("sample_submission.csv");
    machine.succeed("--offline --checkpoint model.safetensors");
    assert_eq!(machine.read("sample_submission.csv"), by_name);

    machine.checkpoint("experiments/cifar10-fast/checkpoints/best.safetensors");
    assert_eq!(line(&machine.succeed("--offline").0, "weights:"), expected);
    machine.checkpoint("experiments/cifar10-best/checkpoints/last.safetensors");
    let best = "weights: experiments/cifar10-best/checkpoints/last.safetensors (a training here)";
    assert_eq!(line(&machine.succeed("--offline").0, "weights:"), best);
    std::fs::remove_dir_all(machine.path("experiments/cifar10-best")).unwrap();

    machine.write("experiments/cifar10/checkpoints/best.safetensors", b"damaged");
    let error = machine.fail("--offline", 1);
    assert!(
        error.contains("experiments/cifar10/checkpoints/best.safetensors: expected"),
        "{error}"
    );
}

#[test]
fn a_single_class_for_everything_is_doubted() {
    let machine = Machine::with_checkpoint();
    machine.npy("same.npy", &Array4::from_elem((5, 32, 32, 3), 200));
    let (_, warned) =
        machine.succeed("--checkpoint model.safetensors --test-data same.npy --quiet");
    assert!(warned.starts_with("warning: every image is predicted as class "), "{warned}");
    assert_eq!(machine.names(), ["submission.csv"]);
}

#[test]
fn quiet_is_quiet() {
    let machine = Machine::with_checkpoint();
    machine.npy("x.npy", &images(60));
    let arguments = "--checkpoint model.safetensors --test-data x.npy --quiet";
    assert_eq!(machine.succeed(arguments), (String::new(), String::new()));
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    let machine = Machine::with_checkpoint();
    machine.npy(COMPETITION, &images(3));
    stdio::for_tests::survives_without_output(|| {
        let mut command = machine.command();
        command.args(["--checkpoint", "model.safetensors", "--test-data", COMPETITION]);
        command
    })
    .unwrap();
    assert_eq!(machine.read("submission.csv").lines().count(), 4);
}
