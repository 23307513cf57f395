//! Tables of records, as Markdown.

use std::fmt::Write as _;

use experiment::{Choice, Evaluation, Record, Role, Spread, SweepRecord};

use crate::numbers::{percentage, significant};

/// Every set of a sweep: what varies, and how well it does on validation.
pub(crate) fn sweep_table(sweep: &SweepRecord) -> String {
    let SweepRecord { config, table, summary, .. } = sweep;
    let mut out = String::from("|");
    for axis in &config.axes {
        let _ = write!(out, " {} |", words(&axis.name));
    }
    out.push_str(" training loss | training error | validation loss | validation error | |\n|");
    out.push_str(&"--:|".repeat(config.axes.len() + 4));
    out.push_str("---|\n");
    for set in table {
        out.push('|');
        for value in &set.values {
            let _ = write!(out, " {value} |");
        }
        match &set.spreads {
            Some(spreads) => {
                let _ = write!(
                    out,
                    " {:.3} | {} | {} | {} |",
                    spreads.train_loss.mean,
                    percentage(spreads.train_error.mean),
                    spread_of_losses(&spreads.val_loss),
                    spread_of_errors(&spreads.val_error),
                );
            }
            None => {
                let _ = write!(out, " {} of {} runs diverged | | | |", set.diverged, set.runs);
            }
        }
        let chosen = |choice: Option<&Choice>| choice.is_some_and(|choice| choice.set == set.set);
        let mark = match set.role {
            _ if chosen(Some(&summary.best)) => "**best**",
            Role::Baseline => "baseline",
            Role::Candidate => "",
        };
        let _ = writeln!(out, " {mark} |");
    }
    let seeds = config.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let _ = write!(
        out,
        "\nMean ± standard deviation over the seeds {seeds}; {} training and {} validation examples. \
         Chosen by: {}. Written by `{}`.\n",
        config.data.train,
        config.data.validation,
        config.selection.trim_end_matches('.'),
        config.command
    );
    out
}

/// The chosen set of a sweep, and the baseline, on the test set.
pub(crate) fn sweep_best(sweep: &SweepRecord) -> String {
    let SweepRecord { config, summary, .. } = sweep;
    let choices = [("best", Some(&summary.best)), ("baseline", summary.baseline.as_ref())];
    let choices: Vec<_> = choices.into_iter().filter_map(|(name, c)| Some((name, c?))).collect();
    let mut out = String::from("| |");
    for (name, _) in &choices {
        let _ = write!(out, " {name} |");
    }
    out.push_str("\n|---|");
    out.push_str(&"--:|".repeat(choices.len()));
    let mut row = |name: &str, cell: &dyn Fn(&Choice) -> String| {
        let _ = write!(out, "\n| {name} |");
        for (_, choice) in &choices {
            let _ = write!(out, " {} |", cell(choice));
        }
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
    let _ = write!(
        out,
        "\n\nMean ± standard deviation over {} seeds. The sets were chosen on validation; only these two were tested.\n",
        config.seeds.len()
    );
    out
}

/// Loss and error of a run on each of its data sets.
pub(crate) fn run_results(run: &Record) -> String {
    let mut out = String::from("| | examples | loss | error | wrong |\n|---|--:|--:|--:|--:|");
    let summary = &run.summary;
    let sets =
        [("training", summary.train), ("validation", summary.validation), ("test", summary.test)];
    for (name, evaluation) in sets {
        let Some(e) = evaluation else { continue };
        let wrong = e.wrong.map_or_else(String::new, |wrong| wrong.to_string());
        let error = if e.wrong.is_some() { percentage(e.error) } else { significant(e.error) };
        let _ = write!(
            out,
            "\n| {name} | {} | {} | {error} | {wrong} |",
            e.examples,
            significant(e.loss)
        );
    }
    let seconds = summary.wall_seconds.map_or_else(String::new, |s| format!(" in {s:.1} s"));
    let machine = summary.machine.cpu.as_deref().unwrap_or(&summary.machine.arch);
    let _ = write!(
        out,
        "\n\nAfter {} epochs ({} iterations){seconds} on {} cores of {machine}, with seed {}. Written by `{}`.\n",
        summary.epochs,
        summary.iterations,
        summary.machine.cores,
        run.config.seed,
        run.config.command
    );
    out
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
