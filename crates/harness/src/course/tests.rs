//! The tests of the course's tests: they pass on good data, and say what is wrong with bad data.

use std::fs;
use std::io::Write;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::{WritableElement, WriteNpyExt};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::{CourseData, Status};

type Arrays = Vec<(&'static str, ArrayD<f64>)>;

fn numbers(shape: &[usize], values: &[f64]) -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
}

/// Entry 0 of a test of ReLU, with a result that is off by `error`.
fn relu(error: f64) -> Arrays {
    vec![
        ("0input", numbers(&[1, 2, 2], &[-1.0, 2.0, 3.0, -4.0])),
        ("0output", numbers(&[2, 2], &[0.0, 2.0 + error, 3.0, 0.0])),
        ("0upstream_grad", numbers(&[2, 2], &[1.0, 2.0, 3.0, 4.0])),
        ("0backward", numbers(&[2, 2], &[0.0, 2.0, 3.0, 0.0])),
    ]
}

/// The entry with another array of this name.
fn relu_with(key: &'static str, array: ArrayD<f64>) -> Arrays {
    let mut arrays = relu(0.0);
    arrays.retain(|(other, _)| *other != key);
    arrays.push((key, array));
    arrays
}

/// An archive with these arrays, stored or deflated, whose bytes another function may change.
fn archive(
    file: &Path,
    method: CompressionMethod,
    arrays: &Arrays,
    bytes: impl Fn(&ArrayD<f64>) -> Vec<u8>,
) {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut npz = ZipWriter::new(fs::File::create(file).unwrap());
    for (key, array) in arrays {
        npz.start_file(format!("{key}.npy"), options).unwrap();
        npz.write_all(&bytes(array)).unwrap();
    }
    npz.finish().unwrap();
}

/// Writes an array as the member of an archive.
type Bytes = fn(&ArrayD<f64>) -> Vec<u8>;

fn npy<E: WritableElement>(array: &ArrayD<E>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

fn stored(file: &Path, arrays: &Arrays) {
    archive(file, CompressionMethod::Stored, arrays, npy);
}

/// What the two tests of a class say of a file that `write` has written.
fn outcomes(class: &str, strict: bool, write: impl FnOnce(&Path)) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join(format!("{class}.npz")));
    let course_data = Some(CourseData { folder: folder.path().to_owned(), strict });
    let context = Context { course_data, ..Context::default() };
    let checks = registry::course_data_checks().into_iter();
    let of_class = checks.filter(|c| c.group.ends_with(class) && c.name != "test_init_params");
    of_class.map(|check| check.outcome(&context)).collect()
}

fn pass(class: &str, write: impl FnOnce(&Path)) {
    let outcomes = outcomes(class, true, write);
    assert!(outcomes.len() == 2 && outcomes.iter().all(Outcome::passed), "{outcomes:?}");
}

/// At least one of the tests ends with an error that says so, and none passes where both have to.
fn errors(class: &str, expected: &str, both: bool, write: impl FnOnce(&Path)) {
    let outcomes = outcomes(class, false, write);
    let says = |outcome: &&Outcome| {
        let detail = &outcome.detail;
        let file = detail.contains(&format!("{class}.npz")) && !detail.contains('\n');
        outcome.status == Status::Error && detail.contains(expected) && file
    };
    let count = outcomes.iter().filter(says).count();
    assert!(count == 2 || count == 1 && !both, "{expected}: {outcomes:?}");
}

fn bad(expected: &str, write: impl FnOnce(&Path)) {
    errors("TestReLU", expected, true, write);
}

pub(crate) fn archives_may_be_stored_or_deflated_in_either_order_and_precision() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let narrow = |array: &ArrayD<f64>| npy(&array.mapv(|x| x as f32));
        for (bytes, bound) in [(npy as Bytes, 1e-10), (narrow, 1e-5)] {
            let outcomes = outcomes("TestReLU", true, |file| {
                let mut arrays = relu(0.0);
                for (_, array) in &mut arrays {
                    // The same elements in Fortran order.
                    let mut fortran = ArrayD::zeros(array.raw_dim().f());
                    fortran.assign(array);
                    *array = fortran;
                }
                archive(file, method, &arrays, bytes);
            });
            for outcome in outcomes {
                assert!(outcome.passed() && outcome.bound == Some(bound), "{outcome:?}");
            }
        }
    }
}

pub(crate) fn a_wrong_result_fails_and_an_error_below_four_decimals_fails_strictly_alone() {
    for (error, strict, status) in
        [(0.1, false, Status::Fail), (1e-5, false, Status::Ok), (1e-5, true, Status::Fail)]
    {
        let outcomes = outcomes("TestReLU", strict, |file| stored(file, &relu(error)));
        let (forward, backward) = (&outcomes[0], &outcomes[1]);
        assert_eq!((forward.status, backward.status), (status, Status::Ok), "{outcomes:?}");
        let place = "0output (input [2, 2]): at [0, 1] expected 2.";
        assert!(status == Status::Ok || forward.detail.contains(place), "{forward:?}");
    }
}

