//! Rooms: whatever verifies one thing stands in one place.
//!
//! A room has the random cases and the corners of a layer, an activation, a loss or an optimiser, the
//! transcriptions of its formulas, its other claims, its worked examples and its deliberate bugs. The engines
//! know no room by name: they take a [`Room`] from the list in [`rooms`](crate::rooms).

use std::sync::Arc;

use crate::cases::{Case, Cases, Failure, Verdict};
use crate::finite_difference::{BOUND, Problem, compare};
use crate::foreign::Program;
use crate::worked::Write;
use crate::{Check, Kind};

/// Random cases of each transcription and of each adjoint test.
const FORMULA_CASES: usize = 40;

/// Random cases of each other claim.
const CLAIM_CASES: usize = 20;

/// Conclusive cases of each finite-difference test.
const GRADIENT_CASES: usize = 256;

/// One thing that is verified, together with all that verifies it.
pub(crate) struct Room {
    /// Its name, as the course spells it: `"ReLU"`, `"Conv2D"`.
    pub(crate) name: &'static str,
    /// The question of the assignment that asks for it.
    pub(crate) question: &'static str,
    /// What makes the same claims as others: `"layer"`; the name of what is alone.
    pub(crate) family: &'static str,
    /// The checks of what users run.
    pub(crate) checks: Box<dyn Fn() -> Vec<Check> + Send + Sync>,
    /// The checks of a program, if it has what the room is of.
    pub(crate) checks_of_program: Box<ChecksOfProgram>,
    /// The checks that an implementation with this bug goes through; with the bug `""` it has none.
    pub(crate) checks_with: Box<dyn Fn(&'static str) -> Vec<Check> + Send + Sync>,
    /// Checks beside those of the implementation.
    pub(crate) free_checks: fn() -> Vec<Check>,
    /// The deliberate bugs.
    pub(crate) bugs: &'static [Bug],
    /// The worked examples of the book, by what the names of their tensors begin with.
    pub(crate) examples: &'static [(&'static str, Write)],
}

type ChecksOfProgram = dyn Fn(&Arc<Program>) -> Vec<Check> + Send + Sync;

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
    /// That of a program, if it has one.
    pub(crate) of_program: fn(&Arc<Program>) -> Option<Arc<S>>,
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
            checks_of_program: Box::new(|program| {
                (room.of_program)(program).map(|own| room.checks_of(own)).unwrap_or_default()
            }),
            checks_with: Box::new(|bug| room.checks_of((room.faulty)(bug))),
            free_checks: room.free_checks,
            bugs: room.bugs,
            examples: room.examples,
        }
    }
}

/// A claim about an implementation, judged on one case.
pub(crate) trait Claim<S: ?Sized>:
    Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static
{
}

impl<S: ?Sized, F: Fn(&S, &mut Case) -> Verdict + Send + Sync + 'static> Claim<S> for F {}

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
    pub(crate) fn exactly(&mut self, name: &str, one: impl Claim<S>) {
        self.within(0.0, name, one);
    }

    /// A claim that holds up to rounding: no element is off by more than `bound`.
    pub(crate) fn within(&mut self, bound: f64, name: &str, one: impl Claim<S>) {
        let (cases, group) = (Cases::new(CLAIM_CASES, bound), format!("properties.{}", self.name));
        self.add(cases, self.question, Kind::Property, group, name, Box::new(one));
    }

    /// The transcription of the formula that the book has under this name.
    pub(crate) fn formula(&mut self, name: &str, bound: f64, one: impl Claim<S>) {
        self.formula_of(self.question, name, bound, one);
    }

    /// A transcription that belongs to another question than the rest.
    pub(crate) fn formula_of(
        &mut self,
        question: &'static str,
        name: &str,
        bound: f64,
        one: impl Claim<S>,
    ) {
        let cases = Cases::new(FORMULA_CASES, bound);
        self.add(cases, question, Kind::Formula, "formulas".to_owned(), name, Box::new(one));
    }

    /// A test that forward and backward are transposes of each other.
    pub(crate) fn adjoint(&mut self, bound: f64, name: &str, one: impl Claim<S>) {
        let (cases, group) = (Cases::new(FORMULA_CASES, bound), format!("adjoint.{}", self.name));
        self.add(cases, self.question, Kind::Adjoint, group, name, Box::new(one));
    }

    /// A claim about each of so many shapes, which holds exactly.
    pub(crate) fn proof(&mut self, name: &str, shapes: usize, one: impl Claim<S>) {
        let (cases, group) = (Cases::new(0, 0.0), format!("proofs.{}", self.name));
        let cases = Cases { pinned: shapes, ..cases };
        self.add(cases, self.question, Kind::Proof, group, name, Box::new(one));
    }

    /// A finite-difference test, of so many listed cases and of random ones.
    pub(crate) fn gradient(
        &mut self,
        question: &'static str,
        name: &str,
        pinned: usize,
        problem: impl Fn(&S, &mut Case) -> Result<Problem, Failure> + Send + Sync + 'static,
    ) {
        let cases = Cases { pinned, ..Cases::new(GRADIENT_CASES, BOUND) };
        let one = move |subject: &S, case: &mut Case| {
            let mut problem = problem(subject, case)?;
            let (elements, bound) = (case.elements, BOUND.max(case.slack));
            let error = compare(&mut problem, elements, bound, &mut |n| case.rng.below(n))?;
            case.measure(error, || "the largest error".to_owned());
            Ok(())
        };
        self.add(cases, question, Kind::Gradient, "gradients".to_owned(), name, Box::new(one));
    }

    /// Not generic in the claim, so that it is compiled once and not for each of the hundreds of checks.
    fn add(
        &mut self,
        cases: Cases,
        question: &'static str,
        kind: Kind,
        group: String,
        name: &str,
        one: Box<dyn Claim<S>>,
    ) {
        let subject = Arc::clone(&self.subject);
        let one = Box::new(move |case: &mut Case| one(&subject, case));
        self.list.push(cases.check(question, kind, group, name, one));
    }
}

/// A transcription of a formula of what is no implementation under test.
pub(crate) fn free_formula(
    question: &'static str,
    name: &str,
    bound: f64,
    one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
) -> Check {
    let (cases, group) = (Cases::new(FORMULA_CASES, bound), "formulas".to_owned());
    cases.check(question, Kind::Formula, group, name, Box::new(one))
}

/// A claim about what is no implementation under test.
pub(crate) fn free_claim(
    count: usize,
    bound: f64,
    group: &str,
    name: &str,
    one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
) -> Check {
    Cases::new(count, bound).check("5", Kind::Property, group.to_owned(), name, Box::new(one))
}
