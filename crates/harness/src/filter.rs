//! Which checks a name selects.

use crate::{Check, HarnessError, Kind, Result};

/// The checks that `filter` selects, in order.
///
/// The first of these that selects any counts, so that the course's names select what the course's
/// commands run:
///
/// 1. a number of a question, `4.2`, or the first part of one, `4`;
/// 2. a name or the first parts of one: `tests.test_layers`, `formulas.relu-backward`, `gradients`;
/// 3. later parts of the name of one of the course's tests: `TestConv2D`, `TestReLU.test_forward`;
/// 4. the name of a room, `Conv2D`, or later parts of another name;
/// 5. any piece of a name, upper or lower case.
///
/// The error, if it selects none, names those that look like it.
pub(crate) fn select(checks: Vec<Check>, filter: &str) -> Result<Vec<Check>> {
    let begins = |name: &str| {
        name.strip_prefix(filter).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let contains = |id: &str| format!(".{id}.").contains(&format!(".{filter}."));
    let lower = filter.to_lowercase();
    let rules: [&dyn Fn(&Check) -> bool; 5] = [
        &|check| begins(check.question),
        &|check| begins(&check.id()),
        &|check| check.kind == Kind::Course && contains(&check.id()),
        &|check| check.subject == Some(filter) || contains(&check.id()),
        &|check| check.id().to_lowercase().contains(&lower),
    ];
    // An empty name would be a piece of every name.
    if let Some(rule) = rules.iter().find(|rule| !filter.is_empty() && checks.iter().any(rule)) {
        return Ok(checks.into_iter().filter(rule).collect());
    }
    let near = match &*near(&checks, filter) {
        [] => String::new(),
        names => format!("; near names: {}", names.join(", ")),
    };
    Err(HarnessError::Usage(format!(
        "no check is called {filter:?}{near}; cargo xtask test --list lists them all"
    )))
}

/// The five names that look most like `filter`: of checks, of groups and of their last parts.
fn near(checks: &[Check], filter: &str) -> Vec<String> {
    let mut names: Vec<String> = checks
        .iter()
        .flat_map(|check| {
            let class = check.group.rsplit('.').next().unwrap_or_default();
            [check.id(), check.group.clone(), class.to_owned(), check.name.clone()]
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(name, filter);
    names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    names.retain(|name| likeness(name) > 0.4);
    names.truncate(5);
    names
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use super::*;
    use crate::Outcome;

    fn checks() -> Vec<Check> {
        [
            ("4.1", Kind::Course, "tests.test_activations.TestReLU", "test_forward"),
            ("4.2", Kind::Gradient, "gradients", "FullyConnected"),
            ("6.2", Kind::Course, "tests.test_layers.TestConv2D", "test_forward"),
            ("6.2", Kind::Course, "tests.test_layers.TestConv2D", "test_backward"),
            ("6.2", Kind::Oracle, "tests_f4.test_layers.TestConv2D", "test_forward"),
            ("6.2", Kind::Oracle, "extra.test_layers.TestConv2DPads", "test_forward"),
            ("6.2", Kind::Formula, "formulas", "conv2d-backward"),
        ]
        .map(|(question, kind, group, name)| {
            Check::new(question, kind, group, name, |_| Outcome::ok(1, ""))
        })
        .into()
    }

    pub(crate) fn names_parts_of_names_and_questions_select_those_of_the_course_first() {
        let all = checks();
        for (filter, expected) in [
            ("TestConv2D", &[2, 3][..]),
            ("tests.test_layers", &[2, 3]),
            ("tests.test_layers.TestConv2D", &[2, 3]),
            ("tests.test_layers.TestConv2D.test_forward", &[2]),
            ("TestConv2D.test_backward", &[3]),
            ("test_forward", &[0, 2]),
            ("tests", &[0, 2, 3]),
            ("gradients", &[1]),
            ("formulas.conv2d-backward", &[6]),
            ("tests_f4", &[4]),
            ("TestConv2DPads", &[5]),
            ("4.2", &[1]),
            ("4", &[0, 1]),
            ("conv2D", &[2, 3, 4, 5, 6]),
        ] {
            let selected = select(checks(), filter).unwrap();
            let expected: Vec<_> = expected.iter().map(|&index: &usize| all[index].id()).collect();
            assert_eq!(selected.iter().map(Check::id).collect::<Vec<_>>(), expected, "{filter}");
        }
    }

    pub(crate) fn what_selects_nothing_lists_near_names() {
        let Err(error) = select(checks(), "TestConv3D") else { panic!("selected something") };
        let message = error.to_string();
        assert!(message.starts_with("no check is called \"TestConv3D\"; near names: TestConv2D,"));
        for nothing in ["", "8.1", "zzzzzzzz"] {
            assert!(select(checks(), nothing).is_err(), "{nothing}");
        }
    }
}
