//! Tables of sweeps, as Markdown.

use experiment::Spread;
use ffnn::{Choice, Role, SweepRecord};

use crate::hyperparameters::words;
use crate::markdown::{Table, cells};
use crate::numbers::{percentage, significant};

/// Every set of a sweep: what varies, and how well it does on validation.
pub(crate) fn sweep_table(sweep: &SweepRecord) -> String {
    let SweepRecord { config, table: sets, summary, .. } = sweep;
    let axes: String =
        config.axes.iter().map(|axis| format!(">{} | ", words(&axis.name))).collect();
    let mut table = Table::new(&format!(
        "{axes}>training loss | >training error | >validation loss | >validation error | "
    ));
    for set in sets {
        let measured = || {
            Some([
                format!("{:.3}", set.train_loss_mean?),
                percentage(set.train_error_mean?),
                spread_of_losses(set.val_loss_mean?, set.val_loss_sd?),
                spread_of_errors(set.val_error_mean?, set.val_error_sd?),
            ])
        };
        let diverged = || format!("{} of {} runs diverged", set.diverged, set.runs);
        let measured = measured().unwrap_or_else(|| cells![diverged(), "", "", ""]);
        let mark = match set.role {
            _ if set.set == summary.best.set => "**best**",
            Role::Baseline => "baseline",
            Role::Candidate => "",
        };
        let values = [set.lr.clone(), set.hidden.clone()];
        table.row(values.into_iter().chain(measured).chain([mark.to_owned()]));
    }
    let seeds = config.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    table.with_note(&format!(
        "Mean ± standard deviation over the seeds {seeds}; {} training and {} validation examples. \
         Chosen by: {}. Written by `{}`.",
        config.data.train,
        config.data.validation,
        config.selection.trim_end_matches('.'),
        config.command
    ))
}

/// The chosen set of a sweep, and the baseline, on the test set.
pub(crate) fn sweep_best(sweep: &SweepRecord) -> String {
    let SweepRecord { config, summary, .. } = sweep;
    let choices = [Some(&summary.best), summary.baseline.as_ref()];
    let both = summary.baseline.is_some();
    let mut table = Table::new(if both { " | >best | >baseline" } else { " | >best" });
    let mut row = |name: &str, cell: &dyn Fn(&Choice) -> String| {
        table.row([name.to_owned()].into_iter().chain(choices.into_iter().flatten().map(cell)));
    };
    for axis in &config.axes {
        let value = |choice: &Choice| choice.values.get(&axis.name).cloned().unwrap_or_default();
        row(&words(&axis.name), &value);
    }
    let losses = |spread: &Spread| spread_of_losses(spread.mean, spread.sd);
    let errors = |spread: &Spread| spread_of_errors(spread.mean, spread.sd);
    row("validation error", &|choice| errors(&choice.validation_error));
    row("validation loss", &|choice| losses(&choice.validation_loss));
    row("**test error**", &|choice| format!("**{}**", errors(&choice.test_error)));
    row("smallest and largest test error", &|choice| {
        format!("{} to {}", percentage(choice.test_error.min), percentage(choice.test_error.max))
    });
    row("test loss", &|choice| losses(&choice.test_loss));
    for (index, seed) in config.seeds.iter().enumerate() {
        row(&format!("test set, seed {seed}"), &|choice| {
            let Some(tested) = choice.test.get(index) else { return String::new() };
            let evaluation = &tested.evaluation;
            match evaluation.wrong {
                Some(wrong) => format!("{wrong} of {} wrong", evaluation.examples),
                None => significant(evaluation.error),
            }
        });
    }
    table.with_note(&format!(
        "Mean ± standard deviation over {} seeds. The sets were chosen on validation; only these two were tested.",
        config.seeds.len()
    ))
}

/// Spaces that do not break, and as many decimals in every row, so that the column can be compared.
fn spread_of_losses(mean: f64, sd: f64) -> String {
    format!("{mean:.3}\u{a0}±\u{a0}{sd:.3}")
}

fn spread_of_errors(mean: f64, sd: f64) -> String {
    format!("{:.1}\u{a0}±\u{a0}{:.1}\u{a0}%", 100.0 * mean, 100.0 * sd)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ffnn::Tested;

    use super::*;

    #[test]
    fn a_sweep_is_shown_with_how_it_was_made() {
        let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records");
        let sweep = SweepRecord::read(&records.join("iris-sweep")).unwrap();
        let (table, shown) = (sweep_table(&sweep), sweep_best(&sweep));
        let lines = table.lines().filter(|line| line.starts_with('|')).count();
        assert_eq!(lines, sweep.table.len() + 2);
        let best = &sweep.summary.best;
        let Tested { seed, evaluation } = best.test[1];
        let (rate, wrong) = (&best.values["lr"], evaluation.wrong.unwrap());
        let error = spread_of_errors(best.test_error.mean, best.test_error.sd);
        let row = table.lines().find(|row| row.ends_with("| **best** |")).unwrap();
        for (text, expected) in [
            (row, format!(" {rate} |")),
            (row, spread_of_losses(best.validation_loss.mean, best.validation_loss.sd)),
            (&table, format!("Written by `{}`.", sweep.config.command)),
            (&shown, "| | best | baseline |".to_owned()),
            (&shown, format!("| **test error** | **{error}** |")),
            (&shown, format!("| test set, seed {seed} | {wrong} of 25 wrong |")),
        ] {
            assert!(text.contains(&expected), "{expected} in {text}");
        }
        let [loss, error] = [spread_of_losses(0.5, 0.25), spread_of_errors(0.5, 0.25)];
        assert_eq!((&*loss, &*error), ("0.500\u{a0}±\u{a0}0.250", "50.0\u{a0}±\u{a0}25.0\u{a0}%"));
    }
}
