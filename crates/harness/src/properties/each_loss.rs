//! What distinguishes the losses: zero probabilities, huge logits, which targets are accepted.

use losses::{Loss, LossError};
use ndarray::{Array2, Axis, array};

use super::LossClaims;
use super::loss::{draw, refused};
use super::softmax::with_class;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::{Check, LossSubject};

type Subject = dyn LossSubject<f64>;

/// A few roundings of numbers of magnitude at most 8.
const FEW_ROUNDINGS: f64 = 1e-14;

pub(super) fn checks(claims: &LossClaims) -> Vec<Check> {
    match claims.what {
        Loss::CrossEntropy => vec![
            claims.exactly("a_target_is_a_distribution", a_target_is_a_distribution),
            claims.within(1e-15, "a_probability_of_zero_stays_finite", zero_probability),
        ],
        Loss::SoftmaxCrossEntropy => vec![
            claims.exactly("a_target_is_a_distribution", a_target_is_a_distribution),
            claims.exactly("huge_logits_are_exact", huge_logits_are_exact),
            claims.within(
                FEW_ROUNDINGS,
                "an_impossible_class_costs_nothing",
                an_impossible_class_costs_nothing,
            ),
            claims.within(FEW_ROUNDINGS, "a_shift_changes_nothing", a_shift_changes_nothing),
            claims.within(FEW_ROUNDINGS, "gradients_of_a_row_sum_to_zero", rows_sum_to_zero),
        ],
        Loss::L2 => vec![
            claims.exactly("any_number_is_a_target", any_number_is_a_target),
            claims.exactly("target_and_output_are_interchangeable", interchangeable),
        ],
    }
}

/// A row that is negative somewhere, does not sum to 1 or is not finite is refused and named.
fn a_target_is_a_distribution(
    loss: Loss,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut target, output) = draw(loss, case);
    let (row, bad) = (case.between(0, target.nrows() - 1), case.between(0, 4));
    let mut values = target.row_mut(row);
    match bad {
        0 => values.fill(1.0 + 1.0 / 64.0),
        1 => values[0] = f64::NAN,
        2 => values[0] = f64::INFINITY,
        3 => values.fill(0.0),
        _ => values[0] = -0.5,
    }
    case.describe(format!("row {row} of Y is {}", target.row(row)));
    let got = target.row(row).to_string();
    refused(&LossError::NotADistribution { loss, row, got }, subject, &target, &output)
}

/// With the smallest positive normal number t for a probability of 0, or of anything below t: the loss
/// is `-ln t`, the gradient `-Y / (m t)`, and 0 where the target is 0. Measured relative to t.
fn zero_probability(_: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let t = f64::MIN_POSITIVE;
    let m = case.between(1, 8);
    let impossible = [0.0, f64::from_bits(1), t / 2.0][case.between(0, 2)];
    case.describe(format!("{m} times Y = (1, 0), Ŷ = ({impossible:e}, 0)"));
    let target = Array2::from_shape_fn((m, 2), |(_, class)| if class == 0 { 1.0 } else { 0.0 });
    let output =
        Array2::from_shape_fn((m, 2), |(_, class)| if class == 0 { impossible } else { 0.0 });
    let loss = subject.forward(&target, &output)?;
    case.compare_numbers("L / -ln t", loss / -t.ln(), 1.0);
    let gradient = subject.backward(&target, &output)?;
    claim(gradient.iter().all(|g| g.is_finite()), || format!("dL/dŶ is {gradient}"))?;
    case.compare("m t dL/dŶ", &(gradient * t * m as f64), &-target)
}

/// A logit that is certainly wrong costs its distance.
fn huge_logits_are_exact(_: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let distance = case.between(1_000, 20_000) as f64;
    case.describe(format!("logits {distance} apart"));
    let (target, logits) = (array![[1.0, 0.0]], array![[-distance / 2.0, distance / 2.0]]);
    let loss = subject.forward(&target, &logits)?;
    claim(loss == distance, || format!("L: expected {distance}, got {loss}"))?;
    let gradient = subject.backward(&target, &logits)?;
    case.compare("dL/dZ", &gradient, &array![[-1.0, 1.0]])
}

/// A class of target 0 whose logits are -∞ has gradient 0, and changes nothing else.
fn an_impossible_class_costs_nothing(
    loss: Loss,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (target, logits) = draw(loss, case);
    let class = case.between(0, target.ncols());
    let expected = subject.forward(&target, &logits)?;
    let gradient = with_class(&subject.backward(&target, &logits)?, class, 0.0)?;
    let target = with_class(&target, class, 0.0)?;
    let logits = with_class(&logits, class, f64::NEG_INFINITY)?;
    case.compare_numbers("L", subject.forward(&target, &logits)?, expected);
    case.compare("dL/dZ", &subject.backward(&target, &logits)?, &gradient)
}

fn a_shift_changes_nothing(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, logits) = draw(loss, case);
    // Multiples of 1/64, to which a whole number is added without rounding.
    let logits = (logits * 64.0).mapv(f64::floor) / 64.0;
    let shifted = &logits + (case.between(0, 20_000) as f64 - 10_000.0);
    let expected = subject.forward(&target, &logits)?;
    case.compare_numbers("L", subject.forward(&target, &shifted)?, expected);
    let expected = subject.backward(&target, &logits)?;
    case.compare("dL/dZ", &subject.backward(&target, &shifted)?, &expected)
}

fn rows_sum_to_zero(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, logits) = draw(loss, case);
    let sums = subject.backward(&target, &logits)?.sum_axis(Axis(1));
    case.compare("the sum of dL/dZ of row", &sums, &ndarray::Array1::zeros(sums.len()))
}

/// A regression target need be no distribution.
fn any_number_is_a_target(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let value = subject.forward(&(target * 1e6), &output)?;
    claim(value.is_finite(), || format!("L is {value}"))
}

/// `L(Y, Ŷ) = L(Ŷ, Y)`, with gradients of opposite sign.
fn interchangeable(loss: Loss, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (target, output) = draw(loss, case);
    let expected = subject.forward(&target, &output)?;
    case.compare_numbers("L", subject.forward(&output, &target)?, expected);
    let expected = -subject.backward(&target, &output)?;
    case.compare("dL/dŶ", &subject.backward(&output, &target)?, &expected)?;
    same_bits(
        "dL/dŶ at the target",
        &subject.backward(&target, &target)?,
        &Array2::zeros(target.dim()),
    )
}
