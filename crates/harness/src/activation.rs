//! Activations: their rooms, and what every one of them promises.

use std::sync::Arc;

use activations::{Activation, ActivationError};
use ndarray::{ArrayD, Axis, IxDyn};
use numerics::Scalar;

use crate::Check;
use crate::cases::{Case, Failure, Verdict, claim, equal, same_bits};
use crate::course::{Class, Pass, cast};
use crate::finite_difference::{Evaluation, Problem};
use crate::foreign::functions;
use crate::oracle::{Fixture, Run, Source};
use crate::room::{Bug, Checks, Room};
use crate::worked::Write;

/// An activation under test.
pub(crate) struct ActivationSubject<T> {
    /// `Y = σ(Z)`.
    pub(crate) forward: Box<OfInput<T>>,
    /// `dL/dZ` from Z and `dL/dY`; an error if the shapes differ.
    pub(crate) backward: Box<OfGradient<T>>,
}

type OfInput<T> = dyn Fn(&ArrayD<T>) -> ArrayD<T> + Send + Sync;

type OfGradient<T> =
    dyn Fn(&ArrayD<T>, &ArrayD<T>) -> Result<ArrayD<T>, ActivationError> + Send + Sync;

/// The activation that users run.
pub(crate) fn real<T: Scalar>(activation: Activation) -> Arc<ActivationSubject<T>> {
    Arc::new(ActivationSubject {
        forward: Box::new(move |z| activation.forward(z)),
        backward: Box::new(move |z, dl_dy| activation.backward(z, dl_dy)),
    })
}

/// The room of an activation.
pub(crate) struct ActivationRoom {
    pub(crate) activation: Activation,
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// The further file of fixtures that has its entries.
    pub(crate) fixture: &'static str,
    /// Adds what distinguishes it from the others.
    pub(crate) checks: fn(&mut Checks<ActivationSubject<f64>>),
    pub(crate) bugs: &'static [Bug],
    /// Forward and backward with a bug, or with none.
    pub(crate) faulty: fn(&'static str) -> (Forward, Backward),
    pub(crate) examples: &'static [(&'static str, Write)],
}

/// `Y = σ(Z)`.
pub(crate) type Forward = fn(&ArrayD<f64>) -> ArrayD<f64>;

