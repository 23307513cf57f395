//! What every activation promises.

use activations::{Activation, ActivationError};
use ndarray::{ArrayD, Axis, IxDyn};

use super::ActivationClaims;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::{ActivationSubject, Check};

type Subject = dyn ActivationSubject<f64>;

pub(super) fn checks(claims: &ActivationClaims) -> Vec<Check> {
    vec![
        claims.exactly("shapes_are_kept", shapes_are_kept),
        claims.exactly("another_shape_is_refused", another_shape_is_refused),
        claims.exactly("nan_in_nan_out", nan_in_nan_out),
        claims.exactly("huge_inputs_give_finite_results", huge_inputs_give_finite_results),
        claims.exactly("every_call_gives_the_same_bits", every_call_gives_the_same_bits),
        claims.exactly("examples_do_not_mix", examples_do_not_mix),
        claims.exactly("memory_order_does_not_matter", memory_order_does_not_matter),
        // Three roundings of numbers below 8, a sum of six of them for softmax.
        claims.within(1e-14, "backward_is_linear_in_dl_dy", backward_is_linear_in_dl_dy),
    ]
}

/// Z of any number of axes, from `[-4, 4)`.
fn draw(case: &mut Case) -> ArrayD<f64> {
    let axes = case.between(1, 4);
    let shape = case.shape(axes, 6);
    case.describe(format!("Z {shape:?}"));
    case.array(&shape) * 4.0
}

fn shapes_are_kept(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let axes = case.between(1, 4);
    // An axis may be empty.
    let shape: Vec<usize> = (0..axes).map(|_| case.between(0, 4)).collect();
    case.describe(format!("Z {shape:?}"));
    let z = case.array(&shape);
    let (y, dl_dz) = (subject.forward(&z), subject.backward(&z, &z)?);
    claim(y.shape() == shape, || format!("Y has shape {:?}", y.shape()))?;
    claim(dl_dz.shape() == shape, || format!("dL/dZ has shape {:?}", dl_dz.shape()))
}

fn another_shape_is_refused(
    activation: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let z = draw(case);
    let expected = z.shape().to_vec();
    let mut longer = expected.clone();
    longer[0] += 1;
    let with_another_axis = [&*expected, &[1]].concat();
    for got in [longer, with_another_axis] {
        let result = subject.backward(&z, &ArrayD::zeros(IxDyn(&got)));
        let error = ActivationError::Shape { activation, expected: expected.clone(), got };
        claim(result.as_ref() == Err(&error), || format!("expected {error:?}, got {result:?}"))?;
    }
    Ok(())
}

fn nan_in_nan_out(
    activation: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let at: Vec<usize> = z.shape().iter().map(|&n| case.between(0, n - 1)).collect();
    let with_nan = |array: &ArrayD<f64>| {
        let mut array = array.clone();
        array[&*at] = f64::NAN;
        array
    };
    let y = subject.forward(&with_nan(&z))[&*at];
    claim(y.is_nan(), || format!("Z{at:?} is NaN, but Y there is {y}"))?;
    // The linear derivative is 1 wherever it is taken.
    if activation != Activation::Linear {
        let dl_dz = subject.backward(&with_nan(&z), &dl_dy)?[&*at];
        claim(dl_dz.is_nan(), || format!("Z{at:?} is NaN, but dL/dZ there is {dl_dz}"))?;
    }
    let dl_dz = subject.backward(&z, &with_nan(&dl_dy))?[&*at];
    claim(dl_dz.is_nan(), || format!("dL/dY{at:?} is NaN, but dL/dZ there is {dl_dz}"))
}

fn huge_inputs_give_finite_results(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    const HUGE: [f64; 8] = [1e4, -1e4, 709.0, -709.0, 1e150, -1e150, 0.0, -0.0];
    let mut z = draw(case);
    z.mapv_inplace(|_| HUGE[case.between(0, HUGE.len() - 1)]);
    let (y, dl_dz) = (subject.forward(&z), subject.backward(&z, &ArrayD::ones(z.raw_dim()))?);
    for (quantity, array) in [("Y", y), ("dL/dZ", dl_dz)] {
        for (z, value) in z.iter().zip(&array) {
            claim(value.is_finite(), || format!("{quantity} is {value} where Z is {z:e}"))?;
        }
    }
    Ok(())
}

fn every_call_gives_the_same_bits(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let (y, dl_dz) = (subject.forward(&z), subject.backward(&z, &dl_dy)?);
    same_bits("Y of a second call", &subject.forward(&z), &y)?;
    same_bits("dL/dZ of a second call", &subject.backward(&z, &dl_dy)?, &dl_dz)?;
    same_bits("Y after backward", &subject.forward(&z), &y)
}

fn examples_do_not_mix(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let axes = case.between(2, 4);
    let shape = case.shape(axes, 6);
    let order = case.permutation(shape[0]);
    case.describe(format!("Z {shape:?}, examples in the order {order:?}"));
    let z = case.array(&shape) * 4.0;
    let dl_dy = case.array(&shape);
    let permuted = |array: &ArrayD<f64>| array.select(Axis(0), &order);
    let y = subject.forward(&z);
    same_bits("Y", &subject.forward(&permuted(&z)), &permuted(&y))?;
    let dl_dz = subject.backward(&z, &dl_dy)?;
    let got = subject.backward(&permuted(&z), &permuted(&dl_dy))?;
    same_bits("dL/dZ", &got, &permuted(&dl_dz))
}

fn memory_order_does_not_matter(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    // Transposed views keep their memory: column-major.
    let z = draw(case).reversed_axes();
    let dl_dy = draw_like(&z, case);
    let (row_major_z, row_major_dl_dy) =
        (z.as_standard_layout().to_owned(), dl_dy.as_standard_layout().to_owned());
    same_bits("Y", &subject.forward(&z), &subject.forward(&row_major_z))?;
    let expected = subject.backward(&row_major_z, &row_major_dl_dy)?;
    same_bits("dL/dZ", &subject.backward(&z, &dl_dy)?, &expected)
}

fn draw_like(z: &ArrayD<f64>, case: &mut Case) -> ArrayD<f64> {
    let reversed: Vec<usize> = z.shape().iter().rev().copied().collect();
    case.array(&reversed).reversed_axes()
}

/// `backward(Z, a U + b V) = a backward(Z, U) + b backward(Z, V)`.
fn backward_is_linear_in_dl_dy(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let z = draw(case);
    let (u, v) = (case.array(z.shape()), case.array(z.shape()));
    let (a, b) = (3.0 * case.rng.uniform(), -3.0 * case.rng.uniform());
    let combined = subject.backward(&z, &(a * &u + b * &v))?;
    let expected = a * subject.backward(&z, &u)? + b * subject.backward(&z, &v)?;
    case.compare("dL/dZ", &combined, &expected)
}
