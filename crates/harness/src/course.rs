//! The course's 25 tests, under the course's names.
//!
//! Each of twelve test classes has a file of entries, computed by an implementation that shares
//! nothing with this one, and two tests: what `forward` returns and what `backward` returns.
//! `TestFullyConnected` has a third, without a file, on the shapes of its parameters.

mod configurations;
mod entry;
mod init_params;
mod pass;
mod tally;

use std::path::{Path, PathBuf};

use numerics::Scalar;

pub use configurations::configurations;
pub(crate) use entry::Entry;
pub(crate) use pass::{Pass, activation_pass, cast, layer_pass, loss_pass};
pub(crate) use tally::{Rule, Tally, bound};

use crate::npz::{Dtype, Npz};
use crate::{Check, Context, HarnessError, Kind, LayerClass, LayerSpec, Outcome, Subject};

/// The course's tests of a subject, on our fixtures.
///
/// Those of an `f64` subject are the course's; those of an `f32` subject, in groups that begin with
/// `tests_f4`, are the same with a bound for `f32`. A subject that the course does not test has none.
#[must_use]
pub fn checks<T: Scalar>(subject: &Subject<T>) -> Vec<Check> {
    let Some(class) = TestClass::of(subject) else { return vec![] };
    let official = T::DTYPE == "f8";
    let (prefix, kind) =
        if official { ("tests", Kind::Course) } else { ("tests_f4", Kind::Oracle) };
    let group = format!("{prefix}.{}.{}", class.module, class.name);
    let mut checks: Vec<Check> = Pass::ALL
        .map(|pass| {
            let subject = subject.clone();
            Check::new(subject.question(), kind, &group, pass.test_name(), move |context| {
                let file = class.file(&context.fixtures.join("course"));
                outcome(run(&subject, &file, pass, Rule::Relative(bound::<T>())))
            })
        })
        .into();
    if let (Subject::Layer(LayerClass::FullyConnected, layer), true) = (subject, official) {
        let layer = layer.clone();
        checks.push(Check::new(
            subject.question(),
            kind,
            &group,
            "test_init_params",
            move |context| init_params::outcome(layer.as_ref(), context.seed),
        ));
    }
    checks
}

/// The course's 25 tests of what users run, on the data that a user has
/// ([`Context::course_data`]): in `f32` on a file of `<f4`, otherwise in `f64`.
#[must_use]
pub fn checks_of_course_data() -> Vec<Check> {
    let narrow = Subject::<f32>::all_real();
    let mut all = Vec::new();
    for (wide, narrow) in Subject::<f64>::all_real().into_iter().zip(narrow) {
        let Some(class) = TestClass::of(&wide) else { continue };
        for check in checks(&wide) {
            let Some(pass) = Pass::ALL.into_iter().find(|pass| pass.test_name() == check.name)
            else {
                all.push(check);
                continue;
            };
            let (wide, narrow) = (wide.clone(), narrow.clone());
            all.push(Check::new(
                check.question,
                check.kind,
                check.group,
                check.name,
                move |context| outcome(run_on_course_data(&wide, &narrow, class, pass, context)),
            ));
        }
    }
    all
}

/// The folder with the course's files: `folder`, or the one below it where the course keeps them.
///
/// # Errors
/// [`HarnessError::NoCourseData`] if none of these has a file of the course.
pub fn data_folder(folder: &Path) -> Result<PathBuf, HarnessError> {
    let classes: Vec<_> =
        Subject::<f64>::all_real().iter().filter_map(TestClass::of::<f64>).collect();
    ["", "data", "tests/data"]
        .map(|below| folder.join(below))
        .into_iter()
        .find(|folder| classes.iter().any(|class| class.file(folder).exists()))
        .ok_or_else(|| HarnessError::NoCourseData { folder: folder.to_owned() })
}

