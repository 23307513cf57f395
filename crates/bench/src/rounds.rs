//! Cases in turn, round after round.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench::{By, Measurement, Subject, Work};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Deserialize;

use crate::models::BenchModel;

/// Makes so many calls.
pub(crate) type Run = Box<dyn FnMut(u32) -> Result<Sample> + Send>;

/// The mean of several calls.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Sample {
    /// Seconds.
    pub(crate) seconds: f64,
    /// Minor page faults, where they can be read.
    pub(crate) page_faults: Option<f64>,
}

/// Something to be timed.
pub(crate) struct Case {
    /// The description, to which the times are added.
    pub(crate) measurement: Measurement,
    /// The network, if it is about one: a peer has to be told.
    pub(crate) model: Option<BenchModel>,
    /// Makes the calls.
    pub(crate) run: Run,
}

impl Case {
    /// A case of ours. `once` makes one call, and returns the time that counts: not what it has to
    /// prepare.
    pub(crate) fn new(
        name: String,
        subject: Subject,
        batch: usize,
        threads: usize,
        work: Work,
        mut once: impl FnMut() -> Result<Duration> + Send + 'static,
    ) -> Self {
        let (by, seconds, page_faults) = (By::Ours, Vec::new(), None);
        let measurement =
            Measurement { name, subject, by, batch, threads, work, seconds, page_faults };
        let run = move |calls| {
            let before = minor_faults();
            let mut total = Duration::ZERO;
            for _ in 0..calls {
                total += once()?;
            }
            let calls = f64::from(calls);
            let page_faults = before.zip(minor_faults()).map(|(a, b)| (b - a) as f64 / calls);
            Ok(Sample { seconds: total.as_secs_f64() / calls, page_faults })
        };
        Self { measurement, model: None, run: Box::new(run) }
    }

    fn sample(&mut self, pool: &ThreadPool, calls: u32) -> Result<Sample> {
        let run = &mut self.run;
        pool.install(|| run(calls)).with_context(|| format!("the case {}", self.measurement.name))
    }
}

/// The result of a computation, and its time.
pub(crate) fn timed<T>(compute: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = black_box(compute());
    (result, start.elapsed())
}

/// A sample takes at least so long: a shorter time is mostly chance.
const AT_LEAST: Duration = Duration::from_millis(40);

/// But it is called no more often than this.
const CALLS: u32 = 1000;

/// Times every case in each of `rounds` rounds, every other round backwards. Before, each is called
/// until it is warm, which also says how often it has to be called at once. `progress` is told what comes next.
pub(crate) fn run(
    mut cases: Vec<Case>,
    rounds: usize,
    mut progress: impl FnMut(&str),
) -> Result<Vec<Measurement>> {
    let mut pools = BTreeMap::new();
    let mut calls = Vec::new();
    for case in &mut cases {
        let threads = case.measurement.threads;
        if let Entry::Vacant(entry) = pools.entry(threads) {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            entry.insert(pool.with_context(|| format!("cannot start {threads} threads"))?);
        }
        progress(&format!("warm-up: {}", case.measurement.name));
        let pool = &pools[&threads];
        case.sample(pool, 1)?;
        let once = case.sample(pool, 1)?.seconds;
        let needed = (AT_LEAST.as_secs_f64() / once.max(1e-9)).ceil();
        calls.push((needed as u32).clamp(1, CALLS));
    }
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..cases.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let case = &mut cases[index];
            progress(&format!("round {} of {rounds}: {}", round + 1, case.measurement.name));
            let sample = case.sample(&pools[&case.measurement.threads], calls[index])?;
            case.measurement.seconds.push(sample.seconds);
            case.measurement.page_faults = sample.page_faults;
        }
    }
    Ok(cases.into_iter().map(|case| case.measurement).collect())
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
            let once = move || {
                heard.lock().unwrap().push(name);
                anyhow::ensure!(name != "b/c", "no luck");
                // Long enough not to be called more than once for a sample.
                Ok(Duration::from_secs(1))
            };
            Case::new(name.to_owned(), Subject::Copy, 1, 1, Work::Bytes(2), once)
        };
        let measured = run(vec![case("a"), case("b")], 2, |_| ()).unwrap();
        assert_eq!(*calls.lock().unwrap(), ["a", "a", "b", "b", "a", "b", "b", "a"]);
        assert_eq!(measured[1].seconds, [1.0, 1.0]);
        let error = run(vec![case("b/c")], 1, |_| ()).unwrap_err();
        assert_eq!(format!("{error:#}"), "the case b/c: no luck");
    }
}
