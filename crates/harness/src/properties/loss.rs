//! What every loss promises: a mean over examples, of rows that do not mix.

use losses::{Loss, LossError};
use ndarray::{Array2, Axis, concatenate};

use super::LossClaims;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::{Check, LossSubject};

type Subject = dyn LossSubject<f64>;

/// A loss is at most 27, half of 6 squares of at most 9. As a sum of at most 72 terms, each with a few
/// roundings of its own, it is off by at most `76 · 27 u`, as is the one that it is compared with:
/// `2 · 76 · 27 u = 4.6e-13`. A gradient is at most 101 and takes a few roundings.
const MEAN: f64 = 5e-13;

pub(super) fn checks(claims: &LossClaims) -> Vec<Check> {
    vec![
        claims.within(MEAN, "doubling_the_batch_halves_each_gradient", doubling_the_batch),
        claims.within(MEAN, "the_order_of_examples_does_not_matter", order_of_examples),
        claims.within(MEAN, "classes_are_interchangeable", classes_are_interchangeable),
        claims.within(MEAN, "a_batch_is_the_mean_of_its_examples", mean_of_examples),
        claims.exactly("the_target_is_the_best_output", the_target_is_the_best_output),
        claims.exactly("every_call_gives_the_same_bits", every_call_gives_the_same_bits),
        claims.exactly("nan_is_passed_on", nan_is_passed_on),
        claims.exactly("shapes_must_agree", shapes_must_agree),
        claims.exactly("an_empty_batch_is_refused", an_empty_batch_is_refused),
    ]
}

/// A target and an output as the loss wants them: numbers from `[-1.5, 1.5)` or distributions made of
/// them.
pub(super) fn draw(loss: Loss, case: &mut Case) -> (Array2<f64>, Array2<f64>) {
    let shape = (case.between(1, 6), case.between(1, 6));
    case.describe(format!("Y and Ŷ {shape:?}"));
    let numbers = |case: &mut Case| -> Array2<f64> { case.rng.uniform_array(shape, -1.5, 1.5) };
    let distributions = |case: &mut Case| {
        let exp = numbers(case).mapv(f64::exp);
        let sums = exp.sum_axis(Axis(1)).insert_axis(Axis(1));
        exp / sums
    };
    match loss {
        Loss::CrossEntropy => (distributions(case), distributions(case)),
        Loss::L2 => (numbers(case), numbers(case)),
        Loss::SoftmaxCrossEntropy => (distributions(case), numbers(case)),
    }
}

fn doubling_the_batch(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let twice = |array: &Array2<f64>| concatenate![Axis(0), *array, *array];
    let (target_twice, output_twice) = (twice(&target), twice(&output));
    let once = subject.forward(&target, &output)?;
    case.compare_numbers("L", subject.forward(&target_twice, &output_twice)?, once);
    let expected = twice(&subject.backward(&target, &output)?) / 2.0;
    case.compare("dL/dŶ", &subject.backward(&target_twice, &output_twice)?, &expected)
}

fn order_of_examples(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    permuted(Axis(0), loss, subject, case)
}

fn classes_are_interchangeable(
    loss: Loss,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    permuted(Axis(1), loss, subject, case)
}

fn permuted(axis: Axis, loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let order = case.permutation(target.len_of(axis));
    let permuted = |array: &Array2<f64>| array.select(axis, &order);
    let (target_permuted, output_permuted) = (permuted(&target), permuted(&output));
    let expected = subject.forward(&target, &output)?;
    case.compare_numbers("L", subject.forward(&target_permuted, &output_permuted)?, expected);
    let expected = permuted(&subject.backward(&target, &output)?);
    case.compare("dL/dŶ", &subject.backward(&target_permuted, &output_permuted)?, &expected)
}

/// `L = 1/m Σᵢ L(example i)`, and the gradient of each example alone is m times its row.
fn mean_of_examples(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let m = target.nrows();
    let gradient = subject.backward(&target, &output)?;
    let mut sum = 0.0;
    for i in 0..m {
        let row = |array: &Array2<f64>| array.select(Axis(0), &[i]);
        sum += subject.forward(&row(&target), &row(&output))?;
        let alone = subject.backward(&row(&target), &row(&output))? / m as f64;
        case.compare(&format!("dL/dŶ of example {i} "), &row(&gradient), &alone)?;
    }
    case.compare_numbers("L", subject.forward(&target, &output)?, sum / m as f64);
    Ok(())
}

/// Among all outputs the target itself has the smallest loss (Gibbs' inequality), which for squares
/// is 0.
fn the_target_is_the_best_output(
    loss: Loss,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let perfect = match loss {
        Loss::CrossEntropy | Loss::L2 => target.clone(),
        Loss::SoftmaxCrossEntropy => target.mapv(f64::ln),
    };
    let (best, other) = (subject.forward(&target, &perfect)?, subject.forward(&target, &output)?);
    // For a single class every output is perfect, up to rounding.
    claim(best >= 0.0 && best <= other + MEAN, || format!("L(Y, Y) = {best}, L(Y, Ŷ) = {other}"))?;
    claim(loss != Loss::L2 || best == 0.0, || format!("L(Y, Y) = {best}"))
}

fn every_call_gives_the_same_bits(
    loss: Loss,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let (value, gradient) =
        (subject.forward(&target, &output)?, subject.backward(&target, &output)?);
    let again = subject.forward(&target, &output)?;
    claim(again.to_bits() == value.to_bits(), || format!("L is {value:e}, then {again:e}"))?;
    same_bits("dL/dŶ of a second call", &subject.backward(&target, &output)?, &gradient)
}

fn nan_is_passed_on(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, mut output) = draw(loss, case);
    let at = (case.between(0, target.nrows() - 1), case.between(0, target.ncols() - 1));
    output[at] = f64::NAN;
    let (value, gradient) =
        (subject.forward(&target, &output)?, subject.backward(&target, &output)?[at]);
    claim(value.is_nan(), || format!("Ŷ{at:?} is NaN, but L is {value}"))?;
    claim(gradient.is_nan(), || format!("Ŷ{at:?} is NaN, but dL/dŶ there is {gradient}"))
}

fn shapes_must_agree(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let (m, k) = target.dim();
    for shape in [(m + 1, k), (m, k + 1)] {
        let output: Array2<f64> = Array2::from_elem(shape, output[[0, 0]]);
        let expected =
            LossError::Shape { loss, target: vec![m, k], output: output.shape().to_vec() };
        refused(&expected, subject, &target, &output)?;
    }
    Ok(())
}

fn an_empty_batch_is_refused(
    loss: Loss,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    for shape in [(0, case.between(1, 4)), (case.between(1, 4), 0), (0, 0)] {
        let empty = Array2::zeros(shape);
        let expected = LossError::Empty { loss, got: vec![shape.0, shape.1] };
        refused(&expected, subject, &empty, &empty)?;
    }
    Ok(())
}

/// Claims that both directions give this error.
pub(super) fn refused(
    expected: &LossError,
    subject: &Subject,
    target: &Array2<f64>,
    output: &Array2<f64>,
) -> Result<(), Failure> {
    let forward = subject.forward(target, output).err();
    claim(forward.as_ref() == Some(expected), || {
        format!("expected forward to say \"{expected}\", but it gave {forward:?}")
    })?;
    let backward = subject.backward(target, output).err();
    claim(backward.as_ref() == Some(expected), || {
        format!("expected backward to say \"{expected}\", but it gave {backward:?}")
    })
}
