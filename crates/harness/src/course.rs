//! The course's 25 tests, under the course's names.
//!
//! Each of twelve test classes has a file of entries, computed by an implementation that shares
//! nothing with this one, and two tests: what `forward` returns and what `backward` returns.
//! `TestFullyConnected` has a third, without a file, on the shapes of its parameters.

mod entry;
pub(crate) mod tally;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use entry::{Entry, Pass, cast};
pub(crate) use tally::{Rule, Tally, bound};

use numerics::Scalar;

use crate::foreign::if_supported;
use crate::npz::{Dtype, Npz};
use crate::once::once;
use crate::oracle::{Fixture, Run, Source};
use crate::{Check, Context, HarnessError, Kind, Outcome, Result, registry};

/// A class of tests: of an activation, a loss or a class of layers.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    pub(crate) question: &'static str,
    /// The module: `"test_layers"`.
    pub(crate) module: &'static str,
    /// The name of what it tests: `"Conv2D"`.
    pub(crate) name: &'static str,
    /// How many configurations the entries of the course's file are shared out among; 0 if it has none.
    pub(crate) configurations: usize,
    /// A further file, and the passes that are compared with it.
    pub(crate) further: Option<(Fixture, &'static [Pass])>,
}

impl Class {
    /// The tests of an implementation. The course's run on our fixtures or on a user's own files
    /// ([`Context::course_data`]): with `narrow` on a file of `<f4`, otherwise with `wide`.
    pub(crate) fn checks(self, wide: &Run, narrow: &Run) -> Vec<Check> {
        let (of_wide, of_narrow) = (Arc::clone(wide), Arc::clone(narrow));
        let mut checks = self.of_course("tests", Kind::Course, move |context, pass| {
            let Some(data) = &context.course_data else {
                return self.on_fixtures::<f64>(context, &of_wide, pass);
            };
            let npz = once(&context.archives, self.file(&data.folder), Npz::open)?;
            npz.entries()?;
            let (run, bound) = match npz.dtype(0, "input")? {
                Dtype::F8 => (&of_wide, bound::<f64>()),
                Dtype::F4 => (&of_narrow, bound::<f32>()),
            };
            let rule = Rule { relative: data.strict.then_some(bound), four_decimals: true };
            self.compare(&npz, rule, run, pass)
        });
        checks.extend(self.further::<f64>(wide));
        checks
    }

    /// The tests of an implementation in `f32`, on our fixtures.
    pub(crate) fn narrow_checks(self, narrow: &Run) -> Vec<Check> {
        let run = Arc::clone(narrow);
        let mut checks = self.of_course("tests_f4", Kind::Oracle, move |context, pass| {
            self.on_fixtures::<f32>(context, &run, pass)
        });
        checks.extend(self.further::<f32>(narrow));
        checks
    }

    fn of_course(
        self,
        prefix: &str,
        kind: Kind,
        run: impl Fn(&Context, Pass) -> Result<Outcome> + Clone + Send + Sync + 'static,
    ) -> Vec<Check> {
        let passes = if self.configurations > 0 { &Pass::BOTH[..] } else { &[] };
        let group = format!("{prefix}.{}.Test{}", self.module, self.name);
        let check = |&pass: &Pass| {
            let run = run.clone();
            let run = move |context: &Context| outcome(run(context, pass));
            Check::new(self.question, kind, &*group, pass.test_name(), run)
        };
        passes.iter().map(check).collect()
    }

    fn further<T: Scalar>(self, run: &Run) -> impl Iterator<Item = Check> {
        self.further.into_iter().flat_map(move |(fixture, passes)| {
            passes.iter().map(move |&pass| {
                let run = Arc::clone(run);
                fixture.check::<T>(pass.test_name(), move |listed, entry, tally| {
                    run(Source::Manifest(listed), entry, pass, tally)
                })
            })
        })
    }

    fn file(self, folder: &Path) -> PathBuf {
        folder.join(format!("Test{}.npz", self.name))
    }

    fn on_fixtures<T: Scalar>(self, context: &Context, run: &Run, pass: Pass) -> Result<Outcome> {
        let file = self.file(&context.fixtures.join("course"));
        let npz = once(&context.archives, file, Npz::open)?;
        self.compare(&npz, Rule::relative::<T>(context), run, pass)
    }

    /// Compares what a pass returns with every entry of a file.
    fn compare(self, npz: &Npz, rule: Rule, run: &Run, pass: Pass) -> Result<Outcome> {
        let (entries, configurations) = (npz.entries()?, self.configurations);
        if !entries.is_multiple_of(configurations) {
            let what = format!(
                "expected the same number of entries for each of {configurations} configurations, but \
                 there are {entries} entries"
            );
            return Err(HarnessError::file(&npz.file, what));
        }
        let mut tally = Tally::new(&npz.file, rule);
        for index in 0..entries {
            let source = Source::Course(index / (entries / configurations));
            match if_supported(|| run(source, Entry { npz, index }, pass, &mut tally)) {
                Ok(compared) => compared?,
                Err(why) => tally.skipped = Some(why),
            }
        }
        Ok(tally.outcome())
    }
}

/// The folder with the course's files: `folder`, or the one below it where the course keeps them.
pub(crate) fn data_folder(folder: &Path) -> Result<PathBuf> {
    let checks = registry::course_data_checks();
    let classes = checks.iter().filter_map(|check| check.group.rsplit('.').next());
    let files: Vec<String> = classes.map(|class| format!("{class}.npz")).collect();
    ["", "data", "tests/data"]
        .map(|below| folder.join(below))
        .into_iter()
        .find(|folder| files.iter().any(|file| folder.join(file).exists()))
        .ok_or_else(|| {
            HarnessError::Usage(format!(
                "{}: expected a folder with TestReLU.npz and the other files of the course, but neither \
                 it nor data or tests/data below it has one of them",
                folder.display()
            ))
        })
}

/// An outcome, or the error that prevented it.
pub(crate) fn outcome(result: Result<Outcome>) -> Outcome {
    result.unwrap_or_else(|error| Outcome::error(error.to_string()))
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests;
