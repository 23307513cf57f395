//! The negative control: deliberate bugs, each of which the checks must catch.
//!
//! A harness that has never failed proves nothing. Every bug here is a mistake that people make; it
//! is built into an implementation that is otherwise right, and goes through the very checks that
//! the real implementations pass. For each we record which kinds of check fail. The same
//! implementations without their bug pass everything, which shows that it is the bug that is caught.
//!
//! One lesson of the table: the course's 25 tests never look at `dL/dW` and `dL/db`. Every bug that is
//! confined to them passes the course's tests and is caught by the other kinds only.

use std::sync::Arc;

use crate::room::{Bug, Room};
use crate::{Check, Context, Kind, Outcome, rooms};

/// One check for each bug, which passes if the bug is caught, and one of the implementation that carries the
/// bugs, without any of them.
#[must_use]
pub(crate) fn checks() -> Vec<Check> {
    let rooms: Vec<Arc<Room>> = rooms::all().into_iter().map(Arc::new).collect();
    let bugs = rooms.iter().flat_map(|room| room.bugs.iter().map(move |bug| of_bug(room, bug)));
    let siblings = rooms.iter().filter(|room| !room.bugs.is_empty()).map(|room| {
        let own = Arc::clone(room);
        check(room, "without-bug", move |context| sibling((own.checks_with)(""), context))
    });
    bugs.chain(siblings).collect()
}

fn of_bug(room: &Arc<Room>, bug: &'static Bug) -> Check {
    let own = Arc::clone(room);
    check(room, bug.id, move |context| judge((own.checks_with)(bug.id), bug, context))
}

fn check(
    room: &Arc<Room>,
    id: &str,
    run: impl Fn(&Context) -> Outcome + Send + Sync + 'static,
) -> Check {
    let group = format!("controls.{}", room.name);
    Check::new(room.question, Kind::Control, group, id, run)
}

fn judge(checks: Vec<Check>, bug: &Bug, context: &Context) -> Outcome {
    let mut caught_by: Vec<Kind> = checks
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
        bug.caught_by.iter().copied().filter(|kind| !caught_by.contains(kind)).collect();
    let outcome = if caught_by.is_empty() {
        Outcome::fail(format!("no check notices that {}", bug.what))
    } else if missed.is_empty() {
        Outcome::ok(1, format!("caught by {}", names(&caught_by)))
    } else {
        let (caught, missed) = (names(&caught_by), names(&missed));
        Outcome::fail(format!("caught by {caught}, but it should be caught by {missed} as well"))
    };
    Outcome { caught_by, ..outcome }
}

fn sibling(checks: Vec<Check>, context: &Context) -> Outcome {
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
    let context = Context { case: None, course_data: None, unshrunk: true, ..context.clone() };
    check.outcome(&context)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_at_least_25_bugs_under_names_of_their_own() {
        let rooms = rooms::all();
        let all = || rooms.iter().flat_map(|r| r.bugs.iter().map(|bug| (r.name, bug)));
        let names: BTreeSet<_> = all().map(|(room, bug)| (room, bug.id)).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.len() >= 25, "{}", names.len());
        assert!(all().all(|(_, bug)| !bug.caught_by.is_empty()));
    }
}
