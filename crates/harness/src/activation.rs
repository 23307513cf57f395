//! Activations: their rooms, and what every one of them promises.

use std::sync::Arc;

use activations::{Activation, ActivationError};
use ndarray::{ArrayD, Axis, IxDyn};
use numerics::Scalar;

use crate::cases::{Case, Failure, Verdict, claim, same_bits};
use crate::course::{self, Entry, Pass, Tally, cast};
use crate::finite_difference::{Evaluation, OneTensor, Problem};
use crate::oracle::Fixture;
use crate::oracle::listed::Listed;
use crate::room::{Bug, Checks, Room};
use crate::worked::Write;
use crate::{Check, HarnessError};

/// An activation under test.
pub(crate) trait ActivationSubject<T>: Send + Sync {
    /// `Y = σ(Z)`.
    fn forward(&self, z: &ArrayD<T>) -> ArrayD<T>;

    /// `dL/dZ`.
    ///
    /// # Errors
    /// If the shapes differ.
    fn backward(&self, z: &ArrayD<T>, dl_dy: &ArrayD<T>) -> Result<ArrayD<T>, ActivationError>;
}

impl<T: Scalar> ActivationSubject<T> for Activation {
    fn forward(&self, z: &ArrayD<T>) -> ArrayD<T> {
        Self::forward(*self, z)
    }

    fn backward(&self, z: &ArrayD<T>, dl_dy: &ArrayD<T>) -> Result<ArrayD<T>, ActivationError> {
        Self::backward(*self, z, dl_dy)
    }
}

/// The room of an activation.
pub(crate) struct ActivationRoom {
    pub(crate) activation: Activation,
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// The further file of fixtures that has its entries.
    pub(crate) fixture: &'static str,
    /// Adds what distinguishes it from the others.
    pub(crate) checks: fn(&mut Checks<dyn ActivationSubject<f64>>),
    pub(crate) bugs: &'static [Bug],
    /// Forward and backward with a bug, or with none.
    pub(crate) faulty: fn(&'static str) -> (Forward, Backward),
    pub(crate) examples: &'static [(&'static str, Write)],
}

/// `Y = σ(Z)`.
pub(crate) type Forward = fn(&ArrayD<f64>) -> ArrayD<f64>;

/// `dL/dZ` from Z and `dL/dY`.
pub(crate) type Backward = fn(&ArrayD<f64>, &ArrayD<f64>) -> ArrayD<f64>;

/// An activation made of two functions; another shape is refused as the real one refuses it.
struct Pair(Activation, Forward, Backward);

impl ActivationSubject<f64> for Pair {
    fn forward(&self, z: &ArrayD<f64>) -> ArrayD<f64> {
        (self.1)(z)
    }

    fn backward(
        &self,
        z: &ArrayD<f64>,
        dl_dy: &ArrayD<f64>,
    ) -> Result<ArrayD<f64>, ActivationError> {
        if z.shape() != dl_dy.shape() { self.0.backward(z, dl_dy) } else { Ok((self.2)(z, dl_dy)) }
    }
}

/// `dL/dY ⊙ f(Z)`.
pub(crate) fn elementwise(
    z: &ArrayD<f64>,
    dl_dy: &ArrayD<f64>,
    f: impl Fn(f64) -> f64,
) -> ArrayD<f64> {
    ndarray::Zip::from(z).and(dl_dy).map_collect(|&z, &dl_dy| dl_dy * f(z))
}

impl From<&'static ActivationRoom> for Room {
    fn from(room: &'static ActivationRoom) -> Self {
        Self {
            name: room.name,
            question: room.question,
            family: "activation",
            checks: Box::new(|| room.all_checks()),
            checks_with: Box::new(|bug| room.checks_with(bug)),
            free_checks: Vec::new,
            bugs: room.bugs,
            examples: room.examples,
        }
    }
}

impl ActivationRoom {
    fn all_checks(&'static self) -> Vec<Check> {
        let mut checks = self.checks_of(Arc::new(self.activation));
        let narrow: Arc<dyn ActivationSubject<f32>> = Arc::new(self.activation);
        if let Some(class) = self.course_class() {
            checks.extend(class.narrow_checks(&run(&narrow)));
        }
        checks.extend(self.fixture_checks(&narrow));
        checks
    }

