//! The negative control: deliberate bugs, each of which the checks must catch.
//!
//! A harness that has never failed proves nothing. Every bug here is a mistake that people make; it
//! is built into an implementation that is otherwise right, and goes through the very checks that
//! the real implementations pass. For each we record which kinds of check fail. The same
//! implementations without their bug pass everything, which shows that it is the bug that is caught.
//!
//! One lesson of the table: the course's 25 tests never look at `dL/dW` and `dL/db`. Every bug that is
//! confined to them passes the course's tests and is caught by the other kinds only.

mod activations;
mod batch_norm;
mod conv2d;
mod dropout;
mod einsum;
mod fully_connected;
mod global_average_pool2d;
mod losses;
mod muon;
mod naive_layer;
mod network;
mod pool2d;
mod training;
mod whitening;

use crate::{
    Check, Context, Kind, Outcome, Subject, adjoint, course, formulas, gradients, oracle,
    properties,
};

/// One deliberate bug.
pub struct Control {
    /// A short name.
    pub id: &'static str,
    /// What is wrong, in a sentence.
    pub bug: &'static str,
    /// Kinds of check that must catch it; others may.
    pub expected: &'static [Kind],
    /// The implementation with the bug.
    pub subject: Subject<f64>,
}

/// Every deliberate bug.
#[must_use]
pub fn all() -> Vec<Control> {
    let mut all = activations::controls();
    all.extend(losses::controls());
    all.extend(fully_connected::controls());
    all.extend(conv2d::controls());
    all.extend(pool2d::controls());
    all.extend(network::controls());
    all.extend(einsum::controls());
    all.extend(global_average_pool2d::controls());
    all.extend(batch_norm::controls());
    all.extend(training::controls());
    all.extend(muon::controls());
    all.extend(dropout::controls());
    all.extend(whitening::controls());
    all
}

/// The implementations that carry the bugs, without them.
#[must_use]
pub fn without_bugs() -> Vec<Subject<f64>> {
    [
        activations::without_bugs(),
        losses::without_bugs(),
        fully_connected::without_bugs(),
        conv2d::without_bugs(),
        pool2d::without_bugs(),
        network::without_bugs(),
        einsum::without_bugs(),
        global_average_pool2d::without_bugs(),
        batch_norm::without_bugs(),
        training::without_bugs(),
        muon::without_bugs(),
        dropout::without_bugs(),
        whitening::without_bugs(),
    ]
    .concat()
}

/// One check for each bug: it passes if the bug is caught.
#[must_use]
pub fn checks() -> Vec<Check> {
    let bugs = all().into_iter().map(|control| {
        let group = format!("controls.{}", control.subject.name());
        let question = control.subject.question();
        Check::new(question, Kind::Control, group, control.id, move |context| {
            judge(&control, context)
        })
    });
    let siblings = without_bugs().into_iter().map(|subject| {
        let group = format!("controls.{}", subject.name());
        Check::new(subject.question(), Kind::Control, group, "without-bug", move |context| {
            sibling(&subject, context)
        })
    });
    bugs.chain(siblings).collect()
}

/// The checks that a subject goes through.
fn checks_of(subject: &Subject<f64>) -> Vec<Check> {
    let mut checks = course::checks(subject);
    checks.extend(oracle::checks(subject));
    checks.extend(gradients::checks(subject));
    checks.extend(formulas::checks(subject));
    checks.extend(adjoint::checks(subject));
    checks.extend(properties::checks(subject));
    checks
}

fn judge(control: &Control, context: &Context) -> Outcome {
    let mut caught_by: Vec<Kind> = checks_of(&control.subject)
        .into_iter()
        .filter(|check| !run(check, context).passed())
        .map(|check| check.kind)
        .collect();
    caught_by.sort_unstable();
    caught_by.dedup();
    let names = |kinds: &[Kind]| {
        kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect::<Vec<_>>().join(", ")
    };
    let missed: Vec<Kind> =
        control.expected.iter().copied().filter(|kind| !caught_by.contains(kind)).collect();
    let outcome = if caught_by.is_empty() {
        Outcome::fail(format!("no check notices that {}", control.bug))
    } else if missed.is_empty() {
        Outcome::ok(1, format!("caught by {}", names(&caught_by)))
    } else {
        let (caught, missed) = (names(&caught_by), names(&missed));
        Outcome::fail(format!("caught by {caught}, but it should be caught by {missed} as well"))
    };
    Outcome { caught_by, ..outcome }
}

fn sibling(subject: &Subject<f64>, context: &Context) -> Outcome {
    let checks = checks_of(subject);
    for check in &checks {
        let outcome = run(check, context);
        if !outcome.passed() {
            return Outcome::fail(format!(
                "{} fails without a bug: {}",
                check.id(),
                outcome.detail
            ));
        }
    }
    Outcome::ok(checks.len(), format!("passes {} checks", checks.len()))
}

/// The outcome on the fixtures: a case or files that the user named belong to a real subject.
fn run(check: &Check, context: &Context) -> Outcome {
    // A bug may also show as a panic, which counts as noticed.
    check.outcome(&Context { case: None, course_data: None, ..context.clone() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_at_least_25_bugs_under_names_of_their_own() {
        let all = all();
        let names: BTreeSet<_> = all.iter().map(|c| (c.subject.name(), c.id)).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.len() >= 25, "{}", all.len());
        assert!(all.iter().all(|control| !control.expected.is_empty()));
    }
}
