//! Label smoothing, question 7.

use std::sync::Arc;

use losses::{Loss, LossError, smooth_labels};
use ndarray::{Array1, Array2, ArrayD, Axis, arr0, array};
use numerics::Scalar;
use serde::Deserialize;

use super::softmax_cross_entropy::softmax;
use crate::Check;
use crate::cases::{Case, claim, same_bits};
use crate::course::cast;
use crate::finite_difference::{Evaluation, Problem};
use crate::loss::{one_hot, rows_of_one};
use crate::oracle::Fixture;
use crate::room::{Checks, PlainRoom, bugs};
use crate::transcription::{array_of, sum};
use crate::worked::Example;

/// `Ỹ` from Y and ε.
type Smooth = dyn Fn(&Array2<f64>, f64) -> Result<Array2<f64>, LossError> + Send + Sync;

const FUSED: Loss = Loss::SoftmaxCrossEntropy;

pub(super) static ROOM: PlainRoom<Smooth> = PlainRoom {
    name: "LabelSmoothing",
    question: "7",
    real: || Arc::new(|target: &Array2<f64>, eps| smooth_labels(target.view(), eps)),
    faulty: |bug| Arc::new(move |target, eps| faulty(bug, target, eps)),
    of_program: |_| None,
    checks: |own| {
        let smooth = Arc::clone(&own.subject);
        own.list.push(oracle::<f64>(move |target, eps| smooth(target, eps)));
        formulas(own);
        gradient(own);
        claims(own);
    },
    free_checks: || {
        vec![oracle::<f32>(|target, eps| smooth_labels(target.view(), eps)).of(ROOM.name)]
    },
    bugs: bugs! {
        "smoothing-others-only" [Oracle Gradient Formula] "ε is spread over the other classes only; a distribution all the same"
        "smoothing-k-minus-1" [Oracle Formula Property] "ε/(k - 1) is added to all classes"
        "smoothing-keeps-target" [Oracle Formula Property] "the target is not multiplied by 1 - ε"
        "smoothing-undivided" [Oracle Formula Property] "ε is added to each class, not ε/k"
        "smoothing-swapped" [Oracle Gradient Formula Property] "ε and 1 - ε are exchanged"
        "smoothing-renormalised" [Oracle Gradient Formula] "ε/k is added and the row divided by its sum: a smaller share than declared"
        "smoothing-unchecked" [Property] "any share and any target are accepted"
    },
    examples: &[("label-smoothing", example)],
};

/// The loss of logits.
fn loss(y: &Array2<f64>, z: &Array2<f64>) -> Result<f64, LossError> {
    FUSED.forward(y.view(), z.view())
}

/// Its gradient at the logits.
fn dl_dz(y: &Array2<f64>, z: &Array2<f64>) -> Result<Array2<f64>, LossError> {
    FUSED.backward(y.view(), z.view())
}

fn faulty(bug: &str, target: &Array2<f64>, eps: f64) -> Result<Array2<f64>, LossError> {
    if bug != "smoothing-unchecked" {
        smooth_labels(target.view(), eps)?;
    }
    let k = target.ncols() as f64;
    let others = (k - 1.0).max(1.0);
    Ok(target.mapv(|y| match bug {
        "smoothing-others-only" if k == 1.0 => y,
        "smoothing-others-only" => (1.0 - eps) * y + eps / others * (1.0 - y),
        "smoothing-k-minus-1" => (1.0 - eps) * y + eps / others,
        "smoothing-keeps-target" => y + eps / k,
        "smoothing-undivided" => (1.0 - eps) * y + eps,
        "smoothing-swapped" => eps * y + (1.0 - eps) / k,
        "smoothing-renormalised" => (y + eps / k) / (1.0 + eps),
        _ => (1.0 - eps) * y + eps / k,
    }))
}

/// Compares the smoothed target, and the loss of the entry's logits and its gradient at them.
fn oracle<T: Scalar>(
    smooth: impl Fn(&Array2<T>, f64) -> Result<Array2<T>, LossError> + Send + Sync + 'static,
) -> Check {
    #[derive(Deserialize)]
    struct Declared {
        eps: f64,
    }
    let (file, kind) = ("LabelSmoothing", "label_smoothing");
    let fixture = Fixture { question: "7", module: "test_losses", file, kind, class: file };
    fixture.check::<T>("test_smooth", move |listed, entry, tally| {
        let Declared { eps } = listed.fields()?;
        let target = entry.array("input")?;
        let Ok(target) = cast::<T>(&target).into_dimensionality() else {
            return Err(entry.wrong_shape("input", "(m, k)".to_owned(), target.shape()));
        };
        let logits = cast::<T>(&entry.shaped("logits", target.shape())?).into_dimensionality();
        let logits = logits.expect("it has the shape of a matrix");
        let run = || {
            let smoothed = smooth(&target, eps)?;
            let loss = arr0(FUSED.forward(smoothed.view(), logits.view())?);
            let gradient = FUSED.backward(smoothed.view(), logits.view())?;
            Ok([smoothed.into_dyn(), loss.into_dyn(), gradient.into_dyn()])
        };
        let results = run().map_err(|error: LossError| entry.refused(error))?;
        for (name, result) in ["output", "loss", "backward"].iter().zip(results) {
            let reference = entry.array(name)?;
            tally.add(&entry.key(name), &format!("ε {eps}"), &result, &reference);
        }
        Ok(())
    })
}

