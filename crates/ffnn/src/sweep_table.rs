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
    let shown = |text: Option<String>| text.unwrap_or("-".to_owned());
    let spread = |mean: Option<f64>, sd: Option<f64>| Some((mean?, sd?));
    [
        set.lr.clone(),
        set.hidden.clone(),
        shown(set.train_error_mean.map(percent)),
        shown(spread(set.val_error_mean, set.val_error_sd).map(errors)),
        shown(spread(set.val_loss_mean, set.val_loss_sd).map(losses)),
        format!("{} of {}", set.diverged, set.runs),
    ]
}

fn choice(what: &str, choice: &Choice) -> String {
    let values: Vec<_> =
        choice.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let of = |spread: &Spread| (spread.mean, spread.sd);
    format!(
        "{what}, {}: validation error {}, test error {}, test loss {}",
        values.join(", "),
        errors(of(&choice.validation_error)),
        errors(of(&choice.test_error)),
        losses(of(&choice.test_loss))
    )
}

fn errors((mean, sd): (f64, f64)) -> String {
    format!("{:.1} ± {:.1} %", 100.0 * mean, 100.0 * sd)
}

fn losses((mean, sd): (f64, f64)) -> String {
    format!("{mean:.4} ± {sd:.4}")
}
