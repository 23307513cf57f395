//! Whether a sweep that was run again gives what its record says.

use experiment::{Choice, SweepRecord, SweepRun};

use crate::SweepOutcome;

/// How a repeated sweep agrees with its record.
///
/// On the same machine the numbers are the same, bit for bit. Another processor may have another
/// matrix product (faer chooses by instruction set) and another system another `exp`, which round
/// differently; training then amplifies the difference. So losses are compared with a tolerance, and
/// everything else, since it is counted or chosen, exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// The largest difference of a loss, relative to the larger of the two, or to 1 if both are
    /// below it.
    pub largest_loss_difference: f64,
    /// The largest difference of an error, as a fraction of the examples.
    pub largest_error_difference: f64,
    /// What differs other than by a number: choices, and runs that diverged.
    pub differences: Vec<String>,
}

impl Agreement {
    /// The largest difference of a loss that passes. A sweep in `f32` and the same in `f64`, which
    /// differ in every rounding, are well within it (`tests/sweep.rs`), unless the learning rate is
    /// so large that the training is chaotic.
    pub const LOSS_TOLERANCE: f64 = 1e-4;

    /// Whether the record is reproduced.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
            && self.largest_loss_difference <= Self::LOSS_TOLERANCE
            && self.largest_error_difference == 0.0
    }

    fn number(&mut self, loss: (f64, f64), error: (f64, f64)) {
        let scale = loss.0.abs().max(loss.1.abs()).max(1.0);
        let difference = (loss.0 - loss.1).abs() / scale;
        self.largest_loss_difference = self.largest_loss_difference.max(difference);
        self.largest_error_difference =
            self.largest_error_difference.max((error.0 - error.1).abs());
    }

    fn run(&mut self, recorded: &SweepRun, again: &SweepRun) {
        match (recorded.result, again.result) {
            (Some(recorded), Some(again)) => {
                for (recorded, again) in [(recorded.0, again.0), (recorded.1, again.1)] {
                    self.number((recorded.loss, again.loss), (recorded.error, again.error));
                }
            }
            (None, None) => {}
            (recorded_result, _) => {
                let was = if recorded_result.is_none() { "diverged" } else { "finished" };
                let SweepRun { set, seed, .. } = recorded;
                self.differences.push(format!("set {set}, seed {seed} {was} in the record only"));
            }
        }
    }

    fn choice(&mut self, what: &str, recorded: Option<&Choice>, again: Option<&Choice>) {
        let (set, set_again) = (recorded.map(|choice| choice.set), again.map(|choice| choice.set));
        if set != set_again {
            self.differences.push(format!("the {what} is set {set:?}, now {set_again:?}"));
            return;
        }
        let tests = recorded.iter().flat_map(|choice| &choice.test);
        let tests_again = again.iter().flat_map(|choice| &choice.test);
        for (recorded, again) in tests.zip(tests_again) {
            let (recorded, again) = (recorded.evaluation, again.evaluation);
            self.number((recorded.loss, again.loss), (recorded.error, again.error));
        }
    }
}

/// Compares a record with the outcome of running its sweep again.
#[must_use]
pub fn compare(record: &SweepRecord, outcome: &SweepOutcome) -> Agreement {
    let mut agreement = Agreement {
        largest_loss_difference: 0.0,
        largest_error_difference: 0.0,
        differences: Vec::new(),
    };
    let sets: Vec<_> = outcome.table.iter().map(|set| &set.values).collect();
    if record.table.iter().map(|set| &set.values).ne(sets) {
        agreement.differences.push("the record has other sets".to_owned());
    }
    if record.runs.len() != outcome.runs.len() {
        let (recorded, again) = (record.runs.len(), outcome.runs.len());
        agreement.differences.push(format!("the record has {recorded} runs, now {again}"));
    }
    for (recorded, again) in record.runs.iter().zip(&outcome.runs) {
        agreement.run(recorded, again);
    }
    let SweepRecord { summary, .. } = record;
    agreement.choice("best candidate", Some(&summary.best), Some(&outcome.best));
    agreement.choice("best baseline", summary.baseline.as_ref(), outcome.baseline.as_ref());
    agreement
}
