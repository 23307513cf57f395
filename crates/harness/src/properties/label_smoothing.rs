//! Claims about label smoothing.

use std::sync::Arc;

use losses::{Loss, LossError};
use ndarray::{Array2, Axis};

use super::CASES;
use crate::cases::{Case, Cases, Failure, claim, same_bits};
use crate::{Check, Kind, SmoothingSubject, Subject};

/// The rounding of a row's sum.
const SUM: f64 = 1e-14;

type One = fn(&dyn SmoothingSubject<f64>, &mut Case) -> Result<(), Failure>;

pub(super) fn checks(
    subject: &Subject<f64>,
    implementation: &Arc<dyn SmoothingSubject<f64>>,
) -> Vec<Check> {
    let check = |name, bound, one: One| {
        let implementation = Arc::clone(implementation);
        let group = format!("properties.{}", subject.name());
        let cases = Cases { count: CASES, bound };
        cases.check(subject.question(), Kind::Property, group, name, move |case| {
            one(implementation.as_ref(), case)
        })
    };
    vec![
        check("a_smoothed_target_is_a_distribution", SUM, is_a_distribution),
        check("no_share_changes_nothing", 0.0, no_share),
        check("the_order_of_classes_is_kept", 0.0, order_is_kept),
        check("a_share_outside_is_refused", 0.0, share_is_checked),
        check("a_target_that_is_no_distribution_is_refused", 0.0, target_is_checked),
    ]
}

fn draw(case: &mut Case) -> Array2<f64> {
    let shape = (case.between(1, 5), case.between(1, 6));
    case.describe(format!("one-hot Y {shape:?}"));
    let mut target = Array2::zeros(shape);
    for mut row in target.rows_mut() {
        row[case.between(0, shape.1 - 1)] = 1.0;
    }
    target
}

/// Its rows sum to 1, every number is at least ε/k up to rounding, and a loss takes it.
fn is_a_distribution(
    smoothing: &dyn SmoothingSubject<f64>,
    case: &mut Case,
) -> Result<(), Failure> {
    let (target, eps) = (draw(case), 0.99 * case.rng.uniform());
    let smoothed = smoothing.smooth(&target, eps)?;
    let least = eps / target.ncols() as f64 * (1.0 - SUM);
    claim(smoothed.iter().all(|&y| y >= least), || format!("ε {eps}: {smoothed}"))?;
    Loss::SoftmaxCrossEntropy.forward(smoothed.view(), target.view())?;
    let sums = smoothed.sum_axis(Axis(1));
    case.compare("the sum of row", &sums, &ndarray::Array1::ones(sums.len()))
}

fn no_share(smoothing: &dyn SmoothingSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let target = draw(case);
    same_bits("Y", &smoothing.smooth(&target, 0.0)?, &target)
}

fn order_is_kept(smoothing: &dyn SmoothingSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let (target, eps) = (draw(case), 0.9 * case.rng.uniform());
    let smoothed = smoothing.smooth(&target, eps)?;
    for (row, smoothed) in target.rows().into_iter().zip(smoothed.rows()) {
        for i in 0..row.len() {
            for j in 0..row.len() {
                let kept = (row[i] < row[j]) == (smoothed[i] < smoothed[j]);
                claim(kept, || format!("ε {eps}: {row} became {smoothed}"))?;
            }
        }
    }
    Ok(())
}

fn share_is_checked(smoothing: &dyn SmoothingSubject<f64>, case: &mut Case) -> Result<(), Failure> {
    let target = draw(case);
    for eps in [-0.1, 1.0, 1.5, f64::INFINITY] {
        let got = smoothing.smooth(&target, eps).err();
        claim(got == Some(LossError::Smoothing { got: eps }), || format!("ε {eps}: {got:?}"))?;
    }
    Ok(())
}

fn target_is_checked(
    smoothing: &dyn SmoothingSubject<f64>,
    case: &mut Case,
) -> Result<(), Failure> {
    let mut target = draw(case);
    let row = case.between(0, target.nrows() - 1);
    let bad = [f64::NAN, f64::INFINITY, -0.5, 3.0][case.between(0, 3)];
    target.row_mut(row).fill(bad);
    let got = smoothing.smooth(&target, 0.1).err();
    let names_it =
        matches!(got, Some(LossError::SmoothedTarget { row: named, .. }) if named == row);
    claim(names_it, || format!("row {row} is {bad}: {got:?}"))
}
