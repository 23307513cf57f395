//! Cases in turn, round after round.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Deserialize;

use crate::{By, Measurement, Subject, Work};

/// Makes so many calls.
pub type Run = Box<dyn FnMut(u32) -> Result<Sample> + Send>;

/// What one of several calls took on average.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Sample {
    /// Seconds.
    pub seconds: f64,
    /// Minor page faults, where they can be read.
    pub page_faults: Option<f64>,
}

/// Calls `once` as often as it is asked to. It returns the time that counts: not what it has to
/// prepare.
pub fn repeated(mut once: impl FnMut() -> Result<Duration> + Send + 'static) -> Run {
    Box::new(move |calls| {
        let before = minor_faults();
        let mut total = Duration::ZERO;
        for _ in 0..calls {
            total += once()?;
        }
        let calls = f64::from(calls);
        let page_faults = before.zip(minor_faults()).map(|(a, b)| (b - a) as f64 / calls);
        Ok(Sample { seconds: total.as_secs_f64() / calls, page_faults })
    })
}

/// Something to be timed.
pub struct Case {
    /// Its name, which no other case has.
    pub name: String,
    /// What it is about.
    pub subject: Subject,
    /// Whose code it is.
    pub by: By,
    /// Examples at once.
    pub batch: usize,
    /// Threads that it gets.
    pub threads: usize,
    /// What one call does.
    pub work: Work,
    /// Makes the calls.
    pub run: Run,
}

/// What is timed at once takes at least so long: a shorter time is mostly chance.
const AT_LEAST: Duration = Duration::from_millis(40);

/// But it is called no more often than this.
const CALLS: u32 = 1000;

/// Times every case in each of `rounds` rounds, every other round backwards. Before, each is called
/// until it is warm, which also says how often it has to be called at once.
///
/// `progress` is told what comes next.
///
/// # Errors
/// If a case fails, or threads cannot be started.
pub fn run(
    mut cases: Vec<Case>,
    rounds: usize,
    mut progress: impl FnMut(&str),
) -> Result<Vec<Measurement>> {
    let mut pools = BTreeMap::new();
    for case in &cases {
        if let Entry::Vacant(entry) = pools.entry(case.threads) {
            let pool = ThreadPoolBuilder::new().num_threads(case.threads).build();
            entry.insert(pool.with_context(|| format!("cannot start {} threads", case.threads))?);
        }
    }
    let mut calls = Vec::new();
    for case in &mut cases {
        progress(&format!("warm-up: {}", case.name));
        let pool = &pools[&case.threads];
        sample(case, pool, 1)?;
        let once = sample(case, pool, 1)?.seconds;
        let needed = (AT_LEAST.as_secs_f64() / once.max(1e-9)).ceil();
        calls.push((needed as u32).clamp(1, CALLS));
    }
    let mut seconds = vec![Vec::with_capacity(rounds); cases.len()];
    let mut page_faults = vec![None; cases.len()];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..cases.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let case = &mut cases[index];
            progress(&format!("round {} of {rounds}: {}", round + 1, case.name));
            let sample = sample(case, &pools[&case.threads], calls[index])?;
            seconds[index].push(sample.seconds);
            page_faults[index] = sample.page_faults;
        }
    }
    let measured = cases.into_iter().zip(seconds).zip(page_faults);
    Ok(measured
        .map(|((case, seconds), page_faults)| {
            let Case { name, subject, by, batch, threads, work, .. } = case;
            Measurement { name, subject, by, batch, threads, work, seconds, page_faults }
        })
        .collect())
}

fn sample(case: &mut Case, pool: &ThreadPool, calls: u32) -> Result<Sample> {
    let run = &mut case.run;
    pool.install(|| run(calls)).with_context(|| format!("the case {}", case.name))
}

/// The minor page faults of this process so far (Linux).
fn minor_faults() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may contain anything, the third field is the state.
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(7)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn cases_run_in_turn_and_every_other_round_backwards() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let case = |name: &'static str| {
            let heard = Arc::clone(&calls);
            let run = repeated(move || {
                heard.lock().unwrap().push(name);
                // Long enough not to be called more than once for a sample.
                Ok(Duration::from_secs(1))
            });
            Case {
                name: name.to_owned(),
                subject: Subject::Copy,
                by: By::Ours,
                batch: 1,
                threads: 1,
                work: Work::Bytes(2),
                run,
            }
        };
        let measured = run(vec![case("a"), case("b")], 2, |_| ()).unwrap();
        assert_eq!(*calls.lock().unwrap(), ["a", "a", "b", "b", "a", "b", "b", "a"]);
        assert_eq!(measured[1].seconds, [1.0, 1.0]);
    }

    #[test]
    fn a_case_that_fails_is_named() {
        let case = Case {
            name: "b/c".to_owned(),
            subject: Subject::Copy,
            by: By::Ours,
            batch: 1,
            threads: 1,
            work: Work::Bytes(2),
            run: repeated(|| anyhow::bail!("no luck")),
        };
        let error = run(vec![case], 1, |_| ()).unwrap_err();
        assert_eq!(format!("{error:#}"), "the case b/c: no luck");
    }
}
