//! Rooms: whatever verifies one thing stands in one place.
//!
//! A room has the random cases and the corners of a layer, an activation, a loss or an optimiser, the
//! transcriptions of its formulas, its other claims, its worked examples and its deliberate bugs. The engines
//! know no room by name: they take a [`Room`] from the list in [`rooms`](crate::rooms).

use std::sync::Arc;

use crate::cases::{Case, Cases, Failure, Verdict};
use crate::finite_difference::{self, BOUND, Problem};
use crate::worked::Write;
use crate::{Check, Kind};

/// Random cases of each transcription and of each adjoint test.
const FORMULA_CASES: usize = 40;

/// Random cases of each other claim.
const CLAIM_CASES: usize = 20;

/// Conclusive cases of each finite-difference test.
const GRADIENT_CASES: usize = 256;

/// Elements of each tensor that finite differences look at in one case.
const ELEMENTS: usize = 64;

/// One thing that is verified, together with all that verifies it.
pub(crate) struct Room {
    /// Its name, as the course spells it: `"ReLU"`, `"Conv2D"`.
    pub(crate) name: &'static str,
    /// The question of the assignment that asks for it.
    pub(crate) question: &'static str,
    /// What makes the same claims as others: `"layer"`; the name of what is alone.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests tell the families apart"))]
    pub(crate) family: &'static str,
    /// The checks of what users run.
    pub(crate) checks: Box<dyn Fn() -> Vec<Check> + Send + Sync>,
    /// The checks that an implementation with this bug goes through; with the bug `""` it has none.
    pub(crate) checks_with: Box<dyn Fn(&'static str) -> Vec<Check> + Send + Sync>,
    /// Checks beside those of the implementation.
    pub(crate) free_checks: fn() -> Vec<Check>,
    /// The deliberate bugs.
    pub(crate) bugs: &'static [Bug],
    /// The worked examples of the book, by what the names of their tensors begin with.
    pub(crate) examples: &'static [(&'static str, Write)],
}

/// A mistake that people make.
pub(crate) struct Bug {
    /// A short name, by which the room builds an implementation with it.
    pub(crate) id: &'static str,
    /// What is wrong, in a sentence.
    pub(crate) what: &'static str,
    /// Kinds of check that must catch it; others may.
    pub(crate) caught_by: &'static [Kind],
}

/// A table of [`Bug`]s: `"id" [Kinds that catch it] "sentence"`.
macro_rules! bugs {
    ($($id:literal [$($kind:ident)*] $what:literal)*) => {
        &[$($crate::room::Bug { id: $id, what: $what, caught_by: &[$($crate::Kind::$kind),*] }),*]
    };
}
pub(crate) use bugs;

/// The room of what is no activation, layer or loss: those have rooms of their own.
pub(crate) struct PlainRoom<S: ?Sized + 'static> {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// What users run.
    pub(crate) real: fn() -> Arc<S>,
    /// An implementation with a bug, or with none.
    pub(crate) faulty: fn(&'static str) -> Arc<S>,
    /// Adds the checks of an implementation.
    pub(crate) checks: fn(&mut Checks<S>),
    /// See [`Room`].
    pub(crate) free_checks: fn() -> Vec<Check>,
    pub(crate) bugs: &'static [Bug],
    pub(crate) examples: &'static [(&'static str, Write)],
}

impl<S: ?Sized + Send + Sync> PlainRoom<S> {
    fn checks_of(&self, implementation: Arc<S>) -> Vec<Check> {
        let mut own = Checks::new(self.name, self.question, implementation);
        (self.checks)(&mut own);
        own.list
    }
}

impl<S: ?Sized + Send + Sync> From<&'static PlainRoom<S>> for Room {
    fn from(room: &'static PlainRoom<S>) -> Self {
        Self {
            name: room.name,
            question: room.question,
            family: room.name,
            checks: Box::new(|| room.checks_of((room.real)())),
            checks_with: Box::new(|bug| room.checks_of((room.faulty)(bug))),
            free_checks: room.free_checks,
            bugs: room.bugs,
            examples: room.examples,
        }
    }
}

/// The checks of one implementation, real or wrong.
pub(crate) struct Checks<S: ?Sized> {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// What is checked.
    pub(crate) subject: Arc<S>,
    pub(crate) list: Vec<Check>,
}