fn run_on_course_data(
    wide: &Subject<f64>,
    narrow: &Subject<f32>,
    class: TestClass,
    pass: Pass,
    context: &Context,
) -> Result<Outcome, HarnessError> {
    let data = context.course_data.as_ref().expect("these checks are run with the user's data");
    let file = class.file(&data.folder);
    let rule = |bound| Rule::FourDecimals { also_relative: data.strict.then_some(bound) };
    let mut npz = Npz::open(&file)?;
    npz.entries()?;
    match npz.dtype(0, "input")? {
        Dtype::F8 => run(wide, &file, pass, rule(bound::<f64>())),
        Dtype::F4 => run(narrow, &file, pass, rule(bound::<f32>())),
    }
}

/// One of the course's classes of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TestClass {
    module: &'static str,
    name: &'static str,
}

impl TestClass {
    /// The class that tests this subject, if the course tests it.
    fn of<T: Scalar>(subject: &Subject<T>) -> Option<Self> {
        let name = match subject.name() {
            "Linear" => "TestLinear",
            "Sigmoid" => "TestSigmoid",
            "TanH" => "TestTanH",
            "ReLU" => "TestReLU",
            "SoftMax" => "TestSoftMax",
            "ArcTan" => "TestArcTan",
            "CrossEntropy" => "TestCrossEntropy",
            "L2" => "TestL2",
            "FullyConnected" => "TestFullyConnected",
            "Conv2D" => "TestConv2D",
            "Pool2D" => "TestPool2D",
            "Flatten" => "TestFlatten",
            _ => return None,
        };
        Some(Self { module: module(subject), name })
    }

    fn file(self, folder: &Path) -> PathBuf {
        folder.join(self.name).with_extension("npz")
    }
}

/// The course's module of tests that a subject belongs to.
pub(crate) fn module<T: Scalar>(subject: &Subject<T>) -> &'static str {
    match subject {
        Subject::Activation(..) => "test_activations",
        Subject::Layer(..) | Subject::Whitening(_) => "test_layers",
        Subject::Network(_) => "test_models",
        Subject::Einsum(_) => "test_einsum",
        Subject::Loss(..) | Subject::Smoothing(_) => "test_losses",
        Subject::Sgd(_) | Subject::Muon(_) | Subject::Schedule(_) => "test_optimizers",
    }
}

/// An outcome, or the error that prevented it.
pub(crate) fn outcome(result: Result<Outcome, HarnessError>) -> Outcome {
    result.unwrap_or_else(|error| Outcome::error(error.to_string()))
}

/// Compares what one pass of `subject` returns with every entry of `file`.
fn run<T: Scalar>(
    subject: &Subject<T>,
    file: &Path,
    pass: Pass,
    rule: Rule,
) -> Result<Outcome, HarnessError> {
    let mut npz = Npz::open(file)?;
    let entries = npz.entries()?;
    let count = match subject {
        Subject::Layer(class, _) => configurations::count(*class),
        _ => 1,
    };
    if !entries.is_multiple_of(count) {
        let file = file.to_owned();
        return Err(HarnessError::Entries { file, configurations: count, got: entries });
    }
    let mut tally = Tally::new(file, rule);
    for index in 0..entries {
        let entry = &mut Entry::new(&mut npz, index);
        match subject {
            Subject::Activation(_, activation) => {
                activation_pass(activation.as_ref(), entry, pass, &mut tally)?;
            }
            Subject::Loss(_, loss) => loss_pass(loss.as_ref(), entry, pass, &mut tally)?,
            Subject::Layer(class, layer) => {
                let spec = |example: &[usize]| -> Option<LayerSpec> {
                    let specs = configurations(*class, example)?;
                    specs.into_iter().nth(index / (entries / count))
                };
                layer_pass(layer.as_ref(), spec, entry, pass, &mut tally)?;
            }
            // `TestClass::of` has none for these.
            Subject::Network(_) | Subject::Einsum(_) => {}
            Subject::Sgd(_)
            | Subject::Muon(_)
            | Subject::Schedule(_)
            | Subject::Smoothing(_)
            | Subject::Whitening(_) => {}
        }
    }
    Ok(tally.outcome())
}

#[cfg(test)]
mod tests;
