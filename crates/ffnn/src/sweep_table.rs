//! What `ffnn sweep` prints.

use std::fmt::Write;

use experiment::{Choice, Data, Spread, SweepSet};
use ffnn::SweepOutcome;

use crate::cli::percent;
use crate::sweep_command::SELECTION;

/// The table of all sets and the two choices, ending in a line break.
pub(crate) fn text(outcome: &SweepOutcome, data: &Data) -> String {
    let mut text = format!(
        "{}: {} training, {} validation, {} test examples; each set over {} seeds, mean ± standard \
         deviation\n",
        data.name,
        data.train,
        data.validation,
        data.test,
        outcome.best.test.len()
    );
    let columns =
        ["lr", "hidden", "train error", "validation error", "validation loss", "diverged"];
    push_row(&mut text, &columns.map(str::to_owned));
    for set in &outcome.table {
        push_row(&mut text, &row(set));
    }
    push(&mut text, &format!("\nchosen by {SELECTION}"));
    push(&mut text, &choice("network", &outcome.best));
    match &outcome.baseline {
        Some(baseline) => push(&mut text, &choice("softmax regression", baseline)),
        None => push(&mut text, "softmax regression: a run of every set diverged"),
    }
    push(&mut text, &format!("one test example is {}", percent(1.0 / data.test as f64)));
    text
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string does not fail");
}

fn push_row(text: &mut String, [lr, hidden, train, error, loss, diverged]: &[String; 6]) {
    push(
        text,
        &format!("{lr:>8}  {hidden:>6}  {train:>11}  {error:>16}  {loss:>17}  {diverged:>8}"),
    );
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
