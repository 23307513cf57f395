//! The tests of the course's tests: they pass on good data, and say what is wrong with bad data.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use ndarray::{ArrayD, Axis, IxDyn, ShapeBuilder};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::{CourseData, Status};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn context() -> Context {
    Context { fixtures: fixtures(), course_data: None, seed: 1, case: None, ..Context::default() }
}

#[test]
fn every_entry_is_compared_in_both_precisions() {
    let cases = |group: &str| {
        let checks = registry::all_checks().into_iter();
        let checks = checks.filter(|check| check.group.starts_with(group));
        checks.map(|check| check.outcome(&context()).cases).sum::<usize>()
    };
    // Entries of the files: 6 activations, fully-connected, convolution, pooling, flatten, losses.
    let entries = 6 * 6 + 18 + 20 + 20 + 4 + 6 + 6;
    // In `f64` 50 random sizes are built as well.
    assert_eq!((cases("tests."), cases("tests_f4.")), (2 * entries + 50, 2 * entries));
}

/// A folder with a copy of the fixtures, as a user's own data.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(fixtures().join("course")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

fn on(folder: &Path, strict: bool) -> Vec<(String, Outcome)> {
    let course_data = Some(CourseData { folder: folder.to_owned(), strict });
    let context = Context { course_data, fixtures: "nowhere".into(), ..context() };
    let checks = registry::course_data_checks();
    checks.iter().map(|check| (check.id(), check.outcome(&context))).collect()
}

#[test]
fn a_users_data_is_judged_by_the_courses_rule_and_strictly_on_request() {
    let folder = copy();
    for strict in [false, true] {
        let outcomes = on(folder.path(), strict);
        assert_eq!(outcomes.len(), 25);
        for (id, outcome) in outcomes {
            assert!(outcome.passed(), "{id}: {}", outcome.detail);
            assert_eq!(outcome.max_error.is_none(), id.ends_with("test_init_params"), "{id}");
        }
    }
}

/// An archive with these arrays, stored or deflated.
fn archive(file: &Path, compressed: bool, arrays: &[(&str, ArrayD<f64>)], narrow: bool) {
    let method = if compressed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut npz = ZipWriter::new(fs::File::create(file).unwrap());
    for (key, array) in arrays {
        npz.start_file(format!("{key}.npy"), options).unwrap();
        if narrow {
            array.mapv(|x| x as f32).write_npy(&mut npz).unwrap();
        } else {
            array.write_npy(&mut npz).unwrap();
        }
    }
    npz.finish().unwrap();
}

/// Entry 0 of a test of ReLU, with a result that is off by `error`.
fn relu(error: f64) -> Vec<(&'static str, ArrayD<f64>)> {
    let array = |shape: &[usize], values: [f64; 4]| {
        ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
    };
    vec![
        ("0input", array(&[1, 2, 2], [-1.0, 2.0, 3.0, -4.0])),
        ("0output", array(&[2, 2], [0.0, 2.0 + error, 3.0, 0.0])),
        ("0upstream_grad", array(&[2, 2], [1.0, 2.0, 3.0, 4.0])),
        ("0backward", array(&[2, 2], [0.0, 2.0, 3.0, 0.0])),
    ]
}

/// What the two tests of ReLU say of a file that `write` has written.
fn relu_tests(strict: bool, write: impl FnOnce(&Path)) -> [Outcome; 2] {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("TestReLU.npz"));
    ["test_forward", "test_backward"].map(|name| {
        let id = format!("tests.test_activations.TestReLU.{name}");
        on(folder.path(), strict).into_iter().find(|(other, _)| *other == id).unwrap().1
    })
}

#[test]
fn archives_may_be_stored_or_deflated_in_either_order_and_precision() {
    for compressed in [false, true] {
        for narrow in [false, true] {
            let outcomes = relu_tests(true, |file| {
                let mut arrays = relu(0.0);
                for (_, array) in &mut arrays {
                    // The same elements in Fortran order.
                    let mut fortran = ArrayD::zeros(array.raw_dim().f());
                    fortran.assign(array);
                    *array = fortran;
                }
                archive(file, compressed, &arrays, narrow);
            });
            for outcome in outcomes {
                assert!(outcome.passed(), "{outcome:?}");
                assert_eq!(outcome.bound, Some(if narrow { 1e-5 } else { 1e-10 }));
            }
        }
    }
}

