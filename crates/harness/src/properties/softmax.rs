//! Softmax: rows are distributions, and only differences of logits matter.

use activations::Activation;
use ndarray::{Array, ArrayD, Axis, IxDyn, RemoveAxis, arr1, concatenate};

use super::ActivationClaims;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::{ActivationSubject, Check};

type Subject = dyn ActivationSubject<f64>;

/// A row of 6 numbers that are at most 1, each good to a few roundings, and their sum: `6 · 6 u`.
const ROW: f64 = 4e-15;

pub(super) fn checks(claims: &ActivationClaims) -> Vec<Check> {
    vec![
        claims.within(ROW, "rows_are_distributions", rows_are_distributions),
        claims.within(ROW, "a_shift_changes_nothing", a_shift_changes_nothing),
        claims.within(ROW, "huge_logits_are_exact", huge_logits_are_exact),
        claims.within(ROW, "a_logit_of_minus_infinity_is_no_class", impossible_class),
        claims.within(ROW, "classes_are_interchangeable", classes_are_interchangeable),
        claims.within(ROW, "gradients_of_a_row_sum_to_zero", gradients_of_a_row_sum_to_zero),
        claims.within(ROW, "the_jacobian_is_symmetric", the_jacobian_is_symmetric),
        claims.exactly("only_the_last_axis_is_normalised", only_the_last_axis_is_normalised),
        claims.exactly("nan_stays_in_its_row", nan_stays_in_its_row),
    ]
}

/// Rows of up to 6 logits, multiples of 1/64 in `[-8, 8)`, so that adding a whole number is exact.
fn draw(case: &mut Case) -> ArrayD<f64> {
    let shape = case.shape(2, 6);
    case.describe(format!("Z {shape:?}"));
    (case.array(&shape) * 512.0).mapv(f64::floor) / 64.0
}

fn rows_are_distributions(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let y = subject.forward(&draw(case));
    claim(y.iter().all(|p| (0.0..=1.0).contains(p)), || format!("not in 0..=1: {y}"))?;
    let sums = y.sum_axis(Axis(1));
    case.compare("the sum of row", &sums, &ArrayD::ones(sums.raw_dim()))
}

/// `softmax(Z + s) = softmax(Z)`, and the same gradient, for a shift of each row.
fn a_shift_changes_nothing(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let shift = ArrayD::from_shape_simple_fn(IxDyn(&[z.shape()[0], 1]), || {
        case.between(0, 200) as f64 - 100.0
    });
    let shifted = &z + &shift;
    case.compare("Y", &subject.forward(&shifted), &subject.forward(&z))?;
    let dl_dz = subject.backward(&z, &dl_dy)?;
    case.compare("dL/dZ", &subject.backward(&shifted, &dl_dy)?, &dl_dz)
}

/// Logits around ±1e4, whose exponentials overflow or vanish, against the formula for what is left
/// when 1e4 is subtracted; and two logits 2e4 apart.
fn huge_logits_are_exact(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = draw(case);
    let exp = z.mapv(f64::exp);
    let expected = &exp / &exp.sum_axis(Axis(1)).insert_axis(Axis(1));
    for shift in [1e4, -1e4] {
        case.compare(
            &format!("softmax(Z + {shift:e})"),
            &subject.forward(&(&z + shift)),
            &expected,
        )?;
    }
    let far_apart = arr1(&[1e4, -1e4, 0.0, 1e4]).into_dyn();
    same_bits(
        "softmax(1e4, -1e4, 0, 1e4)",
        &subject.forward(&far_apart),
        &arr1(&[0.5, 0.0, 0.0, 0.5]).into_dyn(),
    )?;
    let dl_dz = subject.backward(&far_apart, &arr1(&[4.0, 7.0, 7.0, 0.0]).into_dyn())?;
    case.compare("dL/dZ", &dl_dz, &arr1(&[1.0, 0.0, 0.0, -1.0]).into_dyn())
}

