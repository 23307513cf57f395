//! Tables of whole training steps.

use std::fmt::Write as _;

use bench::{By, Measurement, Record, Spread, Subject};
use training::{StepRow, StepTable};

use super::{ratio, some, with_quartiles};
use crate::numbers::{percentage, significant};

/// Speed of the steps and of the predictions, and the ratios to PyTorch; below ours the speed of other
/// frameworks.
pub(super) fn steps(record: &Record) -> Result<String, String> {
    let steps = some(record, "training steps", |m| {
        let named = m.name.starts_with("step/") || m.name.starts_with("inference/");
        named && m.by == By::Ours
    })?;
    let mut out = String::from(
        "| | batch | ms | images/s | PyTorch | tuned malloc | ratio to PyTorch | to tuned |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for ours in steps {
        let name = match &ours.subject {
            Subject::Step { model, .. } => model.clone(),
            Subject::Inference { model } => format!("{model}, predicting"),
            _ => continue,
        };
        let _ = writeln!(out, "| {name} | {} | {} |", ours.batch, compared(record, ours));
        for by in [By::Candle, By::Burn] {
            if let Some(theirs) = record.peer(ours, by) {
                let [time, speed] = time_and_speed(theirs);
                let batch = theirs.batch;
                let _ = writeln!(out, "| {name} / {by} | {batch} | {time} | {speed} | | | | |");
            }
        }
    }
    Ok(out)
}

/// How a training of "air" scales with one of its sizes.
pub(super) fn scaling(record: &Record, size: &str) -> Result<String, String> {
    let prefix = format!("scaling/{size}-");
    let wanted = |m: &Measurement| m.name.starts_with(&prefix) && m.by == By::Ours;
    let cases = some(record, "scaling (option --scaling)", wanted)?;
    let mut out = format!(
        "| {size} | ms | images/s | PyTorch | tuned malloc | ratio to PyTorch | to tuned |\n\
         |--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for ours in cases {
        let (key, _) = ours.name.rsplit_once('/').unwrap_or((&ours.name, ""));
        let value = key.strip_prefix(&prefix).unwrap_or(key);
        let _ = writeln!(out, "| {value} | {} |", compared(record, ours));
    }
    Ok(out)
}

/// Six cells: time and speed, and those of PyTorch with their ratios.
fn compared(record: &Record, ours: &Measurement) -> String {
    let peers = [By::Pytorch, By::PytorchTuned].map(|by| record.peer(ours, by));
    let speeds = peers.map(|peer| peer.map_or_else(String::new, |p| significant(p.speed().median)));
    let ratios = peers.map(|peer| peer.map_or_else(String::new, |peer| ratio(ours.ratio(peer))));
    [time_and_speed(ours), speeds, ratios].concat().join(" | ")
}

/// Milliseconds with their quartiles, and examples a second.
fn time_and_speed(measurement: &Measurement) -> [String; 2] {
    let time = Spread::of(measurement.seconds.iter().map(|s| 1e3 * s));
    [with_quartiles(time), significant(measurement.speed().median)]
}

/// Where the time of a model's step goes.
pub(super) fn profile(record: &Record, model: &str) -> Result<String, String> {
    let found = record.profiles.iter().find(|profile| profile.model == model);
    let profile = found.ok_or_else(|| format!("it has no profile of {model}"))?;
    let table = &profile.table;
    let StepTable { step, examples, layers, loss, update, data, .. } = table;
    let mut out = String::from(
        "| part | input | output | algorithm | forward, ms | backward, ms | share | GFLOP/s |\n\
         |---|---|---|---|--:|--:|--:|--:|\n",
    );
    let ms = |seconds: f64| significant(1e3 * seconds);
    let share = |seconds: f64| percentage(seconds / step);
    for row in layers {
        let StepRow { layer, input, output, algorithm, forward, backward, .. } = row;
        let speeds = row
            .gflops(*examples)
            .map_or_else(String::new, |(f, b)| format!("{} / {}", significant(f), significant(b)));
        let _ = writeln!(
            out,
            "| {layer} | {} | {} | {} | {} | {} | {} | {} |",
            shape(input),
            shape(output),
            algorithm.as_deref().unwrap_or_default(),
            ms(*forward),
            ms(*backward),
            share(row.seconds()),
            speeds
        );
    }
    let rest = table.rest();
    for (name, seconds) in
        [("data", *data), ("loss", *loss), ("optimiser", *update), ("rest", rest)]
    {
        if seconds > 0.0 {
            let (ms, share) = (ms(seconds), share(seconds));
            let _ = writeln!(out, "| {name} | | | | {ms} | | {share} | |");
        }
    }
    let _ = write!(
        out,
        "\nMean of {} steps of {} ms, in batches of {}.\n",
        table.steps,
        ms(*step),
        profile.batch
    );
    Ok(out)
}

fn shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}