#[test]
fn a_wrong_result_fails_and_an_error_below_four_decimals_fails_strictly_alone() {
    let forward = |error: f64, strict| {
        let [forward, backward] =
            relu_tests(strict, |file| archive(file, false, &relu(error), false));
        assert!(backward.passed());
        forward
    };
    assert_eq!(forward(0.1, false).status, Status::Fail);
    assert!(
        forward(0.1, false).detail.contains("0output (input [2, 2]): at [0, 1] expected 2.1e0")
    );
    assert!(forward(1e-5, false).passed());
    assert_eq!(forward(1e-5, true).status, Status::Fail);
}

fn errors(expected: &str, write: impl FnOnce(&Path)) {
    let outcomes = relu_tests(false, write);
    for outcome in outcomes {
        assert_eq!(outcome.status, Status::Error, "{}", outcome.detail);
        assert!(outcome.detail.contains(expected), "{}", outcome.detail);
        assert!(outcome.detail.contains("TestReLU.npz"), "{}", outcome.detail);
    }
}

#[test]
fn a_file_that_is_missing_or_no_archive_is_an_error() {
    errors("cannot be opened", |_| {});
    errors("expected a complete .npz archive", |file| fs::write(file, "").unwrap());
    errors("expected a complete .npz archive", |file| fs::write(file, "not an archive").unwrap());
    errors("cannot be", |file| fs::create_dir(file).unwrap());
    errors("the archive has no member", |file| archive(file, false, &[], false));
    errors("the archive has other", |file| {
        archive(file, false, &[("other", ArrayD::zeros(vec![1]))], false);
    });
}

#[test]
fn a_truncated_archive_is_an_error_wherever_it_ends() {
    let whole = fs::read(fixtures().join("course/TestReLU.npz")).unwrap();
    for eighth in 0..8 {
        errors("expected a complete .npz archive", |file| {
            fs::write(file, &whole[..whole.len() * eighth / 8]).unwrap();
        });
    }
}

#[test]
fn a_damaged_member_is_an_error() {
    for compressed in [false, true] {
        errors("0input is damaged", |file| {
            archive(file, compressed, &relu(0.0), false);
            let mut bytes = fs::read(file).unwrap();
            // Behind the local header of the first member, within its data.
            bytes[120..150].fill(0x55);
            fs::write(file, bytes).unwrap();
        });
    }
}

#[test]
fn a_missing_array_is_an_error_that_lists_the_others() {
    for missing in ["0input", "0backward"] {
        let without =
            || relu(0.0).into_iter().filter(|(key, _)| *key != missing).collect::<Vec<_>>();
        let outcomes = relu_tests(false, |file| archive(file, false, &without(), false));
        let error = outcomes.iter().find(|outcome| outcome.status == Status::Error).unwrap();
        let expected = format!("expected an array {missing}, but there is none; the entry has 0");
        assert!(error.detail.contains(&expected), "{}", error.detail);
    }
    // A gap in the numbers of the entries.
    errors("expected an array 1input, but there is none; the entry has no array", |file| {
        let mut arrays = relu(0.0);
        arrays.push(("2input", ArrayD::zeros(vec![1, 2, 2])));
        archive(file, false, &arrays, false);
    });
}

