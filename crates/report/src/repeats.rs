//! The table of runs that differ in nothing but their seed.

use experiment::{Record, Spread};

use crate::hyperparameters::differences;
use crate::markdown::{Table, cells};
use crate::numbers::{mean, significant};

/// A row for each run, by seed, and one for all, or why they prove nothing: they are fewer than `seeds`,
/// differ in more than the seed, or their mean accuracy on the test set is below `accuracy`.
pub(crate) fn table(runs: &[Record], seeds: usize, accuracy: f64) -> Result<String, String> {
    if runs.len() < seeds.max(2) {
        return Err(format!("there are {} of them, not {}", runs.len(), seeds.max(2)));
    }
    for pair in runs.windows(2) {
        check_alike(&pair[0], &pair[1])?;
    }
    let right = column(runs, "accuracy on the test set", |run| {
        let test = run.summary.test?;
        Some((test.examples - test.wrong?) as f64)
    })?;
    let examples = runs[0].config.data.test as f64;
    let accuracies: Vec<f64> = right.iter().map(|right| right / examples).collect();
    let minutes = column(runs, "time", |run| Some(run.summary.wall_seconds? / 60.0))?;
    let memory = column(runs, "peak memory", |run| Some(run.summary.peak_memory_bytes? as f64))?;

    // Whole numbers have no rounding error.
    let total = mean(&right) / examples;
    if total < accuracy {
        let (mean, accuracy) = (exact(total), exact(accuracy));
        return Err(format!("their mean accuracy on the test set is {mean}, not {accuracy}"));
    }
    let mut table = Table::new(
        ">seed | >accuracy on the test set | >minutes | >images/s, all in all | >peak memory, GB",
    );
    for (index, run) in runs.iter().enumerate() {
        let images = run.summary.epochs as f64 * run.config.data.train as f64;
        let measured = [minutes[index], images / (60.0 * minutes[index]), memory[index] / 1e9];
        let [minutes, speed, memory] = measured.map(significant);
        table.row(cells![run.config.seed, exact(accuracies[index]), minutes, speed, memory]);
    }
    let spread = Spread::of(&accuracies).map_or(0.0, |spread| 100.0 * spread.sd);
    // Times have no mean: one run may have had the machine to itself, another not.
    let total = format!("**{}**\u{a0}±\u{a0}{spread:.2}", exact(total));
    table.row(cells!["mean ± standard deviation", total, "", "", ""]);
    let Record { config, summary, .. } = &runs[0];
    let machine = &summary.machine;
    Ok(table.with_note(&format!(
        "{} epoch{} of {} images, none held out; {} test images, each run tested once, after its last \
         epoch; {} cores of {}. The time is that of the whole run with its evaluations.",
        summary.epochs,
        if summary.epochs == 1 { "" } else { "s" },
        config.data.train,
        config.data.test,
        machine.cores,
        machine.cpu.as_deref().unwrap_or(&machine.arch)
    )))
}

/// Refuses two runs of one seed, and those that differ in more than that.
fn check_alike(one: &Record, other: &Record) -> Result<(), String> {
    let (a, b) = (&one.config, &other.config);
    let differ = |what: &str| Err(format!("seeds {} and {} differ in {what}", a.seed, b.seed));
    if a.seed == b.seed {
        return Err(format!("two of them have the seed {}", a.seed));
    }
    if a.data != b.data {
        return differ("their data");
    }
    if a.data.validation > 0 {
        return Err(format!("seed {} learned from a part of the training images", a.seed));
    }
    let changed = differences(&a.hyperparameters, &b.hyperparameters);
    if one.summary.epochs != other.summary.epochs || changed.iter().any(|(path, ..)| path != "seed")
    {
        return differ("more than that");
    }
    if one.summary.machine != other.summary.machine {
        return differ("the machine");
    }
    Ok(())
}

/// A number of each run.
fn column(
    runs: &[Record],
    what: &str,
    of: impl Fn(&Record) -> Option<f64>,
) -> Result<Vec<f64>, String> {
    let value = |run: &Record| of(run).ok_or(format!("seed {} has no {what}", run.config.seed));
    runs.iter().map(value).collect()
}

/// A share of thousands, to the last image.
fn exact(share: f64) -> String {
    format!("{:.2}\u{a0}%", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use experiment::Evaluation;

    use super::*;
    use crate::run_tables::tests;

    /// A run on 400 images, of one epoch in 8 seconds, with so many of 100 test images wrong.
    fn run(seed: u64, wrong: usize) -> Record {
        let mut run = tests::run(&format!("[hyperparameters]\nlr = 0.1\nseed = {seed}"), seed, 20);
        run.config.data.validation = 0;
        run.summary.test = Some(Evaluation::classification(0.25, wrong, 100));
        run.summary.peak_memory_bytes = Some(4_000_000_000);
        run
    }

    #[test]
    fn each_seed_has_a_row_and_all_have_their_mean_and_spread() {
        let table = table(&[run(0, 6), run(1, 8)], 2, 0.93).unwrap().replace('\u{a0}', " ");
        // 400 images in 8 seconds; √2 / 100 around the mean.
        let expected = "| 0 | 94.00 % | 0.133 | 50 | 4 |\n| 1 | 92.00 % | 0.133 | 50 | 4 |\n\
                        | mean ± standard deviation | **93.00 %** ± 1.41 | | | |\n";
        assert!(table.contains(expected), "{table}");
        assert!(table.contains("1 epoch of 400 images, none held out; 100 test images"), "{table}");
    }

    #[test]
    fn runs_that_are_too_few_too_bad_or_differ_in_more_than_their_seed_are_refused() {
        let two = [run(0, 6), run(1, 8)];
        let with = |change: &dyn Fn(&mut Record)| {
            let mut two = two.clone();
            change(&mut two[1]);
            table(&two, 2, 0.5)
        };
        let hyperparameter = |run: &mut Record| {
            run.config.hyperparameters.insert("lr".to_owned(), 0.2.into());
        };
        for (result, expected) in [
            (table(&two[..1], 2, 0.5), "there are 1 of them, not 2"),
            (table(&two, 3, 0.5), "there are 2 of them, not 3"),
            (table(&two, 2, 0.9301), "accuracy on the test set is 93.00\u{a0}%, not 93.01\u{a0}%"),
            (with(&|run| run.config.seed = 0), "two of them have the seed 0"),
            (with(&hyperparameter), "seeds 0 and 1 differ in more than that"),
            (with(&|run| run.summary.epochs = 2), "differ in more than that"),
            (with(&|run| run.config.data.train = 399), "differ in their data"),
            (with(&|run| run.summary.machine.cores = 3), "differ in the machine"),
            (with(&|run| run.summary.test = None), "seed 1 has no accuracy on the test set"),
            (with(&|run| run.summary.peak_memory_bytes = None), "seed 1 has no peak memory"),
            (with(&|run| run.summary.wall_seconds = None), "seed 1 has no time"),
        ] {
            let error = result.unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let mut held_out = two;
        held_out.iter_mut().for_each(|run| run.config.data.validation = 5);
        let error = table(&held_out, 2, 0.5).unwrap_err();
        assert!(error.contains("learned from a part of the training images"), "{error}");
    }
}