    fn checks_with(&'static self, bug: &'static str) -> Vec<Check> {
        let (forward, backward) = (self.faulty)(bug);
        self.checks_of(Arc::new(Pair(self.activation, forward, backward)))
    }

    /// The course tests the activations that question 4 asks for.
    fn course_class(&self) -> Option<course::Class> {
        let (question, name) = (self.question, self.name);
        let module = "test_activations";
        (question != "7").then_some(course::Class { question, module, name, configurations: 1 })
    }

    pub(crate) fn checks_of(&self, subject: Arc<dyn ActivationSubject<f64>>) -> Vec<Check> {
        let narrow: Arc<dyn ActivationSubject<f32>> = Arc::new(self.activation);
        let mut own = Checks::new(self.name, self.question, subject);
        if let Some(class) = self.course_class() {
            own.list.extend(class.checks(&run(&own.subject), &run(&narrow)));
        }
        own.list.extend(self.fixture_checks(&own.subject));
        let (activation, subject) = (self.activation, own.subject.clone());
        own.gradient(self.question, self.name, 1, move |_, case| problem(&subject, case));
        own.exactly("shapes_are_kept", shapes_are_kept);
        own.exactly("another_shape_is_refused", move |subject, case| {
            another_shape_is_refused(activation, subject, case)
        });
        own.exactly("nan_in_nan_out", move |subject, case| {
            nan_in_nan_out(activation, subject, case)
        });
        own.exactly("huge_inputs_give_finite_results", huge_inputs_give_finite_results);
        own.exactly("every_call_gives_the_same_bits", every_call_gives_the_same_bits);
        own.exactly("examples_do_not_mix", examples_do_not_mix);
        own.exactly("memory_order_does_not_matter", memory_order_does_not_matter);
        // Three roundings of numbers below 8, a sum of six of them for softmax.
        own.within(1e-14, "backward_is_linear_in_dl_dy", backward_is_linear_in_dl_dy);
        (self.checks)(&mut own);
        own.list
    }

    fn fixture_checks<T: Scalar>(&self, subject: &Arc<dyn ActivationSubject<T>>) -> Vec<Check> {
        let fixture = Fixture {
            question: self.question,
            module: "test_activations",
            file: self.fixture,
            kind: "activation",
            class: self.name,
        };
        let activation = self.activation;
        let check = |pass: Pass| {
            let subject = Arc::clone(subject);
            fixture.check::<T>(pass.test_name(), move |listed: &Listed, entry, tally| {
                #[derive(serde::Deserialize)]
                struct Fields {
                    activation: Activation,
                }
                // Several activations share a file.
                match listed.fields::<Fields>()?.activation == activation {
                    true => activation_pass(&*subject, entry, pass, tally),
                    false => Ok(()),
                }
            })
        };
        [Pass::Forward, Pass::Backward].map(check).into()
    }
}

/// The course's passes of an activation.
fn run<T: Scalar>(subject: &Arc<dyn ActivationSubject<T>>) -> course::Run {
    let subject = Arc::clone(subject);
    Arc::new(move |_, entry: &mut Entry<'_>, pass, tally: &mut Tally| {
        activation_pass(&*subject, entry, pass, tally)
    })
}

/// Compares one pass of an activation on one entry.
pub(crate) fn activation_pass<T: Scalar>(
    activation: &dyn ActivationSubject<T>,
    entry: &mut Entry<'_>,
    pass: Pass,
    tally: &mut Tally,
) -> Result<(), HarnessError> {
    let [z] = entry.inputs()?;
    let case = || format!("input {:?}", z.shape());
    let z_t = cast(&z);
    match pass {
        Pass::Forward => {
            let y = entry.shaped("output", z.shape())?;
            tally.add(&entry.key("output"), &case(), &activation.forward(&z_t), &y);
        }
        Pass::Backward | Pass::Gradients | Pass::Predict => {
            let dl_dy = cast(&entry.shaped("upstream_grad", z.shape())?);
            let dl_dz = entry.shaped("backward", z.shape())?;
            // As the course does, so that a forward pass that spoils its input is seen.
            let _ = activation.forward(&z_t);
            let result = activation.backward(&z_t, &dl_dy).map_err(|e| entry.refused(e))?;
            tally.add(&entry.key("backward"), &case(), &result, &dl_dz);
        }
    }
    Ok(())
}