#[test]
fn a_wrong_shape_is_an_error() {
    let with = |key: &'static str, shape: &'static [usize]| {
        move |file: &Path| {
            let mut arrays = relu(0.0);
            let (_, array) = arrays.iter_mut().find(|(other, _)| *other == key).unwrap();
            *array = ArrayD::zeros(shape);
            archive(file, false, &arrays, false);
        }
    };
    for shape in [&[2, 2, 2][..], &[0, 2, 2], &[4], &[]] {
        errors("expected 0input to have shape (1, m, ...)", with("0input", shape));
    }
    for (key, test) in [("0output", 0), ("0upstream_grad", 1), ("0backward", 1)] {
        let outcome = &relu_tests(false, with(key, &[2, 3]))[test];
        assert_eq!(outcome.status, Status::Error);
        let expected = format!("expected {key} to have shape [2, 2], but it has [2, 3]");
        assert!(outcome.detail.contains(&expected), "{}", outcome.detail);
    }
}

/// What the tests of a class say of a file with these arrays.
fn outcomes(module: &str, class: &str, arrays: &[(&str, ArrayD<f64>)]) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    archive(&folder.path().join(format!("{class}.npz")), false, arrays, false);
    let group = format!("tests.{module}.{class}.");
    let all = on(folder.path(), true).into_iter();
    all.filter(|(id, _)| id.starts_with(&group)).map(|(_, outcome)| outcome).collect()
}

fn numbers(shape: &[usize], values: &[f64]) -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
}

#[test]
fn the_loss_of_the_course_halves_the_squares_and_averages_over_rows() {
    let arrays = [
        ("0input", numbers(&[2, 2, 1], &[1.0, 2.0, 4.0, 0.0])),
        // (9 + 4) / (2 · 2), (3, -2) / 2.
        ("0output", numbers(&[], &[3.25])),
        ("0backward", numbers(&[2, 1], &[1.5, -1.0])),
    ];
    for outcome in outcomes("test_losses", "TestL2", &arrays) {
        assert!(outcome.passed(), "{outcome:?}");
    }
}

#[test]
fn leading_axes_of_length_one_do_not_matter_as_in_numpy() {
    for (shape, passes) in [(&[][..], true), (&[1], true), (&[1, 1], true), (&[2], false)] {
        let arrays = [
            ("0input", numbers(&[2, 1, 2], &[0.0, 1.0, 0.5, 0.5])),
            ("0output", ArrayD::from_elem(shape, 2.0_f64.ln())),
            ("0backward", numbers(&[2], &[0.0, -2.0])),
        ];
        let [forward, backward] = &outcomes("test_losses", "TestCrossEntropy", &arrays)[..] else {
            panic!("a class has two tests")
        };
        assert_eq!((forward.passed(), backward.passed()), (passes, true), "{shape:?}: {forward:?}");
    }
}

#[test]
fn a_bias_may_be_a_vector() {
    let mut npz = Npz::open(&fixtures().join("course/TestFullyConnected.npz")).unwrap();
    let mut arrays = Vec::new();
    for index in 0..npz.entries().unwrap() {
        for name in ["input", "output", "upstream_grad", "backward", "W", "b"] {
            let array = npz.array(index, name).unwrap();
            let array = if name == "b" { array.index_axis_move(Axis(0), 0) } else { array };
            arrays.push((crate::npz::key(index, name), array));
        }
    }
    let arrays: Vec<_> = arrays.iter().map(|(key, array)| (key.as_str(), array.clone())).collect();
    for outcome in outcomes("test_layers", "TestFullyConnected", &arrays) {
        assert!(outcome.passed(), "{outcome:?}");
    }
}

#[test]
fn another_dtype_is_an_error() {
    errors("expected 0input to be of dtype <f8 or <f4, but it is <i4", |file| {
        let mut npz = NpzWriter::new(fs::File::create(file).unwrap());
        for (key, array) in relu(0.0) {
            npz.add_array(key, &array.mapv(|x| x as i32)).unwrap();
        }
        npz.finish().unwrap();
    });
}

/// The archive with another text for the shape of its first array, as another program may write it.
fn archive_of_shape(file: &Path, shape: &str) {
    let mut npz = ZipWriter::new(fs::File::create(file).unwrap());
    for (key, array) in relu(0.0) {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        let header = String::from_utf8_lossy(&bytes[10..128]).replace("(1, 2, 2)", shape);
        npz.start_file(format!("{key}.npy"), SimpleFileOptions::default()).unwrap();
        npz.write_all(&bytes[..10]).unwrap();
        // The header keeps its length, which ends in spaces and a newline.
        npz.write_all(format!("{:<117}\n", header.trim_end()).as_bytes()).unwrap();
        npz.write_all(&bytes[128..]).unwrap();
    }
    npz.finish().unwrap();
}

