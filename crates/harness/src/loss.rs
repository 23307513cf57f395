//! Losses: their rooms, and what every one of them promises: a mean over examples, of rows that do not mix.

use std::sync::Arc;

use losses::{Loss, LossError};
use ndarray::{Array, Array2, ArrayD, Axis, Dimension, Ix2, arr0, concatenate};
use numerics::{Rng, Scalar};

use crate::Check;
use crate::cases::{Case, Failure, Verdict, claim, equal, same_bits};
use crate::course::{Class, Pass, cast};
use crate::finite_difference::{Evaluation, Problem};
use crate::foreign::functions;
use crate::oracle::{Fixture, Run};
use crate::room::{Bug, Checks, Room};
use crate::worked::Write;

/// A loss under test.
pub(crate) struct LossSubject<T> {
    /// The loss of a mini-batch.
    pub(crate) forward: Box<OfBatch<T, T>>,
    /// `dL/dŶ`.
    pub(crate) backward: Box<OfBatch<T, Array2<T>>>,
}

/// A function of a target and an output.
type OfBatch<T, R> = dyn Fn(&Array2<T>, &Array2<T>) -> Result<R, LossError> + Send + Sync;

/// The loss that users run.
pub(crate) fn real<T: Scalar>(loss: Loss) -> Arc<LossSubject<T>> {
    Arc::new(LossSubject {
        forward: Box::new(move |target, output| loss.forward(target.view(), output.view())),
        backward: Box::new(move |target, output| loss.backward(target.view(), output.view())),
    })
}

/// The question of the assignment that asks for losses.
const QUESTION: &str = "4.4";

/// The checks of a loss.
pub(crate) type LossChecks = Checks<LossSubject<f64>>;

/// The room of a loss.
pub(crate) struct LossRoom {
    pub(crate) loss: Loss,
    pub(crate) name: &'static str,
    /// Whether the course tests it.
    pub(crate) in_course: bool,
    /// The further file of fixtures that has its entries, if there is one.
    pub(crate) fixture: Option<&'static str>,
    /// Adds what distinguishes it from the others.
    pub(crate) checks: fn(&mut LossChecks),
    pub(crate) bugs: &'static [Bug],
    /// Forward and backward with a bug, or with none.
    pub(crate) faulty: fn(&'static str) -> (Forward, Backward),
    pub(crate) examples: &'static [(&'static str, Write)],
}

/// The loss of a target and an output.
pub(crate) type Forward = fn(&Array2<f64>, &Array2<f64>) -> f64;

/// `dL/dŶ` of a target and an output.
pub(crate) type Backward = fn(&Array2<f64>, &Array2<f64>) -> Array2<f64>;

impl From<&'static LossRoom> for Room {
    fn from(room: &'static LossRoom) -> Self {
        Self {
            name: room.name,
            question: QUESTION,
            family: "loss",
            checks: Box::new(|| room.checks_of_both(real(room.loss), real(room.loss))),
            checks_of_program: Box::new(|program| match program.offers("losses", room.name) {
                true => {
                    let (wide, narrow) =
                        (functions::loss(program, room.name), functions::loss(program, room.name));
                    room.checks_of_both(wide, narrow)
                }
                false => vec![],
            }),
            checks_with: Box::new(|bug| room.checks_of(room.with_bug(bug))),
            free_checks: Vec::new,
            bugs: room.bugs,
            examples: room.examples,
        }
    }
}

impl LossRoom {
    fn class(&self) -> Class {
        let (question, module, name, kind) = (QUESTION, "test_losses", self.name, self.loss.name());
        let further = self.fixture.map(|file| {
            (Fixture { question, module, file, kind, class: file }, &Pass::BOTH as &[Pass])
        });
        Class { question, module, name, configurations: usize::from(self.in_course), further }
    }

    /// An implementation with a bug, or with none.
    pub(crate) fn with_bug(&self, bug: &'static str) -> Arc<LossSubject<f64>> {
        let (loss, (forward, backward)) = (self.loss, (self.faulty)(bug));
        // What the real loss refuses is refused as it does.
        let refuse = move |y: &Array2<f64>, p: &Array2<f64>| loss.forward(y.view(), p.view());
        Arc::new(LossSubject {
            forward: Box::new(move |y, p| refuse(y, p).map(|_| forward(y, p))),
            backward: Box::new(move |y, p| refuse(y, p).map(|_| backward(y, p))),
        })
    }

    /// The checks of an implementation in `f64`, which in `f32` is ours.
    pub(crate) fn checks_of(&self, subject: Arc<LossSubject<f64>>) -> Vec<Check> {
        self.checks_beside(&run::<f32>(real(self.loss)), subject)
    }

