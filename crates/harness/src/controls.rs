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
use crate::{Check, Context, Kind, Outcome, Status, rooms};

/// One check for each bug, which passes if the bug is caught, and one of the implementation that carries the
/// bugs, without any of them.
pub(crate) fn checks() -> Vec<Check> {
    let rooms: Vec<Arc<Room>> = rooms::all().into_iter().map(Arc::new).collect();
    let bugs = rooms.iter().flat_map(|room| room.bugs.iter().map(|bug| check(room, Some(bug))));
    let with_bugs = rooms.iter().filter(|room| !room.bugs.is_empty());
    bugs.chain(with_bugs.map(|room| check(room, None))).collect()
}

fn check(room: &Arc<Room>, bug: Option<&'static Bug>) -> Check {
    let (group, own) = (format!("controls.{}", room.name), Arc::clone(room));
    let id = bug.map_or("without-bug", |bug| bug.id);
    let check = Check::new(room.question, Kind::Control, group, id, move |context| match bug {
        Some(bug) => with_bug(&(own.checks_with)(bug.id), bug, context),
        None => without_bug(&(own.checks_with)(""), context),
    });
    Check { bug: bug.map(|bug| (room.name, bug)), ..check }
}

fn with_bug(checks: &[Check], bug: &Bug, context: &Context) -> Outcome {
    let context = Context { sparse: !bug.caught_by.contains(&Kind::Proof), ..context.clone() };
    let failing = checks.iter().filter(|check| !run(check, &context).passed());
    let mut caught_by: Vec<Kind> = failing.map(|check| check.kind).collect();
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

fn without_bug(checks: &[Check], context: &Context) -> Outcome {
    let context = Context { sparse: true, ..context.clone() };
    for check in checks {
        let Outcome { detail, status, .. } = run(check, &context);
        if status != Status::Ok {
            return Outcome::fail(format!("{} fails without a bug: {detail}", check.id()));
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
