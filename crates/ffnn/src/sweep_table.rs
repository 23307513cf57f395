//! The table that `ffnn sweep` prints.

use experiment::{Data, Spread};
use ffnn::{Choice, SweepOutcome, SweepSet};

use crate::record_arguments::percent;
use crate::sweep_command::SELECTION;

/// The table of all sets and the two choices, ending in a line break.
pub(crate) fn text(outcome: &SweepOutcome, data: &Data) -> String {
    let Data { name, train, validation, test, .. } = data;
    let seeds = outcome.best.test.len();
    let columns =
        ["lr", "hidden", "train error", "validation error", "validation loss", "diverged"];
    let mut lines = vec![
        format!(
            "{name}: {train} training, {validation} validation, {test} test examples; each set over \
             {seeds} seeds, mean ± standard deviation"
        ),
        line(&columns.map(str::to_owned)),
    ];
    lines.extend(outcome.table.iter().map(|set| line(&row(set))));
    lines.push(format!("\nchosen by {SELECTION}"));
    lines.push(choice("network", &outcome.best));
    lines.push(match &outcome.baseline {
        Some(baseline) => choice("softmax regression", baseline),
        None => "softmax regression: a run of every set diverged".to_owned(),
    });
    lines.push(format!("one test example is {}\n", percent(1.0 / *test as f64)));
    lines.join("\n")
}

fn line([lr, hidden, train, error, loss, diverged]: &[String; 6]) -> String {
    format!("{lr:>8}  {hidden:>6}  {train:>11}  {error:>16}  {loss:>17}  {diverged:>8}")
}

fn row(set: &SweepSet) -> [String; 6] {
    let none = || "-".to_owned();
    let value = |axis: usize| set.values.get(axis).cloned().unwrap_or_default();
    let (train, error, loss) = match &set.spreads {
        Some(spreads) => (
            percent(spreads.train_error.mean),
            errors(&spreads.val_error),
            losses(&spreads.val_loss),
        ),
        None => (none(), none(), none()),
    };
    let diverged = format!("{} of {}", set.diverged, set.runs);
    [value(0), value(1), train, error, loss, diverged]
}

fn choice(what: &str, choice: &Choice) -> String {
    let values: Vec<_> =
        choice.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let wrong: Vec<_> = choice
        .test
        .iter()
        .filter_map(|tested| Some(tested.evaluation.wrong?.to_string()))
        .collect();
    let wrong = if wrong.is_empty() {
        String::new()
    } else {
        format!(" (wrong by seed: {})", wrong.join(" "))
    };
    format!(
        "{what}, {}: validation error {}, test error {}{wrong}, test loss {}",
        values.join(", "),
        errors(&choice.validation_error),
        errors(&choice.test_error),
        losses(&choice.test_loss)
    )
}

fn errors(Spread { mean, sd, .. }: &Spread) -> String {
    format!("{:.1} ± {:.1} %", 100.0 * mean, 100.0 * sd)
}

fn losses(Spread { mean, sd, .. }: &Spread) -> String {
    format!("{mean:.4} ± {sd:.4}")
}