/// A class whose logits are -∞ has probability and gradient 0, and the others are as they were without it.
fn impossible_class(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let class = case.between(0, z.shape()[1]);
    case.describe(format!("a class {class} of -∞"));
    let y = with_class(&subject.forward(&z), class, 0.0)?;
    let dl_dz = with_class(&subject.backward(&z, &dl_dy)?, class, 0.0)?;
    let (z, dl_dy) = (with_class(&z, class, f64::NEG_INFINITY)?, with_class(&dl_dy, class, 1.0)?);
    case.compare("Y", &subject.forward(&z), &y)?;
    case.compare("dL/dZ", &subject.backward(&z, &dl_dy)?, &dl_dz)
}

/// The rows with one more class at this index, of this value.
pub(super) fn with_class<D: RemoveAxis>(
    rows: &Array<f64, D>,
    class: usize,
    value: f64,
) -> Result<Array<f64, D>, Failure> {
    let (left, right) = rows.view().split_at(Axis(1), class);
    let column = rows.slice_axis(Axis(1), (..1).into()).mapv(|_| value);
    Ok(concatenate(Axis(1), &[left, column.view(), right])?)
}

fn classes_are_interchangeable(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let order = case.permutation(z.shape()[1]);
    let permuted = |array: &ArrayD<f64>| array.select(Axis(1), &order);
    case.compare("Y", &subject.forward(&permuted(&z)), &permuted(&subject.forward(&z)))?;
    let expected = permuted(&subject.backward(&z, &dl_dy)?);
    case.compare("dL/dZ", &subject.backward(&permuted(&z), &permuted(&dl_dy))?, &expected)
}

/// A shift of a row's logits changes nothing, so the slopes along it sum to 0.
fn gradients_of_a_row_sum_to_zero(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let z = draw(case);
    let sums = subject.backward(&z, &case.array(z.shape()))?.sum_axis(Axis(1));
    case.compare("the sum of dL/dZ of row", &sums, &ArrayD::zeros(sums.raw_dim()))
}

/// `∂σᵢ/∂zⱼ = ∂σⱼ/∂zᵢ`: `⟨J u, v⟩ = ⟨u, J v⟩`.
fn the_jacobian_is_symmetric(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let k = case.between(2, 6);
    case.describe(format!("a row of {k}"));
    let z = case.array(&[1, k]) * 4.0;
    let (u, v) = (case.array(&[1, k]), case.array(&[1, k]));
    let (ju, jv) = (subject.backward(&z, &u)?, subject.backward(&z, &v)?);
    case.compare_numbers("⟨J u, v⟩", (ju * v).sum(), (u * jv).sum());
    Ok(())
}

/// An array of several axes is a stack of rows.
fn only_the_last_axis_is_normalised(
    _: Activation,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let shape = case.shape(4, 4);
    case.describe(format!("Z {shape:?}"));
    let (z, dl_dy) = (case.array(&shape), case.array(&shape));
    let k = shape[3];
    let rows = |array: &ArrayD<f64>| array.to_shape((array.len() / k, k)).map(|a| a.to_owned());
    let (z_rows, dl_dy_rows) = (rows(&z)?.into_dyn(), rows(&dl_dy)?.into_dyn());
    let y = rows(&subject.forward(&z))?.into_dyn();
    same_bits("Y", &y, &subject.forward(&z_rows))?;
    let dl_dz = rows(&subject.backward(&z, &dl_dy)?)?.into_dyn();
    same_bits("dL/dZ", &dl_dz, &subject.backward(&z_rows, &dl_dy_rows)?)
}

fn nan_stays_in_its_row(_: Activation, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (m, k) = (case.between(2, 6), case.between(1, 6));
    let (row, class) = (case.between(0, m - 1), case.between(0, k - 1));
    case.describe(format!("Z [{m}, {k}], NaN at [{row}, {class}]"));
    let clean = case.array(&[m, k]);
    let mut z = clean.clone();
    z[[row, class]] = f64::NAN;
    let (y, expected) = (subject.forward(&z), subject.forward(&clean));
    for i in 0..m {
        let (y, expected) = (y.index_axis(Axis(0), i), expected.index_axis(Axis(0), i));
        if i == row {
            claim(y.iter().all(|p| p.is_nan()), || format!("the row with NaN became {y}"))?;
        } else {
            same_bits(&format!("row {i} of Y "), &y, &expected)?;
        }
    }
    Ok(())
}