/// Two roundings of numbers of at most 1.
const ELEMENT: f64 = 4e-16;

/// As for the losses: 36 terms of magnitude at most 9.
const MEAN: f64 = 1e-13;

fn formulas(own: &mut Checks<Smooth>) {
    // Ỹ[i, j] = (1 - ε) Y[i, j] + ε/k.
    own.formula("label-smoothing", ELEMENT, |smooth, case| {
        let (target, eps, _) = draw(case);
        let k = target.ncols() as f64;
        let expected = target.mapv(|y| (1.0 - eps) * y + eps / k);
        case.compare("Ỹ", &smooth(&target, eps)?, &expected)
    });
    // L(Ỹ) = (1 - ε) L(Y) + ε L(U), where every number of U is 1/k, both written out from the logits.
    own.formula("label-smoothing-loss", MEAN, |smooth, case| {
        let (target, eps, logits) = draw(case);
        let (m, k) = target.dim();
        let total = sum((m, k), |(i, j)| {
            let surprise = sum(k, |l| logits[[i, l]].exp()).ln() - logits[[i, j]];
            (1.0 - eps) * target[[i, j]] * surprise + eps * surprise / k as f64
        });
        case.compare_numbers("L", loss(&smooth(&target, eps)?, &logits)?, total / m as f64);
        Ok(())
    });
    // dL/dZ[i, j] = (softmax(Z)[i, j] - (1 - ε) Y[i, j] - ε/k) / m.
    own.formula("label-smoothing-backward", MEAN, |smooth, case| {
        let (target, eps, logits) = draw(case);
        let (m, k) = target.dim();
        let p = softmax(&logits);
        let expected =
            array_of((m, k), |at| (p[at] - (1.0 - eps) * target[at] - eps / k as f64) / m as f64);
        case.compare("dL/dZ", &dl_dz(&smooth(&target, eps)?, &logits)?, &expected)
    });
    // The smallest loss of one-hot targets: with a = 1 - ε + ε/k and b = ε/k it is -a ln a - (k - 1) b ln b, at
    // logits whose softmax is Ỹ.
    own.formula("label-smoothing-minimum", MEAN, |smooth, case| {
        let shape = (case.between(1, 6), case.between(1, 6));
        let eps = 0.05 + 0.9 * case.rng.uniform();
        case.describe(format!("one-hot Y {shape:?}, ε {eps}"));
        let target = one_hot(shape, &mut case.rng);
        let k = shape.1 as f64;
        let (a, b) = (1.0 - eps + eps / k, eps / k);
        let logits = target.mapv(|y| if y == 1.0 { a.ln() } else { b.ln() });
        let smoothed = smooth(&target, eps)?;
        let smallest = -a * a.ln() - (k - 1.0) * b * b.ln();
        case.compare_numbers("the smallest L", loss(&smoothed, &logits)?, smallest);
        case.compare("dL/dZ there", &dl_dz(&smoothed, &logits)?, &Array2::zeros(shape))
    });
}

/// One-hot targets or distributions, ε, and logits from `[-1.5, 1.5)`.
fn draw(case: &mut Case) -> (Array2<f64>, f64, Array2<f64>) {
    let shape = (case.between(1, 6), case.between(1, 6));
    let eps = 0.99 * case.rng.uniform();
    case.describe(format!("Y {shape:?}, ε {eps}"));
    let target = match case.between(0, 1) {
        0 => one_hot(shape, &mut case.rng),
        _ => rows_of_one(case.rng.uniform_array(shape, 0.1, 1.0)),
    };
    (target, eps, case.rng.uniform_array(shape, -1.5, 1.5))
}