/// `dL/dZ` from Z and `dL/dY`.
pub(crate) type Backward = fn(&ArrayD<f64>, &ArrayD<f64>) -> ArrayD<f64>;

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
            checks: Box::new(|| room.checks_of_both(real(room.activation), real(room.activation))),
            checks_of_program: Box::new(|program| match program.offers("activations", room.name) {
                true => {
                    let (wide, narrow) = (
                        functions::activation(program, room.name),
                        functions::activation(program, room.name),
                    );
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

impl ActivationRoom {
    /// The course tests the activations that question 4 asks for.
    fn class(&self) -> Class {
        let (question, module, name) = (self.question, "test_activations", self.name);
        let (file, kind) = (self.fixture, "activation");
        let fixture = Fixture { question, module, file, kind, class: name };
        let configurations = usize::from(question != "7");
        Class { question, module, name, configurations, further: Some((fixture, &Pass::BOTH)) }
    }

    /// An implementation with a bug, or with none.
    pub(crate) fn with_bug(&self, bug: &'static str) -> Arc<ActivationSubject<f64>> {
        let (activation, (forward, backward)) = (self.activation, (self.faulty)(bug));
        // Another shape is refused as the real one refuses it.
        let backward = move |z: &ArrayD<f64>, dl_dy: &ArrayD<f64>| {
            activation.backward(z, dl_dy)?;
            Ok(backward(z, dl_dy))
        };
        let (forward, backward) = (Box::new(forward), Box::new(backward));
        Arc::new(ActivationSubject { forward, backward })
    }

    /// The checks of an implementation in `f64`, which in `f32` is ours.
    pub(crate) fn checks_of(&self, subject: Arc<ActivationSubject<f64>>) -> Vec<Check> {
        self.checks_beside(&self.run::<f32>(real(self.activation)), subject)
    }

    /// The checks of an implementation in both precisions.
    fn checks_of_both(
        &self,
        wide: Arc<ActivationSubject<f64>>,
        narrow: Arc<ActivationSubject<f32>>,
    ) -> Vec<Check> {
        let narrow = self.run(narrow);
        let mut checks = self.checks_beside(&narrow, wide);
        checks.extend(self.class().narrow_checks(&narrow));
        checks
    }

    fn checks_beside(&self, narrow: &Run, subject: Arc<ActivationSubject<f64>>) -> Vec<Check> {
        let mut own = Checks::new(self.name, self.question, subject);
        let wide = self.run(Arc::clone(&own.subject));
        own.list = self.class().checks(&wide, narrow);
        let (activation, subject) = (self.activation, Arc::clone(&own.subject));
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
        own.exactly("backward_looks_at_its_argument", backward_looks_at_its_argument);
        own.exactly("examples_do_not_mix", examples_do_not_mix);
        own.exactly("memory_order_does_not_matter", memory_order_does_not_matter);
        // Three roundings of numbers below 8, a sum of six of them for softmax.
        own.within(1e-14, "backward_is_linear_in_dl_dy", backward_is_linear_in_dl_dy);
        (self.checks)(&mut own);
        own.list
    }

    /// Compares one pass with an entry of the oracle.
    fn run<T: Scalar>(&self, subject: Arc<ActivationSubject<T>>) -> Run {
        #[derive(serde::Deserialize)]
        struct Fields {
            activation: Activation,
        }
        let activation = self.activation;
        Arc::new(move |source, entry, pass, tally| {
            // Several activations share a file.
            if let Source::Manifest(listed) = source
                && listed.fields::<Fields>()?.activation != activation
            {
                return Ok(());
            }
            let [z] = entry.inputs()?;
            let (case, z_t) = (format!("input {:?}", z.shape()), cast(&z));
            // Before backward too, as the course does, so that a forward pass that spoils its input is seen.
            let y = (subject.forward)(&z_t);
            if pass == Pass::Forward {
                return entry.compare(("output", z.shape()), &case, &y, tally);
            }
            let dl_dy = cast(&entry.shaped("upstream_grad", z.shape())?);
            let dl_dz = (subject.backward)(&z_t, &dl_dy).map_err(|e| entry.refused(e))?;
            entry.compare(("backward", z.shape()), &case, &dl_dz, tally)
        })
    }
}

type Subject = ActivationSubject<f64>;

/// `dL/dZ` of inputs of any number of axes.
fn problem(subject: &Arc<Subject>, case: &mut Case) -> Result<Problem, Failure> {
    let (axes, scale) = (case.between(1, 4), 0.5 + 3.5 * case.rng.uniform());
    let (shape, scale) =
        if case.pinned().is_some() { (vec![1, 1], 2.0) } else { (case.shape(axes, 5), scale) };
    case.describe(format!("Z {shape:?} within {scale}"));
    let (z, upstream) = (case.array(&shape) * scale, case.array(&shape) * 2.0);
    let (analytic, subject) = ((subject.backward)(&z, &upstream)?, Arc::clone(subject));
    let evaluate = move |z: &ArrayD<f64>| Evaluation {
        terms: (subject.forward)(z).iter().zip(&upstream).map(|(y, r)| y * r).collect(),
        // Only ReLU has a kink, at 0; the smooth ones lose a few cases to this, no more.
        piece: z.iter().map(|&z| u32::from(z >= 0.0)).collect(),
    };
    Ok(Problem::of_one("Z", z, analytic, 0.0, evaluate))
}

/// Z of any number of axes, from `[-4, 4)`, and `dL/dY`.
fn draw(case: &mut Case) -> (ArrayD<f64>, ArrayD<f64>) {
    let axes = case.between(1, 4);
    let shape = case.shape(axes, 6);
    case.describe(format!("Z {shape:?}"));
    (case.array(&shape) * 4.0, case.array(&shape))
}

fn shapes_are_kept(subject: &Subject, case: &mut Case) -> Verdict {
    let axes = case.between(1, 4);
    // An axis may be empty.
    let shape: Vec<usize> = (0..axes).map(|_| case.between(0, 4)).collect();
    case.describe(format!("Z {shape:?}"));
    let z = case.array(&shape);
    equal("shape of Y", &(subject.forward)(&z).shape(), &&*shape)?;
    equal("shape of dL/dZ", &(subject.backward)(&z, &z)?.shape(), &&*shape)
}

fn another_shape_is_refused(activation: Activation, subject: &Subject, case: &mut Case) -> Verdict {
    let (z, _) = draw(case);
    let mut longer = z.shape().to_vec();
    longer[0] += 1;
    for got in [longer, [z.shape(), &[1]].concat()] {
        let result = (subject.backward)(&z, &ArrayD::zeros(IxDyn(&got)));
        let error = ActivationError::Shape { activation, expected: z.shape().to_vec(), got };
        equal("backward", &result, &Err(error))?;
    }
    Ok(())
}

fn nan_in_nan_out(activation: Activation, subject: &Subject, case: &mut Case) -> Verdict {
    let (z, dl_dy) = draw(case);
    let at: Vec<usize> = z.shape().iter().map(|&n| case.between(0, n - 1)).collect();
    let with_nan = |array: &ArrayD<f64>| {
        let mut array = array.clone();
        array[&*at] = f64::NAN;
        array
    };
    let mut results = vec![
        ("Z", "Y", (subject.forward)(&with_nan(&z))),
        ("dL/dY", "dL/dZ", (subject.backward)(&z, &with_nan(&dl_dy))?),
    ];
    // The linear derivative is 1 wherever it is taken.
    if activation != Activation::Linear {
        results.push(("Z", "dL/dZ", (subject.backward)(&with_nan(&z), &dl_dy)?));
    }
    results.iter().try_for_each(|(input, quantity, result)| {
        let got = result[&*at];
        claim(got.is_nan(), || format!("{input}{at:?} is NaN, but {quantity} there is {got}"))
    })
}

fn huge_inputs_give_finite_results(subject: &Subject, case: &mut Case) -> Verdict {
    const HUGE: [f64; 8] = [1e4, -1e4, 709.0, -709.0, 1e150, -1e150, 0.0, -0.0];
    let (mut z, _) = draw(case);
    z.mapv_inplace(|_| HUGE[case.between(0, HUGE.len() - 1)]);
    let (y, dl_dz) = ((subject.forward)(&z), (subject.backward)(&z, &ArrayD::ones(z.raw_dim()))?);
    for (quantity, array) in [("Y", y), ("dL/dZ", dl_dz)] {
        for (z, value) in z.iter().zip(&array) {
            claim(value.is_finite(), || format!("{quantity} is {value} where Z is {z:e}"))?;
        }
    }
    Ok(())
}

fn every_call_gives_the_same_bits(subject: &Subject, case: &mut Case) -> Verdict {
    let (z, dl_dy) = draw(case);
    let (y, dl_dz) = ((subject.forward)(&z), (subject.backward)(&z, &dl_dy)?);
    same_bits("Y of a second call", &(subject.forward)(&z), &y)?;
    same_bits("dL/dZ of a second call", &(subject.backward)(&z, &dl_dy)?, &dl_dz)?;
    same_bits("Y after backward", &(subject.forward)(&z), &y)
}

/// ... and not at what the last forward pass left, which may have been of another Z.
fn backward_looks_at_its_argument(subject: &Subject, case: &mut Case) -> Verdict {
    let (z, dl_dy) = draw(case);
    (subject.forward)(&z);
    let expected = (subject.backward)(&z, &dl_dy)?;
    (subject.forward)(&(&z * -0.5));
    same_bits("dL/dZ after forward of another Z ", &(subject.backward)(&z, &dl_dy)?, &expected)
}

fn examples_do_not_mix(subject: &Subject, case: &mut Case) -> Verdict {
    let axes = case.between(2, 4);
    let shape = case.shape(axes, 6);
    let order = case.permutation(shape[0]);
    case.describe(format!("Z {shape:?}, examples in the order {order:?}"));
    let z = case.array(&shape) * 4.0;
    let dl_dy = case.array(&shape);
    let permuted = |array: &ArrayD<f64>| array.select(Axis(0), &order);
    same_bits("Y", &(subject.forward)(&permuted(&z)), &permuted(&(subject.forward)(&z)))?;
    let expected = permuted(&(subject.backward)(&z, &dl_dy)?);
    same_bits("dL/dZ", &(subject.backward)(&permuted(&z), &permuted(&dl_dy))?, &expected)
}

fn memory_order_does_not_matter(subject: &Subject, case: &mut Case) -> Verdict {
    // Transposed views keep their memory: column-major.
    let [z, dl_dy] = <[_; 2]>::from(draw(case)).map(ArrayD::reversed_axes);
    let [row_major_z, row_major_dl_dy] =
        [&z, &dl_dy].map(|array| array.as_standard_layout().to_owned());
    same_bits("Y", &(subject.forward)(&z), &(subject.forward)(&row_major_z))?;
    let expected = (subject.backward)(&row_major_z, &row_major_dl_dy)?;
    same_bits("dL/dZ", &(subject.backward)(&z, &dl_dy)?, &expected)
}

/// `backward(Z, a U + b V) = a backward(Z, U) + b backward(Z, V)`.
fn backward_is_linear_in_dl_dy(subject: &Subject, case: &mut Case) -> Verdict {
    let (z, u) = draw(case);
    let v = case.array(z.shape());
    let (a, b) = (3.0 * case.rng.uniform(), -3.0 * case.rng.uniform());
    let combined = (subject.backward)(&z, &(a * &u + b * &v))?;
    let expected = a * (subject.backward)(&z, &u)? + b * (subject.backward)(&z, &v)?;
    case.compare("dL/dZ", &combined, &expected)
}
