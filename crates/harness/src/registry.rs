//! Every check there is.

use crate::{Check, Kind, controls, derivative, elementwise, finite_difference, rooms};

/// All checks, those of a question together and within it one kind after the other.
pub(crate) fn all_checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for room in rooms::all() {
        checks.extend((room.checks)().into_iter().map(|check| check.of(room.name)));
        checks.extend((room.free_checks)());
    }
    checks.extend(elementwise::free_checks());
    checks.extend(derivative::checks());
    checks.push(finite_difference::formula_check());
    checks.extend(controls::checks());
    // Checks of all questions come last. The sort is stable: within a kind, modules decide.
    checks.sort_by_key(|check| (check.question == "all", check.question, check.kind));
    checks
}

/// The course's 25 tests, which take a user's own copy of the course's data
/// ([`Context::course_data`](crate::Context::course_data)), too.
pub(crate) fn course_data_checks() -> Vec<Check> {
    all_checks().into_iter().filter(|check| check.kind == Kind::Course).collect()
}

pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    pub(crate) fn no_two_checks_have_the_same_name_and_each_bug_has_a_kind_that_catches_it() {
        let mut names = BTreeSet::new();
        for check in all_checks() {
            assert!(names.insert(check.id()), "{} is there twice", check.id());
            assert!(check.bug.is_none_or(|(_, bug)| !bug.caught_by.is_empty()), "{}", check.id());
        }
    }

    pub(crate) fn twenty_five_checks_are_the_courses() {
        let mut expected =
            BTreeSet::from(["tests.test_layers.TestFullyConnected.test_init_params".to_owned()]);
        for (module, names) in [
            ("test_activations", "Linear Sigmoid TanH ReLU SoftMax ArcTan"),
            ("test_layers", "FullyConnected Conv2D Pool2D Flatten"),
            ("test_losses", "CrossEntropy L2"),
        ] {
            for name in names.split(' ') {
                expected.insert(format!("tests.{module}.Test{name}.test_forward"));
                expected.insert(format!("tests.{module}.Test{name}.test_backward"));
            }
        }
        let checks = course_data_checks();
        assert_eq!((checks.len(), checks.iter().map(Check::id).collect()), (25, expected));
    }
}
