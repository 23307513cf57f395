//! Running checks on all cores, and telling their outcomes in order.

use std::collections::BTreeMap;
use std::sync::mpsc;

use rayon::prelude::*;

use crate::{Check, Context, Outcome};

/// Runs all checks, several at a time, and gives each outcome to `tell` in the order of the checks,
/// as soon as those before it are there.
pub fn run(
    checks: &[Check],
    context: &Context,
    mut tell: impl FnMut(&Check, &Outcome),
) -> Vec<Outcome> {
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            checks.par_iter().enumerate().for_each_with(sender, |sender, (index, check)| {
                let outcome = check.outcome(context);
                sender.send((index, outcome)).expect("the receiver outlives the checks");
            });
        });
        let mut early = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(checks.len());
        for (index, outcome) in receiver {
            early.insert(index, outcome);
            while let Some(outcome) = early.remove(&outcomes.len()) {
                tell(&checks[outcomes.len()], &outcome);
                outcomes.push(outcome);
            }
        }
        outcomes
    })
}

/// Keeps panics within checks from printing in the middle of the lines, unless a backtrace is wanted.
pub fn silence_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|value| value == "0") {
        std::panic::set_hook(Box::new(|_| {}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Status};

    #[test]
    fn outcomes_are_told_in_order_whichever_is_first() {
        let checks: Vec<Check> = (0..20)
            .map(|i: u64| {
                Check::new("all", Kind::Property, "g", i.to_string(), move |_| {
                    std::thread::sleep(std::time::Duration::from_millis((20 - i) % 7));
                    if i == 3 { Outcome::fail("three") } else { Outcome::ok(1, "") }
                })
            })
            .collect();
        let context = Context {
            fixtures: "".into(),
            course_data: None,
            seed: 0,
            case: None,
            ..Context::default()
        };
        let mut told = Vec::new();
        let outcomes = run(&checks, &context, |check, _| told.push(check.name.clone()));
        assert_eq!(told, (0..20).map(|i| i.to_string()).collect::<Vec<_>>());
        assert_eq!(outcomes.len(), 20);
        assert_eq!(outcomes[3].status, Status::Fail);
        assert_eq!(outcomes.iter().filter(|outcome| outcome.passed()).count(), 19);
    }
}
