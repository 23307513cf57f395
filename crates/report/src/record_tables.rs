//! Tables of sweeps, and the results of a run, as Markdown.

use experiment::{Evaluation, Record, Spread};
use ffnn::{Choice, Role, SweepRecord};

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
        let measured = match &set.spreads {
            Some(spreads) => [
                format!("{:.3}", spreads.train_loss.mean),
                percentage(spreads.train_error.mean),
                spread_of_losses(&spreads.val_loss),
                spread_of_errors(&spreads.val_error),
            ],
            None => cells![format!("{} of {} runs diverged", set.diverged, set.runs), "", "", ""],
        };
        let mark = match set.role {
            _ if set.set == summary.best.set => "**best**",
            Role::Baseline => "baseline",
            Role::Candidate => "",
        };
        table.row(set.values.iter().cloned().chain(measured).chain([mark.to_owned()]));
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
    row("validation error", &|choice| spread_of_errors(&choice.validation_error));
    row("validation loss", &|choice| spread_of_losses(&choice.validation_loss));
    row("**test error**", &|choice| format!("**{}**", spread_of_errors(&choice.test_error)));
    row("smallest and largest test error", &|choice| {
        format!("{} to {}", percentage(choice.test_error.min), percentage(choice.test_error.max))
    });
    row("test loss", &|choice| spread_of_losses(&choice.test_loss));
    for (index, seed) in config.seeds.iter().enumerate() {
        row(&format!("test set, seed {seed}"), &|choice| {
            choice.test.get(index).map_or_else(String::new, |tested| wrong(&tested.evaluation))
        });
    }
    table.with_note(&format!(
        "Mean ± standard deviation over {} seeds. The sets were chosen on validation; only these two were tested.",
        config.seeds.len()
    ))
}

/// Loss and error of a run on each of its data sets.
pub(crate) fn run_results(run: &Record) -> String {
    let mut table = Table::new(" | >examples | >loss | >error | >wrong");
    let summary = &run.summary;
    let sets =
        [("training", summary.train), ("validation", summary.validation), ("test", summary.test)];
    for (name, evaluation) in sets {
        let Some(Evaluation { examples, wrong, loss, error }) = evaluation else { continue };
        let error = if wrong.is_some() { percentage(error) } else { significant(error) };
        let wrong = wrong.map_or_else(String::new, |wrong| wrong.to_string());
        table.row(cells![name, examples, significant(loss), error, wrong]);
    }
    let seconds = summary.wall_seconds.map_or_else(String::new, |s| format!(" in {s:.1} s"));
    let machine = summary.machine.cpu.as_deref().unwrap_or(&summary.machine.arch);
    table.with_note(&format!(
        "After {} epochs ({} iterations){seconds} on {} cores of {machine}, with seed {}. Written by `{}`.",
        summary.epochs,
        summary.iterations,
        summary.machine.cores,
        run.config.seed,
        run.config.command
    ))
}

/// `learning_rate` as words.
pub(crate) fn words(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

fn wrong(evaluation: &Evaluation) -> String {
    match evaluation.wrong {
        Some(wrong) => format!("{wrong} of {} wrong", evaluation.examples),
        None => significant(evaluation.error),
    }
}

/// Spaces that do not break, and as many decimals in every row, so that the column can be compared.
fn spread_of_losses(spread: &Spread) -> String {
    format!("{:.3}\u{a0}±\u{a0}{:.3}", spread.mean, spread.sd)
}

fn spread_of_errors(spread: &Spread) -> String {
    format!("{:.1}\u{a0}±\u{a0}{:.1}\u{a0}%", 100.0 * spread.mean, 100.0 * spread.sd)
}
