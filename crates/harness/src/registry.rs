//! Every check there is.

use std::collections::BTreeMap;

use crate::results::ControlRecord;
use crate::{Check, Kind, Outcome, controls, elementwise, finite_difference, rooms};

/// All checks, those of a question together and within it one kind after the other.
#[must_use]
pub fn all_checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for room in rooms::all() {
        let name = room.name;
        checks.extend((room.checks)().into_iter().map(|check| check.of(name)));
        checks.extend((room.free_checks)());
    }
    checks.extend(elementwise::free_checks());
    checks.push(finite_difference::formula_check());
    checks.extend(controls::checks());
    in_order(checks)
}

/// What the checks of deliberate bugs, among those that ran, say of them.
#[must_use]
pub fn control_records<'a>(
    ran: impl IntoIterator<Item = (&'a Check, &'a Outcome)>,
) -> Vec<ControlRecord> {
    let rooms = rooms::all();
    let of_room = rooms.iter().map(|room| (room.name, room.bugs));
    let bugs: BTreeMap<_, _> =
        of_room.flat_map(|(name, bugs)| bugs.iter().map(move |b| ((name, b.id), b.what))).collect();
    let record = |(check, outcome): (&Check, &Outcome)| {
        let subject = check.group.strip_prefix("controls.")?;
        let bug = bugs.get(&(subject, check.name.as_str()))?;
        Some(ControlRecord {
            id: check.name.clone(),
            question: check.question.to_owned(),
            subject: subject.to_owned(),
            bug: (*bug).to_owned(),
            caught_by: outcome.caught_by.clone(),
        })
    };
    ran.into_iter().filter_map(record).collect()
}

/// The course's 25 tests, which take a user's own copy of the course's data
/// ([`Context::course_data`](crate::Context::course_data)), too.
#[must_use]
pub fn course_data_checks() -> Vec<Check> {
    all_checks().into_iter().filter(|check| check.kind == Kind::Course).collect()
}

/// Checks of all questions come last. The sort is stable: within a kind, modules decide.
fn in_order(mut checks: Vec<Check>) -> Vec<Check> {
    checks.sort_by_key(|check| (check.question == "all", check.question, check.kind));
    checks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_checks_have_the_same_name() {
        let mut names = BTreeSet::new();
        for check in all_checks() {
            assert!(names.insert(check.id()), "{} is there twice", check.id());
        }
    }

    #[test]
    fn twenty_five_checks_are_the_courses() {
        let ids = |checks: Vec<Check>| -> BTreeSet<String> {
            checks.iter().filter(|check| check.kind == Kind::Course).map(Check::id).collect()
        };
        let classes = [
            ("test_activations", "Linear Sigmoid TanH ReLU SoftMax ArcTan"),
            ("test_layers", "FullyConnected Conv2D Pool2D Flatten"),
            ("test_losses", "CrossEntropy L2"),
        ];
        let mut expected = BTreeSet::new();
        for (module, names) in classes {
            for name in names.split(' ') {
                for test in ["test_forward", "test_backward"] {
                    expected.insert(format!("tests.{module}.Test{name}.{test}"));
                }
            }
        }
        expected.insert("tests.test_layers.TestFullyConnected.test_init_params".to_owned());
        assert_eq!(expected.len(), 25);
        assert_eq!(ids(all_checks()), expected);
        assert_eq!(ids(course_data_checks()), expected);
        assert_eq!(course_data_checks().len(), 25);
    }
}