pub(crate) fn what_the_course_accepts_passes() {
    // Leading axes of length 1 do not matter, as in NumPy.
    for (shape, passes) in [(&[][..], true), (&[1], true), (&[1, 1], true), (&[2], false)] {
        let arrays = vec![
            ("0input", numbers(&[2, 1, 2], &[0.0, 1.0, 0.5, 0.5])),
            ("0output", ArrayD::from_elem(shape, 2.0_f64.ln())),
            ("0backward", numbers(&[2], &[0.0, -2.0])),
        ];
        let outcomes = outcomes("TestCrossEntropy", true, |file| stored(file, &arrays));
        let passed: Vec<_> = outcomes.iter().map(Outcome::passed).collect();
        assert_eq!(passed, [passes, true], "{shape:?}: {outcomes:?}");
    }
    // Nor do missing ones: a bias may be a vector.
    let one_example = vec![
        ("0input", numbers(&[1, 1, 2], &[-1.0, 2.0])),
        ("0output", numbers(&[2], &[0.0, 2.0])),
        ("0upstream_grad", numbers(&[2], &[1.0, 2.0])),
        ("0backward", numbers(&[2], &[0.0, 2.0])),
    ];
    pass("TestReLU", |file| stored(file, &one_example));
}

pub(crate) fn a_file_that_is_missing_or_no_archive_is_an_error() {
    let incomplete = "expected a complete .npz archive";
    bad("cannot be opened", |_| {});
    bad(incomplete, |file| fs::write(file, "not an archive").unwrap());
    bad("cannot be", |file| fs::create_dir(file).unwrap());
    bad("the archive has no member", |file| stored(file, &vec![]));
    let other = vec![("other", ArrayD::zeros(vec![1]))];
    bad("the archive has other", |file| stored(file, &other));
    let mut whole = Vec::new();
    pass("TestReLU", |file| {
        stored(file, &relu(0.0));
        whole = fs::read(file).unwrap();
    });
    for eighth in 0..8 {
        bad(incomplete, |file| fs::write(file, &whole[..whole.len() * eighth / 8]).unwrap());
    }
}

pub(crate) fn a_damaged_member_or_one_that_is_not_read_is_named() {
    const BZIP2: u8 = 12;
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let change = |file: &Path, change: fn(&mut Vec<u8>)| {
            archive(file, method, &relu(0.0), npy);
            let mut bytes = fs::read(file).unwrap();
            change(&mut bytes);
            fs::write(file, bytes).unwrap();
        };
        // Behind the local header of the first member, within its data.
        bad("0input is damaged", |file| change(file, |bytes| bytes[120..150].fill(0x55)));
        bad("array 0input cannot be read (Compression method not supported)", |file| {
            change(file, |bytes| {
                // The method stands behind the signature of a member's header, and of its entry in the directory.
                for (signature, offset) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
                    for at in 0..bytes.len() - 4 {
                        if bytes[at..].starts_with(signature) {
                            bytes[at + offset] = BZIP2;
                        }
                    }
                }
            });
        });
    }
}

pub(crate) fn arrays_that_are_missing_or_of_another_form_are_errors() {
    let missing = "0input, but there is none; the entry has 0backward, 0output, 0upstream_grad";
    bad(missing, |file| stored(file, &relu(0.0)[1..].to_vec()));
    let missing = "0backward, but there is none; the entry has 0input, 0output, 0upstream_grad";
    errors("TestReLU", missing, false, |file| stored(file, &relu(0.0)[..3].to_vec()));
    // A gap in the numbers of the entries.
    let gap = relu_with("2input", ArrayD::zeros(vec![1, 2, 2]));
    bad("an array 1input, but there is none; the entry has no array", |file| stored(file, &gap));

    for shape in [&[2, 2, 2][..], &[0, 2, 2], &[4], &[]] {
        let arrays = relu_with("0input", ArrayD::zeros(shape));
        bad("expected 0input to have shape (1, m, ...)", |file| stored(file, &arrays));
    }
    for key in ["0output", "0upstream_grad", "0backward"] {
        let arrays = relu_with(key, ArrayD::zeros(vec![2, 3]));
        let expected = format!("expected {key} to have shape [2, 2], but it has [2, 3]");
        errors("TestReLU", &expected, false, |file| stored(file, &arrays));
    }
    let infinite = relu_with("0input", numbers(&[1, 1, 2], &[1.0, f64::NAN]));
    bad("finite numbers in 0input, but [0, 0, 1] is NaN", |file| stored(file, &infinite));

    // What else can be wrong with a member is what its reader refuses, in `datasets`.
    let of_bytes = |expected: &str, bytes: Bytes| {
        bad(expected, |file| archive(file, CompressionMethod::Stored, &relu(0.0), bytes));
    };
    of_bytes("0input to be of dtype <f8 or <f4, but it is <i4", |a| npy(&a.mapv(|x| x as i32)));
    of_bytes("array 0input is damaged: missing 10 bytes", |a| npy(a)[..150].to_vec());
}

pub(crate) fn entries_that_fit_no_configuration_are_errors() {
    const KEYS: [&str; 5] = ["0input", "1input", "2input", "3input", "4input"];
    for (class, shape, count, expected) in [
        ("TestConv2D", &[1, 2, 5, 5, 3][..], 4, "each of 5 configurations, but there are 4"),
        ("TestConv2D", &[1, 2, 5, 5], 5, "expected 0input to have shape (1, m, ...)"),
        ("TestPool2D", &[1, 2, 2, 2, 1], 5, "entry 0: Pool2D: kernel_shape must be"),
        ("TestFullyConnected", &[1, 2, 7], 3, "expected an array 0W"),
        ("TestFlatten", &[1, 0, 3], 1, "expected an array 0output"),
    ] {
        let arrays = KEYS[..count].iter().map(|&key| (key, ArrayD::zeros(shape))).collect();
        errors(class, expected, true, |file| stored(file, &arrays));
    }
}
