//! Tables of whole training steps.

use bench::{By, Measurement, Quartiles, Record, Subject};
use training::{StepRow, StepTable};

use super::{median, ratio, some, with_quartiles};
use crate::markdown::{Table, cells};
use crate::numbers::{percentage, significant};

const COMPARED: &str = ">ms | >images/s | >PyTorch | >tuned malloc | >ratio to PyTorch | >to tuned";

/// Speed of the steps and of the predictions, and the ratios to PyTorch; below ours the speed of other
/// frameworks.
pub(super) fn steps(record: &Record) -> Result<String, String> {
    let mut table = Table::new(&format!(" | >batch | {COMPARED}"));
    let steps = some(record, "training steps", |m| match &m.subject {
        _ if m.by != By::Ours => None,
        Subject::Step { model, .. } if m.name.starts_with("step/") => Some(model.clone()),
        Subject::Inference { model } => Some(format!("{model}, predicting")),
        _ => None,
    })?;
    for (ours, name) in steps {
        table.row(cells![name, ours.batch].into_iter().chain(compared(record, ours)));
        for by in [By::Candle, By::Burn] {
            if let Some(theirs) = record.peer(ours, by) {
                let [time, speed] = time_and_speed(theirs);
                let name = format!("{name} / {by}");
                table.row(cells![name, theirs.batch, time, speed, "", "", "", ""]);
            }
        }
    }
    Ok(table.0)
}

/// The scaling of a training of "air" with one of its sizes.
pub(super) fn scaling(record: &Record, size: &str) -> Result<String, String> {
    let mut table = Table::new(&format!(">{size} | {COMPARED}"));
    let prefix = format!("scaling/{size}-");
    let cases = some(record, "scaling (option --scaling)", |m| {
        m.key().strip_prefix(&prefix).filter(|_| m.by == By::Ours)
    })?;
    for (ours, value) in cases {
        table.row([value.to_owned()].into_iter().chain(compared(record, ours)));
    }
    Ok(table.0)
}

/// Time and speed, and those of PyTorch with their ratios.
fn compared(record: &Record, ours: &Measurement) -> Vec<String> {
    let peers = [By::Pytorch, By::PytorchTuned].map(|by| record.peer(ours, by));
    let ratios = peers.map(|peer| peer.map_or_else(String::new, |peer| ratio(ours.ratio(peer))));
    [time_and_speed(ours), peers.map(median), ratios].concat()
}

/// Milliseconds with their quartiles, and examples a second.
fn time_and_speed(measurement: &Measurement) -> [String; 2] {
    let time = Quartiles::of(measurement.seconds.iter().map(|s| 1e3 * s));
    [with_quartiles(time), median(Some(measurement))]
}

/// Where the time of a model's step goes.
pub(super) fn profile(record: &Record, model: &str) -> Result<String, String> {
    let found = record.profiles.iter().find(|profile| profile.model == model);
    let profile = found.ok_or_else(|| format!("it has no profile of {model}"))?;
    let StepTable { steps, step, examples, layers, loss, update, data } = &profile.table;
    let mut table = Table::new(
        "part | input | output | algorithm | >forward, ms | >backward, ms | >share | >GFLOP/s",
    );
    let ms = |seconds: f64| significant(1e3 * seconds);
    let share = |seconds: f64| percentage(seconds / step);
    for row in layers {
        let StepRow { layer, input, output, algorithm, forward, backward, .. } = row;
        let speeds = row.gflops(*examples).map(|speeds| <[f64; 2]>::from(speeds).map(significant));
        let speeds = speeds.map_or_else(String::new, |speeds| speeds.join(" / "));
        let algorithm = algorithm.as_deref().unwrap_or_default();
        let (input, output, total) = (shape(input), shape(output), share(row.seconds()));
        let (forward, backward) = (ms(*forward), ms(*backward));
        table.row(cells![layer, input, output, algorithm, forward, backward, total, speeds]);
    }
    let rest = profile.table.rest();
    for (name, seconds) in
        [("data", *data), ("loss", *loss), ("optimiser", *update), ("rest", rest)]
    {
        if seconds > 0.0 {
            table.row(cells![name, "", "", "", ms(seconds), "", share(seconds), ""]);
        }
    }
    let (time, batch) = (ms(*step), profile.batch);
    Ok(table.with_note(&format!("Mean of {steps} steps of {time} ms, in batches of {batch}.")))
}

fn shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}
