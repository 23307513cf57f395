//! What cannot be used is refused, and what is there stays.

use std::fs;

use ndarray::{Array2, Array4, s};
use ndarray_npy::write_npy;

use crate::machine::{Machine, PROGRAM, images};

const GOOD: &str = "Id,Category\n1,5\n";

/// A machine with images, a checkpoint and an older submission.
fn machine() -> Machine {
    let machine = Machine::with_checkpoint();
    machine.npy("x.npy", &images(2));
    machine.write("submission.csv", GOOD.as_bytes());
    machine
}

#[test]
fn images_and_checkpoints_that_are_none_are_refused() {
    let machine = machine();
    write_npy(machine.path("float.npy"), &Array2::<f32>::zeros((2, 3072))).unwrap();
    fs::create_dir(machine.path("folder.npy")).unwrap();
    let mut bytes = fs::read(machine.path("model.safetensors")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    machine.write("flipped.safetensors", &bytes);
    machine.fashion_mnist_checkpoint("fashion.safetensors");
    for (checkpoint, images, expected) in [
        ("model", "float", "float.npy: expected elements of type uint8 ('|u1'), but got '<f4'"),
        ("model", "folder", "cannot read folder.npy: "),
        ("model", "no", "cannot read no.npy: No such file"),
        ("flipped", "x", "flipped.safetensors: expected "),
        ("no", "x", "no.safetensors: expected a checkpoint that can be read, but got No such file"),
        (
            "fashion",
            "x",
            "expected a model for images of 32 x 32 x 3 in the classes airplane, automobile, bird, cat, \
             deer, dog, frog, horse, ship, truck, but small is for images of 28 x 28 x 1 in the classes \
             T-shirt/top, ",
        ),
    ] {
        let arguments = format!("--checkpoint {checkpoint}.safetensors --test-data {images}.npy");
        let error = machine.fail(&arguments, 1);
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    assert_eq!((machine.names(), machine.read("submission.csv")), good());
}

#[test]
fn weights_whose_logits_overflow_are_refused_with_the_image() {
    let machine = machine();
    machine.overflowing_checkpoint("large.safetensors");
    let mut images = Array4::zeros((6, 32, 32, 3));
    images.slice_mut(s![4.., .., .., ..]).fill(255);
    machine.npy("x.npy", &images);
    for tta in ["none", "mirror", "shifts", "selective"] {
        let error = machine
            .fail(&format!("--checkpoint large.safetensors --test-data x.npy --tta {tta}"), 1);
        let expected = "the predictions: expected finite numbers, but got ";
        assert!(error.contains(expected) && error.contains(" for image 5; "), "{tta}: {error}");
    }
    assert_eq!((machine.names(), machine.read("submission.csv")), good());
}

/// What must be there after a failure: the older file, and nothing else.
fn good() -> (Vec<String>, String) {
    (vec!["submission.csv".to_owned()], GOOD.to_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_cannot_be_written_is_named() {
    let machine = machine();
    fs::create_dir(machine.path("folder")).unwrap();
    for (output, expected) in [
        ("folder", "cannot write folder: expected a regular file that may be replaced"),
        ("no/such.csv", "cannot write to the folder no: No such file or directory"),
        ("submission.csv/x.csv", "cannot write to the folder submission.csv: Not a directory"),
        (
            "/proc/x.csv",
            "cannot write to the folder /proc: No such file or directory (os error 2)\n",
        ),
        ("/dev/full", "cannot write /dev/full: expected a regular file"),
    ] {
        let arguments =
            format!("--checkpoint model.safetensors --test-data x.npy --output {output}");
        let error = machine.fail(&arguments, 1);
        assert!(error.contains(expected), "{output}: {error}");
    }
    assert_eq!(machine.names(), ["folder", "submission.csv"]);
    assert_eq!(machine.read("submission.csv"), GOOD);
}

/// The limit for the size of a file stands in for a full disk: writing fails after the file was
/// created, at its first byte.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_keeps_the_older_file() {
    let machine = machine();
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {PROGRAM} --checkpoint model.safetensors --test-data x.npy"
    );
    let output = machine.enclosed("sh").args(["-c", &script]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let expected =
        "error: cannot write submission.csv: File too large (os error 27); free some space";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!((machine.names(), machine.read("submission.csv")), good());
}