    /// The checks of an implementation in both precisions.
    fn checks_of_both(
        &self,
        wide: Arc<LossSubject<f64>>,
        narrow: Arc<LossSubject<f32>>,
    ) -> Vec<Check> {
        let narrow = run(narrow);
        let mut checks = self.checks_beside(&narrow, wide);
        checks.extend(self.class().narrow_checks(&narrow));
        checks
    }

    fn checks_beside(&self, narrow: &Run, subject: Arc<LossSubject<f64>>) -> Vec<Check> {
        let mut own = Checks::new(self.name, QUESTION, subject);
        let wide = run(Arc::clone(&own.subject));
        own.list = self.class().checks(&wide, narrow);
        let (loss, subject) = (self.loss, Arc::clone(&own.subject));
        own.gradient(QUESTION, self.name, 2, move |_, case| problem(loss, &subject, case));
        claims(&mut own, self.loss);
        (self.checks)(&mut own);
        own.list
    }
}

/// Compares one pass with an entry of the oracle.
fn run<T: Scalar>(loss: Arc<LossSubject<T>>) -> Run {
    Arc::new(move |_, entry, pass, tally| {
        let inputs: [ArrayD<f64>; 2] = entry.inputs()?;
        let [target, output] = inputs.each_ref().map(|a| cast(a).into_dimensionality::<Ix2>());
        let (Ok(target), Ok(output)) = (target, output) else {
            let got = entry.array("input")?;
            return Err(entry.wrong_shape("input", "(2, m, k)".to_owned(), got.shape()));
        };
        let case = format!("target and output {:?}", target.shape());
        if pass == Pass::Forward {
            let value = (loss.forward)(&target, &output).map_err(|e| entry.refused(e))?;
            return entry.compare(("output", &[]), &case, &arr0(value).into_dyn(), tally);
        }
        let gradient = (loss.backward)(&target, &output).map_err(|e| entry.refused(e))?;
        entry.compare(("backward", output.shape()), &case, &gradient.into_dyn(), tally)
    })
}

/// `dL/dŶ` of a mini-batch whose targets are one-hot or spread over the classes.
fn problem(
    loss: Loss,
    subject: &Arc<LossSubject<f64>>,
    case: &mut Case,
) -> Result<Problem, Failure> {
    let drawn = (case.between(1, 6), case.between(1, 6), case.between(0, 1) == 1);
    let (m, k, spread) = case.pinned().map_or(drawn, |n| [(3, 4, false), (2, 3, true)][n]);
    case.describe(format!("Y and Ŷ {m} x {k}, targets spread: {spread}"));
    let numbers = |case: &mut Case| case.rng.uniform_array((m, k), -2.0, 2.0);
    // Each probability is at least 1/(4 k): the third derivative of the logarithm grows like the cube of
    // 1/p, and with it the truncation error of a difference.
    let distributions = |case: &mut Case| rows_of_one(case.rng.uniform_array((m, k), 0.25, 1.0));
    let target = match loss {
        Loss::L2 => numbers(case),
        _ if spread => distributions(case),
        _ => one_hot((m, k), &mut case.rng),
    };
    let output = match loss {
        Loss::CrossEntropy => distributions(case),
        Loss::L2 | Loss::SoftmaxCrossEntropy => numbers(case),
    };
    let analytic = (subject.backward)(&target, &output)?.into_dyn();
    // A forward pass that refuses what backward accepts is a bug to report, not a panic.
    (subject.forward)(&target, &output)?;
    let subject = Arc::clone(subject);
    let evaluate = move |output: &ArrayD<f64>| {
        let output = output.clone().into_dimensionality().expect("an output is a matrix");
        // Only the shape can be refused, and it was accepted before.
        let loss = (subject.forward)(&target, &output).unwrap_or(f64::NAN);
        Evaluation { terms: vec![loss], piece: vec![] }
    };
    // The loss is the logarithm of a number that may be near 1.
    Ok(Problem::of_one("Ŷ", output.into_dyn(), analytic, 1.0, evaluate))
}

/// A 1 in each row, at a random place.
pub(crate) fn one_hot(shape: (usize, usize), rng: &mut Rng) -> Array2<f64> {
    let mut target = Array2::zeros(shape);
    for mut row in target.rows_mut() {
        row[rng.below(shape.1)] = 1.0;
    }
    target
}

/// Positive numbers, of which each row is divided by its sum.
pub(crate) fn rows_of_one<D: Dimension>(mut weights: Array<f64, D>) -> Array<f64, D> {
    for mut row in weights.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    weights
}