#[test]
fn an_archive_of_python_2_is_read() {
    for outcome in relu_tests(true, |file| archive_of_shape(file, "(1L, 2L, 2L)")) {
        assert!(outcome.passed(), "{outcome:?}");
    }
}

#[test]
fn a_header_that_is_none_is_an_error_in_one_line() {
    for outcome in relu_tests(true, |file| archive_of_shape(file, "(1; 2; 2)")) {
        assert!(outcome.detail.contains("0input is damaged"), "{}", outcome.detail);
        assert!(!outcome.detail.contains('\n'), "{}", outcome.detail);
    }
}

#[test]
fn a_compression_that_is_not_read_is_named() {
    const BZIP2: u8 = 12;
    errors("array 0input cannot be read (Compression method not supported)", |file| {
        archive(file, true, &relu(0.0), false);
        let mut bytes = fs::read(file).unwrap();
        // The method stands behind the signature of the file's header, and of its entry in the directory.
        for (signature, offset) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
            let headers = bytes.windows(4).enumerate().filter(|(_, window)| window == signature);
            let at: Vec<_> = headers.map(|(at, _)| at + offset).collect();
            at.into_iter().for_each(|at| bytes[at] = BZIP2);
        }
        fs::write(file, bytes).unwrap();
    });
}

#[test]
fn a_header_that_promises_too_much_is_an_error_not_an_allocation() {
    for (shape, expected) in [
        ("(1, 2, 1000000000000)", "takes 16000000000000 bytes, but there are 32"),
        ("(1, 9000000000000000000, 9)", "impossible shape"),
        ("(1, 2, 1)", "takes 16 bytes, but there are more"),
    ] {
        errors(expected, |file| archive_of_shape(file, shape));
    }
}

#[test]
fn numbers_that_are_not_finite_are_an_error() {
    errors("expected finite numbers in 0input, but [0, 1, 0] is NaN", |file| {
        let mut arrays = relu(0.0);
        arrays[0].1[[0, 1, 0]] = f64::NAN;
        archive(file, false, &arrays, false);
    });
}

fn layer_error(name: &str, arrays: &[(&str, ArrayD<f64>)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    archive(&folder.path().join(format!("Test{name}.npz")), false, arrays, false);
    let id = format!("tests.test_layers.Test{name}.test_forward");
    let (_, outcome) =
        on(folder.path(), false).into_iter().find(|(other, _)| *other == id).unwrap();
    assert_eq!(outcome.status, Status::Error, "{}", outcome.detail);
    outcome.detail
}

#[test]
fn entries_that_fit_no_configuration_are_errors() {
    let entries = |shape: &[usize], count: usize| -> Vec<(String, ArrayD<f64>)> {
        (0..count).map(|i| (format!("{i}input"), ArrayD::zeros(shape))).collect()
    };
    let error = |name, shape: &[usize], count| {
        let entries = entries(shape, count);
        let arrays: Vec<_> = entries.iter().map(|(key, a)| (key.as_str(), a.clone())).collect();
        layer_error(name, &arrays)
    };
    assert!(
        error("Conv2D", &[1, 2, 5, 5, 3], 4).contains("each of 5 configurations, but there are 4")
    );
    assert!(
        error("Conv2D", &[1, 2, 5, 5], 5).contains("expected 0input to have shape (1, m, ...)")
    );
    assert!(error("Pool2D", &[1, 2, 2, 2, 1], 5).contains("entry 0: Pool2D: kernel_shape must be"));
    assert!(error("FullyConnected", &[1, 2, 7], 3).contains("expected an array 0W"));
    assert!(error("Flatten", &[1, 0, 3], 1).contains("expected an array 0output"));
}
