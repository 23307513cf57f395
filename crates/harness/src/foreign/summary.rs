//! The end of the transcript of a program: its conventions, and how many checks of each level passed.

use std::time::Duration;

use system::{eprintln, print, println};

use super::{Level, Noted};
use crate::transcript::Transcript;
use crate::{Check, Outcome};

/// Prints how many checks of each level passed; whether all did that decide.
pub(crate) fn print_summary<'a>(
    noted: &Noted,
    ran: impl Iterator<Item = (&'a Check, &'a Outcome)> + Clone,
    transcript: &Transcript,
    strict: bool,
    time: Duration,
) -> bool {
    let of = |level| ran.clone().filter(move |(check, _)| check.level == level);
    println!();
    for (check, outcome) in of(Level::Convention) {
        let what = if outcome.passed() { "accepted convention" } else { "no accepted convention" };
        println!("{what} of {}: {}", check.subject.unwrap_or_default(), outcome.detail);
    }
    noted.conventions.iter().for_each(|convention| println!("convention: {convention}"));
    noted.changed.iter().for_each(|changed| println!("beyond the assignment: {changed}"));
    for (check, outcome) in of(Level::Extra).filter(|(_, outcome)| outcome.failed() && !strict) {
        println!(
            "beyond the assignment: {}: {}",
            check.id(),
            outcome.detail.lines().next().unwrap_or_default()
        );
    }
    println!();
    let mut passes = ran.clone().any(|(_, outcome)| outcome.passed());
    if !passes && !ran.clone().any(|(_, outcome)| outcome.failed()) {
        println!(
            "no check passed: the program lists no class, or supports nothing that it is asked for"
        );
    }
    for (level, what) in [
        (Level::Must, "the assignment"),
        (Level::Convention, "conventions"),
        (Level::Extra, "beyond the assignment"),
    ] {
        if of(level).next().is_none() {
            continue;
        }
        let passed = of(level).filter(|(_, outcome)| outcome.passed()).count();
        let failed = of(level).filter(|(_, outcome)| outcome.failed()).count();
        let skipped = of(level).count() - passed - failed;
        // Arguments are looked at in every check, and so have none of their own.
        let failed = failed + if level == Level::Extra { noted.changed.len() } else { 0 };
        print!("{}", transcript.level(what, passed, failed, skipped));
        passes &= failed == 0 || level != Level::Must && !strict;
    }
    // Not among the results, which are the same in every run.
    eprintln!("verified in {:.1} s", time.as_secs_f64());
    passes
}