/// A target and an output as the loss wants them: numbers from `[-1.5, 1.5)` or distributions made of
/// them.
pub(crate) fn draw(loss: Loss, case: &mut Case) -> (Array2<f64>, Array2<f64>) {
    let shape = (case.between(1, 6), case.between(1, 6));
    case.describe(format!("Y and Ŷ {shape:?}"));
    let [target, output] = [(); 2].map(|()| case.rng.uniform_array(shape, -1.5, 1.5));
    let distributions = |numbers: Array2<f64>| rows_of_one(numbers.mapv(f64::exp));
    match loss {
        Loss::CrossEntropy => (distributions(target), distributions(output)),
        Loss::L2 => (target, output),
        Loss::SoftmaxCrossEntropy => (distributions(target), output),
    }
}

/// A loss is at most 27: half of 6 squared differences of numbers in `[-1.5, 1.5)`, each at most 9
/// (logarithms stay below 4.7, since probabilities are at least `1 / (1 + 5 e³)`). It is a sum of at
/// most 36 terms, and each term has a few roundings of its own, so it is off by at most `40 · 27 u`, in
/// both ways of computing it: `2 · 40 · 27 u = 2.4e-13`.
const FORMULA_OF_LOSS: f64 = 2.5e-13;

/// A gradient of cross-entropy is at most `1 + 5 e³ = 101` and takes a handful of roundings, each by
/// at most 7.1e-15.
const FORMULA_OF_GRADIENT: f64 = 1e-13;

/// Adds the transcription of the loss.
pub(crate) fn add_forward(own: &mut LossChecks, loss: Loss, formula: &str, literal: Forward) {
    own.formula(formula, FORMULA_OF_LOSS, move |subject, case| {
        let (target, output) = draw_or_one_hot(loss, case);
        let got = (subject.forward)(&target, &output)?;
        case.compare_numbers("L", got, literal(&target, &output));
        Ok(())
    });
}

/// Adds the transcription of the gradient.
pub(crate) fn add_backward(own: &mut LossChecks, loss: Loss, formula: &str, literal: Backward) {
    own.formula(formula, FORMULA_OF_GRADIENT, move |subject, case| {
        let (target, output) = draw_or_one_hot(loss, case);
        let got = (subject.backward)(&target, &output)?;
        case.compare("dL/dŶ", &got, &literal(&target, &output))
    });
}

/// As [`draw`], with a target that is one-hot in every other case, if it is a distribution.
fn draw_or_one_hot(loss: Loss, case: &mut Case) -> (Array2<f64>, Array2<f64>) {
    let (mut target, output) = draw(loss, case);
    if case.between(0, 1) == 1 && loss != Loss::L2 {
        target = one_hot(target.dim(), &mut case.rng);
    }
    (target, output)
}

/// A loss is at most 27, half of 6 squares of at most 9. As a sum of at most 72 terms, each with a few
/// roundings of its own, it is off by at most `76 · 27 u`, as is the one that it is compared with:
/// `2 · 76 · 27 u = 4.6e-13`. A gradient is at most 101 and takes a few roundings.
const MEAN: f64 = 5e-13;