impl<S: ?Sized + Send + Sync + 'static> Checks<S> {
    pub(crate) fn new(name: &'static str, question: &'static str, subject: Arc<S>) -> Self {
        Self { name, question, subject, list: vec![] }
    }

    /// A claim that holds exactly.
    pub(crate) fn exactly(
        &mut self,
        name: &str,
        one: impl Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static,
    ) {
        self.within(0.0, name, one);
    }

    /// A claim that holds up to rounding: no element is off by more than `bound`.
    pub(crate) fn within(
        &mut self,
        bound: f64,
        name: &str,
        one: impl Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static,
    ) {
        let (cases, group) = (Cases::new(CLAIM_CASES, bound), format!("properties.{}", self.name));
        self.add(cases, self.question, Kind::Property, &group, name, one);
    }

    /// The transcription of the formula that the book has under this name.
    pub(crate) fn formula(
        &mut self,
        name: &str,
        bound: f64,
        one: impl Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static,
    ) {
        self.formula_of(self.question, name, bound, one);
    }

    /// A transcription that belongs to another question than the rest.
    pub(crate) fn formula_of(
        &mut self,
        question: &'static str,
        name: &str,
        bound: f64,
        one: impl Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static,
    ) {
        let cases = Cases::new(FORMULA_CASES, bound);
        self.add(cases, question, Kind::Formula, "formulas", name, one);
    }

    /// A test that forward and backward are transposes of each other.
    pub(crate) fn adjoint(
        &mut self,
        bound: f64,
        name: &str,
        one: impl Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static,
    ) {
        let (cases, group) = (Cases::new(FORMULA_CASES, bound), format!("adjoint.{}", self.name));
        self.add(cases, self.question, Kind::Adjoint, &group, name, one);
    }

    /// A finite-difference test, of so many listed cases and of random ones.
    pub(crate) fn gradient(
        &mut self,
        question: &'static str,
        name: &str,
        pinned: usize,
        problem: impl Fn(&S, &mut Case) -> Result<Box<dyn Problem>, Failure> + Send + Sync + 'static,
    ) {
        let cases = Cases { pinned, ..Cases::new(GRADIENT_CASES, BOUND) };
        self.add(cases, question, Kind::Gradient, "gradients", name, move |subject, case| {
            differentiate(&mut *problem(subject, case)?, case)
        });
    }

    fn add(
        &mut self,
        cases: Cases,
        question: &'static str,
        kind: Kind,
        group: &str,
        name: &str,
        one: impl Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static,
    ) {
        let subject = Arc::clone(&self.subject);
        self.list.push(cases.check(question, kind, group, name, move |case| one(&subject, case)));
    }
}

/// Compares the gradient of a problem with central differences.
pub(crate) fn differentiate(problem: &mut dyn Problem, case: &mut Case) -> Verdict {
    use finite_difference::Verdict::{Fail, Inconclusive, Pass};
    match finite_difference::compare(problem, ELEMENTS, |n| case.rng.below(n)) {
        Pass(error) => {
            case.measure(error, || "the largest error".to_owned());
            Ok(())
        }
        Inconclusive(why) => Err(Failure::Inconclusive(why)),
        Fail(what) => Err(Failure::Wrong(what)),
    }
}

/// A transcription of a formula of what is no implementation under test.
pub(crate) fn free_formula(
    question: &'static str,
    name: &str,
    bound: f64,
    one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
) -> Check {
    Cases::new(FORMULA_CASES, bound).check(question, Kind::Formula, "formulas", name, one)
}

/// A claim about what is no implementation under test.
pub(crate) fn free_claim(
    count: usize,
    bound: f64,
    group: &str,
    name: &str,
    one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
) -> Check {
    Cases::new(count, bound).check("5", Kind::Property, group, name, one)
}

#[cfg(test)]
mod tests {
    use ndarray::arr1;

    use super::*;
    use crate::finite_difference::{Evaluation, OneTensor};
    use crate::{Context, Status};

    #[test]
    fn a_kink_is_inconclusive_and_a_wrong_gradient_fails() {
        let mut own = Checks::new("Square", "all", Arc::new(2.0));
        // L = x |x| at a whole number of tenths, 0 and wrong ones among them.
        own.gradient("all", "Square", 1, |wrong, case| {
            let tenths = case.pinned().map_or_else(|| case.between(0, 20), |_| 30);
            let x = tenths as f64 / 10.0;
            let evaluate = |x: &ndarray::ArrayD<f64>| Evaluation {
                terms: vec![x[0] * x[0].abs()],
                piece: vec![u32::from(x[0] >= 0.0)],
            };
            let analytic = if tenths == 17 { *wrong } else { 2.0 * x };
            let [value, analytic] = [x, analytic].map(|x| arr1(&[x]).into_dyn());
            Ok(Box::new(OneTensor { name: "X", value, analytic, cancelled: 0.0, evaluate }))
        });
        let run = |case: &str| {
            own.list[0].outcome(&Context { case: Some(case.to_owned()), ..Context::default() })
        };
        // The choice that gives so many of 0 to 20 tenths.
        let of = |tenths: u64| run(&format!("1,{}", (tenths << 32).div_ceil(21)));
        assert_eq!((run("pinned-0").status, of(20).status), (Status::Ok, Status::Ok));
        assert!(of(0).detail.ends_with("is inconclusive: a kink was crossed"));
        assert!(of(17).detail.contains("dL/dX[0]: analytic 2.0000000000e0, numeric 3.4"));
    }
}
