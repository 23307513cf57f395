//! Which checks a name selects.

use crate::{Check, HarnessError, Kind};

/// The checks that `filter` selects, in order.
///
/// The first of these that selects any counts, so that the course's names select what the course's
/// commands run:
///
/// 1. a number of a question, `4.2`, or the first part of one, `4`;
/// 2. a name or the first parts of one: `tests.test_layers`, `formulas.relu-backward`, `gradients`;
/// 3. later parts of the name of one of the course's tests: `TestConv2D`, `TestReLU.test_forward`;
/// 4. later parts of another name;
/// 5. any piece of a name, upper or lower case.
///
/// # Errors
/// [`HarnessError::Usage`] if it selects none; it names the names that look like it.
pub fn select(checks: Vec<Check>, filter: &str) -> Result<Vec<Check>, HarnessError> {
    let begins = |name: &str| {
        name.strip_prefix(filter).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let contains = |id: &str| format!(".{id}.").contains(&format!(".{filter}."));
    let lower = filter.to_lowercase();
    let rules: [&dyn Fn(&Check) -> bool; 5] = [
        &|check| begins(check.question),
        &|check| begins(&check.id()),
        &|check| check.kind == Kind::Course && contains(&check.id()),
        &|check| contains(&check.id()),
        &|check| check.id().to_lowercase().contains(&lower),
    ];
    // An empty name would be a piece of every name.
    if let Some(rule) = rules.iter().find(|rule| !filter.is_empty() && checks.iter().any(rule)) {
        return Ok(checks.into_iter().filter(rule).collect());
    }
    let near = match near(&checks, filter) {
        names if names.is_empty() => String::new(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn checks() -> Vec<Check> {
        let check = |question, kind, group: &str, name: &str| {
            Check::new(question, kind, group, name, |_| Outcome::ok(1, ""))
        };
        vec![
            check("4.1", Kind::Course, "tests.test_activations.TestReLU", "test_forward"),
            check("4.2", Kind::Gradient, "gradients", "FullyConnected"),
            check("6.2", Kind::Course, "tests.test_layers.TestConv2D", "test_forward"),
            check("6.2", Kind::Course, "tests.test_layers.TestConv2D", "test_backward"),
            check("6.2", Kind::Oracle, "tests_f4.test_layers.TestConv2D", "test_forward"),
            check("6.2", Kind::Oracle, "extra.test_layers.TestConv2DPads", "test_forward"),
            check("6.2", Kind::Formula, "formulas", "conv2d-backward"),
        ]
    }

    fn selected(filter: &str) -> Vec<String> {
        select(checks(), filter).unwrap().iter().map(Check::id).collect()
    }

    #[test]
    fn the_courses_names_select_the_courses_tests() {
        let conv2d = [
            "tests.test_layers.TestConv2D.test_forward",
            "tests.test_layers.TestConv2D.test_backward",
        ];
        for filter in ["TestConv2D", "tests.test_layers", "tests.test_layers.TestConv2D"] {
            assert_eq!(selected(filter), conv2d, "{filter}");
        }
        assert_eq!(selected("tests.test_layers.TestConv2D.test_forward"), conv2d[..1]);
        assert_eq!(selected("TestConv2D.test_backward"), conv2d[1..]);
        assert_eq!(selected("test_forward").len(), 2);
        assert_eq!(selected("tests").len(), 3);
    }

    #[test]
    fn other_names_questions_and_pieces_select_too() {
        assert_eq!(selected("gradients"), ["gradients.FullyConnected"]);
        assert_eq!(selected("formulas.conv2d-backward"), ["formulas.conv2d-backward"]);
        assert_eq!(selected("tests_f4"), ["tests_f4.test_layers.TestConv2D.test_forward"]);
        assert_eq!(selected("TestConv2DPads").len(), 1);
        assert_eq!(selected("4.2"), ["gradients.FullyConnected"]);
        assert_eq!(selected("4").len(), 2);
        assert_eq!(selected("conv2D").len(), 5);
    }

    #[test]
    fn what_selects_nothing_lists_near_names() {
        let Err(error) = select(checks(), "TestConv3D") else { panic!("selected something") };
        let message = error.to_string();
        assert!(message.starts_with("no check is called \"TestConv3D\"; near names: TestConv2D,"));
        for nothing in ["", "8.1", "zzzzzzzz"] {
            assert!(select(checks(), nothing).is_err(), "{nothing}");
        }
    }
}
