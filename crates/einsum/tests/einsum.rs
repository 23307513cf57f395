//! The rules of einsum notation as the book states them, each shown by what `ndarray_einsum` does; the
//! program as a user sees it.

use std::process::Command;

use einsum::{by_einsum, by_einsum::contract};
use ndarray::{Array1, Array2, Array3, ArrayD, array};
use ndarray_einsum::ArrayLike;
use system::for_tests::{ran, survives_without_output};

type Operands<'a> = &'a [&'a dyn ArrayLike<f64>];

#[test]
fn letters_say_what_is_multiplied_and_summed() {
    let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];
    let b = array![10.0, 100.0, 1000.0];
    let scaled = array![[10.0, 200.0, 3000.0], [40.0, 500.0, 6000.0], [70.0, 800.0, 9000.0]];
    let (transposed, product) = (a.t().to_owned().into_dyn(), array![3210.0, 6540.0, 9870.0]);
    let scalar = |x| ArrayD::from_elem(vec![], x);
    let table: [(&str, &str, Operands<'_>, ArrayD<f64>); 11] = [
        ("one operand is enough", "ij->ji", &[&a], transposed.clone()),
        ("a repeated letter: the diagonal", "ii->i", &[&a], array![1.0, 5.0, 9.0].into_dyn()),
        ("its sum", "ii->", &[&a], scalar(15.0)),
        ("a shared letter that the output has", "ij,j->ij", &[&a, &b], scaled.into_dyn()),
        ("a shared letter that it lacks", "ij,j->i", &[&a, &b], product.clone().into_dyn()),
        ("a missing letter: the sum", "ij->j", &[&a], array![12.0, 15.0, 18.0].into_dyn()),
        ("over the other axis", "ij->i", &[&a], array![6.0, 15.0, 24.0].into_dyn()),
        ("over both", "ij->", &[&a], scalar(45.0)),
        // Without an arrow, the letters that occur once are the output, in alphabetical order.
        ("no arrow", "ij,j", &[&a, &b], product.into_dyn()),
        ("no arrow, a repeated letter", "ii", &[&a], scalar(15.0)),
        ("no arrow, letters in another order", "ji", &[&a], transposed),
    ];
    for (rule, subscripts, operands, expected) in table {
        assert_eq!(contract(subscripts, operands), Ok(expected), "{rule}");
    }
    let x = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f64);
    let y = contract("ijk->kij", &[&x]).unwrap();
    assert_eq!((y.shape(), y[[3, 1, 2]]), (&[4, 2, 3][..], x[[1, 2, 3]]));
}

#[test]
fn strings_outside_the_notation_are_refused() {
    const INVALID: &str = "Invalid string";
    const SIZE: &str = "repeated index with different size";
    const AXES: &str =
        "number of indices in one or more operands does not match dimensions of operand";
    const OPERANDS: &str =
        "number of operands in contraction does not match number of operands supplied";
    let (a, b, x) = (Array2::ones((3, 3)), Array1::ones(3), Array3::ones((3, 3, 3)));
    let (number, oblong, one) = (ArrayD::ones(vec![]), Array2::ones((2, 3)), Array1::ones(1));
    let empty = Array2::ones((0, 0));
    let table: [(&str, Operands<'_>, &str); 15] = [
        ("ij->k", &[&a], "Requested output contains an index not found in inputs"),
        ("i->ii", &[&b], "Requested output has duplicate index"),
        ("i:j,k->ik", &[&a, &b], INVALID),
        ("IJ->JI", &[&a], INVALID),
        ("i...->i", &[&x], INVALID),
        ("i...->i...", &[&x], INVALID),
        ("ij, j -> i", &[&a, &b], INVALID),
        ("->", &[&number], INVALID),
        ("ij,->ij", &[&a, &number], INVALID),
        ("", &[], INVALID),
        ("ii->", &[&oblong], SIZE),
        // NumPy would stretch an axis of length 1; here it is a length like any other.
        ("ij,j->i", &[&a, &one], SIZE),
        ("ij,j->i", &[&a], OPERANDS),
        ("ij->i", &[&b], AXES),
        ("ii->", &[&empty], "expected operands with at least one element"),
    ];
    for (subscripts, operands, reason) in table {
        assert_eq!(contract(subscripts, operands).unwrap_err().reason, reason, "{subscripts:?}");
    }
    let error = by_einsum::matrix_vector(oblong.view(), one.view()).unwrap_err();
    let expected = "einsum \"ij,j->i\" cannot be applied to operands of shapes [[2, 3], [1]]: \
                    repeated index with different size";
    assert_eq!(error.to_string(), expected);
}

fn run(arguments: &[&str], code: i32) -> [String; 2] {
    ran(Command::new(env!("CARGO_BIN_EXE_einsum")).args(arguments), code)
}

#[test]
fn a_seed_prints_the_same_each_time_and_norms_on_integers_are_zero() {
    for seed in ["0", "189", "18446744073709551615"] {
        let [text, _] = run(&["--seed", seed], 0);
        assert_eq!(text.matches("   norm of the difference: 0\n").count(), 3, "seed {seed}");
        for subscripts in ["\"ii->\"\n", "\"ij,j->i\"\n", "\"i,j->ij\"\n"] {
            assert!(text.contains(subscripts), "{subscripts}");
        }
        assert_eq!(text == run(&[], 0)[0], seed == "189");
    }
}

#[test]
fn a_seed_that_is_no_number_is_a_usage_error() {
    let [text, error] = run(&["--seed", "many"], 2);
    assert!(text.is_empty() && error.contains("many") && error.contains("--seed"), "{error}");
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    survives_without_output(|| Command::new(env!("CARGO_BIN_EXE_einsum")), &[]);
}
