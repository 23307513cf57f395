//! Implementations against an independent oracle, which wrote the files of test data.
//!
//! Beside the course's classes of tests it has what the course does not test: extreme inputs, every form of
//! padding, ties, gradients of the parameters, the fused loss, the optimiser and whole networks. The
//! configuration of each such entry stands in the manifest of the fixtures.

pub(crate) mod listed;

use std::sync::Arc;

use listed::{Listed, Manifest};
use numerics::Scalar;

use crate::course::{Entry, Pass, Rule, Tally, outcome};
use crate::foreign::if_supported;
use crate::npz::Npz;
use crate::once::once;
use crate::{Check, Context, HarnessError, Kind, Outcome, Result};

/// Compares one pass of an implementation with one entry of a file.
pub(crate) type Run =
    Arc<dyn Fn(Source<'_>, Entry<'_>, Pass, &mut Tally) -> Result<()> + Send + Sync>;

/// Where the configuration stands that an entry is of.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// In the course's tests, at this place.
    Course(usize),
    Manifest(&'a Listed),
}

/// A file of fixtures, and where the checks of its entries belong.
#[derive(Clone, Copy)]
pub(crate) struct Fixture {
    pub(crate) question: &'static str,
    /// The course's module of tests, which would have them: `"test_layers"`.
    pub(crate) module: &'static str,
    /// The name of the file in `fixtures/extra`, without its ending.
    pub(crate) file: &'static str,
    /// What its entries are of: `"conv2d"`.
    pub(crate) kind: &'static str,
    /// The test class; the file's name, unless several share a file.
    pub(crate) class: &'static str,
}

/// Compares with one entry, which the manifest lists.
type One = dyn Fn(&Listed, Entry<'_>, &mut Tally) -> Result<()> + Send + Sync;

impl Fixture {
    /// A check of every entry, in a group that begins with `extra`, or `extra_f4` for `f32`.
    pub(crate) fn check<T: Scalar>(
        self,
        test: &str,
        one: impl Fn(&Listed, Entry<'_>, &mut Tally) -> Result<()> + Send + Sync + 'static,
    ) -> Check {
        let prefix = if T::DTYPE == "f8" { "extra" } else { "extra_f4" };
        let group = format!("{prefix}.{}.Test{}", self.module, self.class);
        let one: Box<One> = Box::new(one);
        Check::new(self.question, Kind::Oracle, group, test, move |context| {
            outcome(self.run(context, Rule::relative::<T>(context), &*one))
        })
    }

    fn run(self, context: &Context, rule: Rule, one: &One) -> Result<Outcome> {
        let (fixtures, path) = (&context.fixtures, format!("extra/{}.npz", self.file));
        let manifest = once(&context.manifests, fixtures.join("manifest.toml"), Manifest::read)?;
        let listed = manifest.entries(&format!("fixtures/{path}"))?;
        let npz = once(&context.archives, fixtures.join(path), Npz::open)?;
        let (got, expected) = (npz.entries()?, listed.len());
        if got != expected {
            let what =
                format!("expected the {expected} entries of the manifest, but there are {got}");
            return Err(HarnessError::file(&npz.file, what));
        }
        let mut tally = Tally::new(&npz.file, rule);
        for (index, listed) in listed.iter().enumerate() {
            if listed.kind() != self.kind {
                return Err(listed.invalid("a kind that has no place in this file"));
            }
            let one = || one(listed, Entry { npz: &npz, index }, &mut tally);
            match if_supported(one) {
                Ok(compared) => compared?,
                Err(why) => tally.skipped = Some(why),
            }
        }
        Ok(tally.outcome())
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use std::path::Path;

    use super::*;
    use crate::registry;

    /// The outcomes of the checks in groups whose names begin so.
    fn outcomes(group: &str, context: &Context) -> Vec<Outcome> {
        let checks = registry::all_checks().into_iter();
        checks.filter(|check| check.group.starts_with(group)).map(|c| c.outcome(context)).collect()
    }

    pub(crate) fn every_entry_is_compared() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        let context = Context { fixtures, seed: 1, ..Context::default() };
        let cases = |group| outcomes(group, &context).iter().map(|o| o.cases).sum::<usize>();
        // 6 activations, fully-connected, convolution, pooling, flatten, losses; in `f64` 50 random sizes
        // are built as well.
        let of_course = 2 * (6 * 6 + 18 + 20 + 20 + 4 + 6 + 6);
        assert_eq!((cases("tests."), cases("tests_f4.")), (of_course + 50, of_course));
        // Of 13 + 4 activations, 12 fully-connected layers, 23 convolutions, 16 poolings, 4 global
        // ones, 4 batch normalisations, 6 dropouts, 3 + 7 losses:
        // output and dL/dX; dW and db of 35 layers; dγ, dβ and the prediction of 4; the prediction of 6.
        let layers_and_losses = 2 * (17 + 12 + 23 + 16 + 4 + 4 + 6 + 10) + 2 * 35 + 3 * 4 + 6;
        // By Winograd's kernels, Z, dL/dX and dW of 4 of the convolutions; filters and outputs of 3 layers that
        // begin as the identity.
        let weights = 3 * 4 + 2 * 3;
        // 5 + 10 optimisers; Muon of 7 parameters; 12 smoothed targets, each with loss and gradient.
        let both = layers_and_losses + weights + 5 + 10 + 7 + 3 * 12;
        // A schedule has one precision, and so have the two networks of three layers with parameters:
        // outputs; dW and db; losses, W and b. Second moments and filters of 4 whitenings.
        let once = 13 + 2 + 2 * 6 + 2 * 7 + 2 * 4;
        assert_eq!((cases("extra."), cases("extra_f4.")), (both + once, both));
    }

    pub(crate) fn without_the_manifest_nothing_passes() {
        let nowhere = tempfile::tempdir().unwrap();
        let context = Context { fixtures: nowhere.path().to_owned(), ..Context::default() };
        for outcome in outcomes("extra", &context) {
            assert!(outcome.detail.contains("manifest.toml: cannot be read"), "{outcome:?}");
        }
    }
}