/// Adds what every loss promises.
fn claims(own: &mut LossChecks, loss: Loss) {
    own.within(MEAN, "doubling_the_batch_halves_each_gradient", move |subject, case| {
        let drawn = draw(loss, case);
        compare_mapped(subject, drawn, 0.5, |array| concatenate![Axis(0), *array, *array], case)
    });
    for (axis, name) in [
        (Axis(0), "the_order_of_examples_does_not_matter"),
        (Axis(1), "classes_are_interchangeable"),
    ] {
        own.within(MEAN, name, move |subject, case| {
            let drawn = draw(loss, case);
            let order = case.permutation(drawn.0.len_of(axis));
            compare_mapped(subject, drawn, 1.0, |array| array.select(axis, &order), case)
        });
    }
    // L = 1/m Σᵢ L(example i), and the gradient of each example alone is m times its row.
    own.within(MEAN, "a_batch_is_the_mean_of_its_examples", move |subject, case| {
        let (target, output) = draw(loss, case);
        let m = target.nrows();
        let gradient = (subject.backward)(&target, &output)?;
        let mut sum = 0.0;
        for i in 0..m {
            let row = |array: &Array2<f64>| array.select(Axis(0), &[i]);
            sum += (subject.forward)(&row(&target), &row(&output))?;
            let alone = (subject.backward)(&row(&target), &row(&output))? / m as f64;
            case.compare(&format!("dL/dŶ of example {i} "), &row(&gradient), &alone)?;
        }
        case.compare_numbers("L", (subject.forward)(&target, &output)?, sum / m as f64);
        Ok(())
    });
    // Among all outputs the target itself has the smallest loss (Gibbs' inequality), which for squares is 0.
    own.exactly("the_target_is_the_best_output", move |subject, case| {
        let (target, output) = draw(loss, case);
        let perfect = match loss {
            Loss::CrossEntropy | Loss::L2 => target.clone(),
            Loss::SoftmaxCrossEntropy => target.mapv(f64::ln),
        };
        let best = (subject.forward)(&target, &perfect)?;
        let other = (subject.forward)(&target, &output)?;
        // For a single class every output is perfect, up to rounding.
        let least = if loss == Loss::L2 { best == 0.0 } else { best >= -case.slack };
        claim(least && best <= other + MEAN + case.slack, || {
            format!("L(Y, Y) = {best}, L(Y, Ŷ) = {other}")
        })
    });
    own.exactly("every_call_gives_the_same_bits", move |subject, case| {
        let (target, output) = draw(loss, case);
        let value = (subject.forward)(&target, &output)?;
        let gradient = (subject.backward)(&target, &output)?;
        let again = (subject.forward)(&target, &output)?;
        claim(again.to_bits() == value.to_bits(), || format!("L is {value:e}, then {again:e}"))?;
        same_bits("dL/dŶ of a second call", &(subject.backward)(&target, &output)?, &gradient)
    });
    own.exactly("nan_is_passed_on", move |subject, case| {
        let (target, mut output) = draw(loss, case);
        let at = (case.between(0, target.nrows() - 1), case.between(0, target.ncols() - 1));
        output[at] = f64::NAN;
        let value = (subject.forward)(&target, &output)?;
        let gradient = (subject.backward)(&target, &output)?[at];
        claim(value.is_nan() && gradient.is_nan(), || {
            format!("Ŷ{at:?} is NaN, but L is {value} and dL/dŶ there is {gradient}")
        })
    });
    own.exactly("shapes_must_agree", move |subject, case| {
        let (target, output) = draw(loss, case);
        let (m, k) = target.dim();
        for shape in [(m + 1, k), (m, k + 1)] {
            let output = Array2::from_elem(shape, output[[0, 0]]);
            let (target_shape, output_shape) = (vec![m, k], output.shape().to_vec());
            let error = LossError::Shape { loss, target: target_shape, output: output_shape };
            refused(error, subject, &target, &output)?;
        }
        Ok(())
    });
    own.exactly("an_empty_batch_is_refused", move |subject, case| {
        for shape in [(0, case.between(1, 4)), (case.between(1, 4), 0), (0, 0)] {
            let empty = Array2::zeros(shape);
            let error = LossError::Empty { loss, got: vec![shape.0, shape.1] };
            refused(error, subject, &empty, &empty)?;
        }
        Ok(())
    });
}

/// Compares the loss of a mapped target and output with that of the target and output, and its gradient with
/// the mapped gradient times `factor`.
fn compare_mapped(
    subject: &LossSubject<f64>,
    (target, output): (Array2<f64>, Array2<f64>),
    factor: f64,
    map: impl Fn(&Array2<f64>) -> Array2<f64>,
    case: &mut Case,
) -> Verdict {
    let (mapped_target, mapped_output) = (map(&target), map(&output));
    let expected = (subject.forward)(&target, &output)?;
    case.compare_numbers("L", (subject.forward)(&mapped_target, &mapped_output)?, expected);
    let expected = map(&(subject.backward)(&target, &output)?) * factor;
    case.compare("dL/dŶ", &(subject.backward)(&mapped_target, &mapped_output)?, &expected)
}

/// A row of a target that is negative somewhere, does not sum to 1 or is not finite is refused and named.
pub(crate) fn add_wants_distributions(own: &mut LossChecks, loss: Loss) {
    own.exactly("a_target_is_a_distribution", move |subject, case| {
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
        let got = target.row(row).to_string();
        case.describe(format!("row {row} of Y is {got}"));
        refused(LossError::NotADistribution { loss, row, got }, subject, &target, &output)
    });
}

/// Claims that both directions give this error.
fn refused(
    expected: LossError,
    subject: &LossSubject<f64>,
    target: &Array2<f64>,
    output: &Array2<f64>,
) -> Verdict {
    let expected = Some(expected);
    equal("forward", &(subject.forward)(target, output).err(), &expected)?;
    equal("backward", &(subject.backward)(target, output).err(), &expected)
}
