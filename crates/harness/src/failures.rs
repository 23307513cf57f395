//! The failures of a run, those together that seem to have one cause.

use crate::foreign::{Explainer, Explanation};
use crate::transcript::Transcript;
use crate::{Check, Outcome};

/// A check that failed, and what is known of it.
pub(crate) struct Failure<'a> {
    check: &'a Check,
    outcome: &'a Outcome,
    explanation: Explanation,
}

/// Failures that seem to have one cause.
pub(crate) struct Cause<'a> {
    failures: Vec<&'a Failure<'a>>,
}

impl<'a> Failure<'a> {
    /// The failure of a check; of our own implementation, without an explainer, each has a cause of its own.
    pub(crate) fn new(
        check: &'a Check,
        outcome: &'a Outcome,
        explainer: Option<&mut Explainer<'_>>,
    ) -> Self {
        let explanation = match explainer {
            Some(explainer) => explainer.explanation(check, outcome),
            None => Explanation { text: String::new(), cause: check.id() },
        };
        Self { check, outcome, explanation }
    }

    /// What the failure looks like, if it is that of this check.
    pub(crate) fn explanation_of(&self, check: &Check) -> Option<&str> {
        (self.check.id() == check.id()).then_some(&*self.explanation.text)
    }
}

/// The failures by cause, or each alone, in the order of the checks.
pub(crate) fn by_cause<'a>(failures: &'a [Failure<'a>], together: bool) -> Vec<Cause<'a>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for failure in failures {
        let same = |own: &&mut Cause<'_>| {
            together && own.failures[0].explanation.cause == failure.explanation.cause
        };
        match causes.iter_mut().find(same) {
            Some(own) => own.failures.push(failure),
            None => causes.push(Cause { failures: vec![failure] }),
        }
    }
    causes
}

impl Cause<'_> {
    /// One of the failures in full, and the names of the others.
    pub(crate) fn text(&self, transcript: &Transcript, again: impl Fn(&Check) -> String) -> String {
        // The first with numbers to follow by hand, if there is one.
        let by_hand = |failure: &&Failure<'_>| failure.outcome.detail.contains("\n    ");
        let chosen = self.failures.iter().position(by_hand).unwrap_or(0);
        let Failure { check, outcome, explanation } = self.failures[chosen];
        let mut text = transcript.failure(check, outcome, &explanation.text, &again(check));
        for (index, other) in self.failures.iter().enumerate() {
            if index != chosen {
                text += &format!("the same in: {}\n", other.check.id());
            }
        }
        text
    }
}