/// The loss is `(1 - ε) L(Y) + ε L(U)`, of targets that nothing has smoothed; the gradient under test
/// is that of the loss of the smoothed targets.
fn gradient(own: &mut Checks<Smooth>) {
    own.gradient("7", "LabelSmoothing", 3, |smooth, case| {
        let drawn = ((case.between(1, 6), case.between(1, 6)), 0.95 * case.rng.uniform());
        let pinned = [((3, 4), 0.0), ((2, 3), 0.2), ((2, 2), 0.9)];
        let (shape, eps) = case.pinned().map_or(drawn, |number| pinned[number]);
        case.describe(format!("one-hot Y {shape:?}, ε {eps}"));
        let target = one_hot(shape, &mut case.rng);
        let logits: Array2<f64> = case.rng.uniform_array(shape, -2.0, 2.0);
        let analytic = dl_dz(&smooth(&target, eps)?, &logits)?.into_dyn();
        let uniform = Array2::from_elem(shape, 1.0 / shape.1 as f64);
        let evaluate = move |logits: &ArrayD<f64>| {
            let logits = logits.clone().into_dimensionality().expect("logits are a matrix");
            // Shapes and targets were made to fit.
            let loss = |y: &Array2<f64>| loss(y, &logits).unwrap_or(f64::NAN);
            let terms = vec![(1.0 - eps) * loss(&target), eps * loss(&uniform)];
            Evaluation { terms, piece: vec![] }
        };
        // The loss is the logarithm of a number that may be near 1.
        Ok(Problem::of_one("Z", logits.into_dyn(), analytic, 1.0, evaluate))
    });
}

/// The rounding of a row's sum.
const SUM: f64 = 1e-14;

fn claims(own: &mut Checks<Smooth>) {
    // Its rows sum to 1, every number is at least ε/k up to rounding, and a loss takes it.
    own.within(SUM, "a_smoothed_target_is_a_distribution", |smooth, case| {
        let (target, eps) = (draw_one_hot(case), 0.99 * case.rng.uniform());
        let smoothed = smooth(&target, eps)?;
        let least = eps / target.ncols() as f64 * (1.0 - SUM);
        claim(smoothed.iter().all(|&y| y >= least), || format!("ε {eps}: {smoothed}"))?;
        loss(&smoothed, &target)?;
        let sums = smoothed.sum_axis(Axis(1));
        case.compare("the sum of row", &sums, &Array1::ones(sums.len()))
    });
    own.exactly("no_share_changes_nothing", |smooth, case| {
        let target = draw_one_hot(case);
        same_bits("Y", &smooth(&target, 0.0)?, &target)
    });
    own.exactly("the_order_of_classes_is_kept", |smooth, case| {
        let (target, eps) = (draw_one_hot(case), 0.9 * case.rng.uniform());
        let smoothed = smooth(&target, eps)?;
        for (row, smoothed) in target.rows().into_iter().zip(smoothed.rows()) {
            for (i, j) in ndarray::indices((row.len(), row.len())) {
                let kept = (row[i] < row[j]) == (smoothed[i] < smoothed[j]);
                claim(kept, || format!("ε {eps}: {row} became {smoothed}"))?;
            }
        }
        Ok(())
    });
    own.exactly("a_share_outside_is_refused", |smooth, case| {
        let target = draw_one_hot(case);
        for eps in [-0.1, 1.0, 1.5, f64::INFINITY] {
            let got = smooth(&target, eps).err();
            claim(got == Some(LossError::Smoothing { got: eps }), || format!("ε {eps}: {got:?}"))?;
        }
        Ok(())
    });
    own.exactly("a_target_that_is_no_distribution_is_refused", |smooth, case| {
        let mut target = draw_one_hot(case);
        let row = case.between(0, target.nrows() - 1);
        let bad = case.one_of(&[f64::NAN, f64::INFINITY, -0.5, 3.0]);
        target.row_mut(row).fill(bad);
        let got = smooth(&target, 0.1).err();
        let named =
            matches!(got, Some(LossError::SmoothedTarget { row: named, .. }) if named == row);
        claim(named, || format!("row {row} is {bad}: {got:?}"))
    });
}

fn draw_one_hot(case: &mut Case) -> Array2<f64> {
    let shape = (case.between(1, 5), case.between(1, 6));
    case.describe(format!("one-hot Y {shape:?}"));
    one_hot(shape, &mut case.rng)
}

/// A quarter of a one-hot target spread over two classes.
fn example(example: &mut Example<'_>) {
    const EPS: f64 = 0.25;
    let (y, p) = (array![[1.0, 0.0]], array![[0.25_f64, 0.75]]);
    let z = p.mapv(f64::ln);
    let smoothed = smooth_labels(y.view(), EPS).expect("a one-hot target can be smoothed");
    example.number("eps", EPS);
    example.number("loss", loss(&smoothed, &z).expect("a truth for every logit"));
    example.array("y", &y.row(0));
    example.array("p", &p.row(0));
    example.array("smoothed", &smoothed.row(0));
    // Targets of 1 in either class, smoothed completely: 1/k everywhere.
    let uniform = smooth_labels(y.view(), EPS).map(|smoothed| (smoothed - (1.0 - EPS) * &y) / EPS);
    example.array("uniform", &uniform.expect("a one-hot target can be smoothed").row(0));
    example.array("dz", &dl_dz(&smoothed, &z).expect("a truth for every logit").row(0));
}
