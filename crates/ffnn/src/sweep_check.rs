//! The comparison of a sweep that was run again with its record.

use crate::{SweepOutcome, SweepRecord, SweepRun};

/// The agreement of a repeated sweep with its record.
///
/// On the same machine the numbers are the same, bit for bit. Another processor may have another
/// matrix product (faer chooses by instruction set) and another system another `exp`, which round
/// differently; training then amplifies the difference. So losses are compared with a tolerance, and
/// everything else, since it is counted or chosen, exactly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// The largest difference of a loss, relative to the larger of the two, or to 1 if both are
    /// below it.
    pub largest_loss_difference: f64,
    /// The largest difference of an error, as a fraction of the examples.
    pub largest_error_difference: f64,
    /// Differences other than of a number: choices, and runs that diverged.
    pub differences: Vec<String>,
}

impl Agreement {
    /// The largest difference of a loss that passes. A sweep in `f32` and the same in `f64`, which
    /// differ in every rounding, are well within it (`tests/ffnn/program.rs`), unless the learning rate is
    /// so large that the training is chaotic.
    pub const LOSS_TOLERANCE: f64 = 1e-4;

    /// Whether the record is reproduced.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
            && self.largest_loss_difference <= Self::LOSS_TOLERANCE
            && self.largest_error_difference == 0.0
    }

    /// Takes in a loss and an error, each as recorded and as found again.
    fn compare(&mut self, loss: [f64; 2], error: [f64; 2]) {
        let scale = loss[0].abs().max(loss[1].abs()).max(1.0);
        let [loss, error] = [(loss[0] - loss[1]).abs() / scale, (error[0] - error[1]).abs()];
        self.largest_loss_difference = self.largest_loss_difference.max(loss);
        self.largest_error_difference = self.largest_error_difference.max(error);
    }
}

/// Compares a record with the outcome of running the sweep of its grid again, which has the same sets and runs.
#[must_use]
pub fn compare(record: &SweepRecord, outcome: &SweepOutcome) -> Agreement {
    let mut agreement = Agreement::default();
    for (recorded, again) in record.runs.iter().zip(&outcome.runs) {
        match (recorded.result, again.result) {
            (Some(old), Some(new)) => {
                agreement.compare([old[0], new[0]], [old[1], new[1]]);
                agreement.compare([old[2], new[2]], [old[3], new[3]]);
            }
            (None, None) => {}
            (result, _) => {
                let was = if result.is_none() { "diverged" } else { "finished" };
                let SweepRun { set, seed, .. } = recorded;
                let difference = format!("set {set}, seed {seed} {was} in the record only");
                agreement.differences.push(difference);
            }
        }
    }
    for (what, old, new) in [
        ("candidate", Some(&record.summary.best), Some(&outcome.best)),
        ("baseline", record.summary.baseline.as_ref(), outcome.baseline.as_ref()),
    ] {
        let [set, set_again] = [old, new].map(|choice| choice.map(|choice| choice.set));
        if set != set_again {
            let difference = format!("the best {what} is set {set:?}, now {set_again:?}");
            agreement.differences.push(difference);
            continue;
        }
        let [old, new] = [old, new].map(|choice| choice.into_iter().flat_map(|c| &c.test));
        for (old, new) in old.zip(new) {
            let (old, new) = (old.evaluation, new.evaluation);
            agreement.compare([old.loss, new.loss], [old.error, new.error]);
        }
    }
    agreement
}
