//! Running checks on all cores, and telling their outcomes in order.

use std::sync::OnceLock;
use std::time::Instant;

use rayon::prelude::*;

use crate::{Check, Context, Outcome};

/// Runs all checks, several at a time, and gives each outcome to `tell` in the order of the checks,
/// as soon as those before it are there.
pub(crate) fn run(
    checks: &[Check],
    context: &Context,
    mut tell: impl FnMut(&Check, &Outcome),
) -> Vec<Outcome> {
    let outcomes: Vec<OnceLock<Outcome>> = checks.iter().map(|_| OnceLock::new()).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            checks.par_iter().zip(&outcomes).for_each(|(check, outcome)| {
                outcome.get_or_init(|| {
                    let start = Instant::now();
                    let outcome = check.outcome(context);
                    Outcome { seconds: start.elapsed().as_secs_f64(), ..outcome }
                });
            });
        });
        checks.iter().zip(&outcomes).for_each(|(check, outcome)| tell(check, outcome.wait()));
    });
    outcomes.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// Keeps panics within checks from printing in the middle of the lines, unless a backtrace is wanted.
pub(crate) fn silence_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|value| value == "0") {
        std::panic::set_hook(Box::new(|_| {}));
    }
}