/// `dL/dZ` of inputs of any number of axes.
fn problem(
    subject: &Arc<dyn ActivationSubject<f64>>,
    case: &mut Case,
) -> Result<Box<dyn Problem>, Failure> {
    let (axes, scale) = (case.between(1, 4), 0.5 + 3.5 * case.rng.uniform());
    let (shape, scale) =
        if case.pinned().is_some() { (vec![1, 1], 2.0) } else { (case.shape(axes, 5), scale) };
    case.describe(format!("Z {shape:?} within {scale}"));
    let (z, upstream) = (case.array(&shape) * scale, case.array(&shape) * 2.0);
    let (analytic, subject) = (subject.backward(&z, &upstream)?, Arc::clone(subject));
    let evaluate = move |z: &ArrayD<f64>| Evaluation {
        terms: subject.forward(z).iter().zip(&upstream).map(|(y, r)| y * r).collect(),
        // Only ReLU has a kink, at 0; the smooth ones lose a few cases to this, no more.
        piece: z.iter().map(|&z| u32::from(z >= 0.0)).collect(),
    };
    Ok(Box::new(OneTensor { name: "Z", value: z, analytic, cancelled: 0.0, evaluate }))
}

type Subject = dyn ActivationSubject<f64>;

/// Z of any number of axes, from `[-4, 4)`.
fn draw(case: &mut Case) -> ArrayD<f64> {
    let axes = case.between(1, 4);
    let shape = case.shape(axes, 6);
    case.describe(format!("Z {shape:?}"));
    case.array(&shape) * 4.0
}

fn shapes_are_kept(subject: &Subject, case: &mut Case) -> Verdict {
    let axes = case.between(1, 4);
    // An axis may be empty.
    let shape: Vec<usize> = (0..axes).map(|_| case.between(0, 4)).collect();
    case.describe(format!("Z {shape:?}"));
    let z = case.array(&shape);
    let (y, dl_dz) = (subject.forward(&z), subject.backward(&z, &z)?);
    claim(y.shape() == shape, || format!("Y has shape {:?}", y.shape()))?;
    claim(dl_dz.shape() == shape, || format!("dL/dZ has shape {:?}", dl_dz.shape()))
}

fn another_shape_is_refused(activation: Activation, subject: &Subject, case: &mut Case) -> Verdict {
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

fn nan_in_nan_out(activation: Activation, subject: &Subject, case: &mut Case) -> Verdict {
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

fn huge_inputs_give_finite_results(subject: &Subject, case: &mut Case) -> Verdict {
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

fn every_call_gives_the_same_bits(subject: &Subject, case: &mut Case) -> Verdict {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let (y, dl_dz) = (subject.forward(&z), subject.backward(&z, &dl_dy)?);
    same_bits("Y of a second call", &subject.forward(&z), &y)?;
    same_bits("dL/dZ of a second call", &subject.backward(&z, &dl_dy)?, &dl_dz)?;
    same_bits("Y after backward", &subject.forward(&z), &y)
}

fn examples_do_not_mix(subject: &Subject, case: &mut Case) -> Verdict {
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

fn memory_order_does_not_matter(subject: &Subject, case: &mut Case) -> Verdict {
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
fn backward_is_linear_in_dl_dy(subject: &Subject, case: &mut Case) -> Verdict {
    let z = draw(case);
    let (u, v) = (case.array(z.shape()), case.array(z.shape()));
    let (a, b) = (3.0 * case.rng.uniform(), -3.0 * case.rng.uniform());
    let combined = subject.backward(&z, &(a * &u + b * &v))?;
    let expected = a * subject.backward(&z, &u)? + b * subject.backward(&z, &v)?;
    case.compare("dL/dZ", &combined, &expected)
}
