//! The rules of einsum notation as the book states them, each shown by what `ndarray_einsum` does.

use einsum::EinsumError;
use einsum::by_einsum::contract;
use ndarray::{Array1, Array2, Array3, ArrayD, Axis, array};
use ndarray_einsum::ArrayLike;

fn matrix() -> Array2<f64> {
    array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
}

fn reason(subscripts: &str, operands: &[&dyn ArrayLike<f64>]) -> &'static str {
    match contract(subscripts, operands) {
        Err(EinsumError::Refused { reason, .. }) => reason,
        other => panic!("{subscripts:?} was not refused: {other:?}"),
    }
}

fn scalar(x: f64) -> ArrayD<f64> {
    ArrayD::from_elem(vec![], x)
}

#[test]
fn one_operand_is_enough() {
    assert_eq!(contract("ij->ji", &[&matrix()]), Ok(matrix().t().to_owned().into_dyn()));
}

#[test]
fn a_letter_repeated_in_one_operand_walks_along_the_diagonal() {
    assert_eq!(contract("ii->i", &[&matrix()]), Ok(array![1.0, 5.0, 9.0].into_dyn()));
    assert_eq!(contract("ii->", &[&matrix()]), Ok(scalar(15.0)));
}

#[test]
fn a_letter_shared_by_two_operands_multiplies_and_is_kept_if_the_output_has_it() {
    let b = array![10.0, 100.0, 1000.0];
    let scaled_columns =
        array![[10.0, 200.0, 3000.0], [40.0, 500.0, 6000.0], [70.0, 800.0, 9000.0]];
    assert_eq!(contract("ij,j->ij", &[&matrix(), &b]), Ok(scaled_columns.into_dyn()));
    assert_eq!(
        contract("ij,j->i", &[&matrix(), &b]),
        Ok(array![3210.0, 6540.0, 9870.0].into_dyn())
    );
}

#[test]
fn a_letter_missing_in_the_output_is_summed() {
    assert_eq!(contract("ij->j", &[&matrix()]), Ok(matrix().sum_axis(Axis(0)).into_dyn()));
    assert_eq!(contract("ij->i", &[&matrix()]), Ok(matrix().sum_axis(Axis(1)).into_dyn()));
    assert_eq!(contract("ij->", &[&matrix()]), Ok(scalar(45.0)));
}

#[test]
fn the_order_of_letters_in_the_output_is_the_order_of_its_axes() {
    let x = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f64);
    let y = contract("ijk->kij", &[&x]).unwrap();
    assert_eq!(y.shape(), [4, 2, 3]);
    assert_eq!(y[[3, 1, 2]], x[[1, 2, 3]]);
}

#[test]
fn without_an_arrow_the_letters_that_occur_once_are_the_output_in_alphabetical_order() {
    let b = array![1.0, 1.0, 1.0];
    for (implicit, explicit) in [("ij,j", "ij,j->i"), ("ii", "ii->"), ("ji", "ji->ij")] {
        let operands: [&dyn ArrayLike<f64>; 2] = [&matrix(), &b];
        let operands = &operands[..=implicit.matches(',').count()];
        assert_eq!(contract(implicit, operands), contract(explicit, operands), "{implicit}");
    }
}

#[test]
fn a_letter_only_in_the_output_is_an_error() {
    let reason = reason("ij->k", &[&matrix()]);
    assert_eq!(reason, "Requested output contains an index not found in inputs");
}

#[test]
fn a_letter_twice_in_the_output_is_an_error() {
    let reason = reason("i->ii", &[&array![1.0, 2.0]]);
    assert_eq!(reason, "Requested output has duplicate index");
}

#[test]
fn colons_capitals_ellipses_spaces_and_empty_operands_do_not_parse() {
    let x = Array3::<f64>::ones((3, 3, 3));
    let b = Array1::<f64>::ones(3);
    let number = scalar(3.0);
    assert_eq!(reason("i:j,k->ik", &[&matrix(), &b]), "Invalid string");
    assert_eq!(reason("IJ->JI", &[&matrix()]), "Invalid string");
    assert_eq!(reason("i...->i", &[&x]), "Invalid string");
    assert_eq!(reason("i...->i...", &[&x]), "Invalid string");
    assert_eq!(reason("ij, j -> i", &[&matrix(), &b]), "Invalid string");
    assert_eq!(reason("->", &[&number]), "Invalid string");
    assert_eq!(reason("ij,->ij", &[&matrix(), &number]), "Invalid string");
    assert_eq!(reason("", &[]), "Invalid string");
}

#[test]
fn one_letter_has_one_length() {
    let reason_of_trace = reason("ii->", &[&Array2::<f64>::ones((2, 3))]);
    assert_eq!(reason_of_trace, "repeated index with different size");
    // NumPy would stretch an axis of length 1; here it is a length like any other.
    let one = Array1::<f64>::ones(1);
    assert_eq!(reason("ij,j->i", &[&matrix(), &one]), "repeated index with different size");
}

#[test]
fn every_operand_has_its_letters_and_every_axis_its_letter() {
    assert_eq!(
        reason("ij,j->i", &[&matrix()]),
        "number of operands in contraction does not match number of operands supplied"
    );
    assert_eq!(
        reason("ij->i", &[&Array1::<f64>::ones(3)]),
        "number of indices in one or more operands does not match dimensions of operand"
    );
}

#[test]
fn the_message_names_the_string_and_the_shapes() {
    let error = contract("ij->k", &[&matrix()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "einsum \"ij->k\" cannot be applied to operands of shapes [[3, 3]]: \
         Requested output contains an index not found in inputs"
    );
    let error = contract("ii->", &[&Array2::<f64>::ones((0, 0))]).unwrap_err();
    let expected = "einsum: expected operands with at least one element, but got shapes [[0, 0]]";
    assert_eq!(error.to_string(), expected);
}
