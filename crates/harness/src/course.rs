//! The course's 25 tests, under the course's names.
//!
//! Each of twelve test classes has a file of entries, computed by an implementation that shares
//! nothing with this one, and two tests: what `forward` returns and what `backward` returns.
//! `TestFullyConnected` has a third, without a file, on the shapes of its parameters.

mod entry;
mod pass;
mod tally;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use entry::Entry;
pub(crate) use pass::{Pass, cast};
pub(crate) use tally::{Rule, Tally, bound};

use crate::npz::{Dtype, Npz};
use crate::{Check, Context, HarnessError, Kind, Outcome, registry};

/// What one pass makes of one entry of a file, which has this configuration.
pub(crate) type Run =
    Arc<dyn Fn(usize, &mut Entry<'_>, Pass, &mut Tally) -> Result<(), HarnessError> + Send + Sync>;

/// One of the course's classes of tests.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    pub(crate) question: &'static str,
    /// The module: `"test_layers"`.
    pub(crate) module: &'static str,
    /// The name of what it tests: `"Conv2D"`.
    pub(crate) name: &'static str,
    /// How many configurations the entries of a file are shared out among.
    pub(crate) configurations: usize,
}

impl Class {
    /// The course's tests of an implementation, on our fixtures or on a user's own files
    /// ([`Context::course_data`]): with `narrow` on a file of `<f4`, otherwise with `wide`.
    pub(crate) fn checks(self, wide: &Run, narrow: &Run) -> [Check; 2] {
        Pass::ALL.map(|pass| {
            let (wide, narrow) = (wide.clone(), narrow.clone());
            let group = format!("tests.{}.Test{}", self.module, self.name);
            Check::new(self.question, Kind::Course, group, pass.test_name(), move |context| {
                outcome(self.run(&wide, &narrow, pass, context))
            })
        })
    }

    /// The same on our fixtures in `f32`, with its bound.
    pub(crate) fn narrow_checks(self, narrow: &Run) -> [Check; 2] {
        Pass::ALL.map(|pass| {
            let narrow = narrow.clone();
            let group = format!("tests_f4.{}.Test{}", self.module, self.name);
            Check::new(self.question, Kind::Oracle, group, pass.test_name(), move |context| {
                let file = self.file(&context.fixtures.join("course"));
                outcome(self.compare(&narrow, &file, pass, Rule::Relative(bound::<f32>())))
            })
        })
    }

    fn file(self, folder: &Path) -> PathBuf {
        folder.join(format!("Test{}.npz", self.name))
    }

    fn run(
        self,
        wide: &Run,
        narrow: &Run,
        pass: Pass,
        context: &Context,
    ) -> Result<Outcome, HarnessError> {
        let Some(data) = &context.course_data else {
            let file = self.file(&context.fixtures.join("course"));
            return self.compare(wide, &file, pass, Rule::Relative(bound::<f64>()));
        };
        let file = self.file(&data.folder);
        let rule = |bound| Rule::FourDecimals { also_relative: data.strict.then_some(bound) };
        let mut npz = Npz::open(&file)?;
        npz.entries()?;
        match npz.dtype(0, "input")? {
            Dtype::F8 => self.compare(wide, &file, pass, rule(bound::<f64>())),
            Dtype::F4 => self.compare(narrow, &file, pass, rule(bound::<f32>())),
        }
    }

    /// Compares what a pass returns with every entry of `file`.
    fn compare(
        self,
        run: &Run,
        file: &Path,
        pass: Pass,
        rule: Rule,
    ) -> Result<Outcome, HarnessError> {
        let mut npz = Npz::open(file)?;
        let (entries, configurations) = (npz.entries()?, self.configurations);
        if !entries.is_multiple_of(configurations) {
            let what = format!(
                "expected the same number of entries for each of {configurations} configurations, but \
                 there are {entries} entries"
            );
            return Err(HarnessError::file(file, what));
        }
        let mut tally = Tally::new(file, rule);
        for index in 0..entries {
            let configuration = index / (entries / configurations);
            run(configuration, &mut Entry::new(&mut npz, index), pass, &mut tally)?;
        }
        Ok(tally.outcome())
    }
}

/// The folder with the course's files: `folder`, or the one below it where the course keeps them.
///
/// # Errors
/// [`HarnessError::Usage`] if none of these has a file of the course.
pub fn data_folder(folder: &Path) -> Result<PathBuf, HarnessError> {
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
pub(crate) fn outcome(result: Result<Outcome, HarnessError>) -> Outcome {
    result.unwrap_or_else(|error| Outcome::error(error.to_string()))
}

#[cfg(test)]
mod tests;
