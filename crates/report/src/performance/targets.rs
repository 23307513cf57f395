//! The targets of the benchmark, and whether the measured ratios meet them.

use bench::{By, Record};

use super::ratio;
use crate::markdown::{Table, cells};
use crate::numbers::significant;

/// Steps, their measurements, and the ratios to the speed of PyTorch with its default allocator that are required,
/// and those that are hoped for.
const STEPS: [(&str, &str, f64, f64); 4] = [
    ("air, batch 500", "step/air-500/ours", 1.5, 2.0),
    ("air, batch 64", "step/air-64/ours", 1.2, 1.6),
    ("simple, batch 64", "step/simple-64/ours", 1.2, 1.5),
    ("MLP 784-256-128-10, batch 64", "step/mlp-64/ours", 1.3, 2.0),
];

/// The required ratios to other frameworks, in the one step that has such targets.
const FRAMEWORKS: (&str, [(By, f64); 2]) =
    ("step/simple-64/ours", [(By::Candle, 10.0), (By::Burn, 4.0)]);

/// Peak memory below PyTorch's; half of it.
const MEMORY: (f64, f64) = (1.0, 2.0);

pub(super) fn targets(record: &Record) -> Result<String, String> {
    let mut table = Table::new(
        "training step | >required | >goal | >measured (range) | >with a tuned malloc | ",
    );
    let without = || "it was measured without --torch".to_owned();
    for (what, name, must, aim) in STEPS {
        let ours = record.find(name).ok_or_else(|| format!("it has no case {name}"))?;
        let default = ours.ratio(record.peer(ours, By::Pytorch).ok_or_else(without)?);
        let tuned = ours.ratio(record.peer(ours, By::PytorchTuned).ok_or_else(without)?);
        let reached = verdict(default.median, must, Some(aim));
        let [must, aim] = [must, aim].map(significant);
        table.row(cells![what, must, aim, ratio(default), ratio(tuned), reached]);
        let (compared, frameworks) = FRAMEWORKS;
        for (by, must) in frameworks.into_iter().filter(|_| name == compared) {
            let Some(theirs) = record.peer(ours, by) else { continue };
            let reached = ours.ratio(theirs);
            let (what, verdict) = (format!("{what} / {by}"), verdict(reached.median, must, None));
            table.row(cells![what, significant(must), "", ratio(reached), "", verdict]);
        }
    }
    let bytes = |by: By| {
        let mut found = record.memory.iter().filter(|m| m.model == "air" && m.batch == 500);
        let found = found.find(|memory| memory.by == by).map(|memory| memory.bytes as f64);
        found.ok_or_else(|| format!("it has no peak memory of {by}"))
    };
    let (ours, theirs) = (bytes(By::Ours)?, bytes(By::Pytorch)?);
    let (must, aim) = MEMORY;
    let [ours_shown, theirs_shown] = [ours, theirs].map(|bytes| significant(bytes / 1e9));
    let what = format!(
        "peak memory of air, batch 500: PyTorch's {theirs_shown} GB to our {ours_shown} GB"
    );
    let verdict = verdict(theirs / ours, must, Some(aim));
    let [must, aim, reached] = [must, aim, theirs / ours].map(significant);
    table.row(cells![what, must, aim, reached, "", verdict]);
    Ok(table.0)
}

fn verdict(ratio: f64, must: f64, aim: Option<f64>) -> &'static str {
    match ratio {
        ratio if aim.is_some_and(|aim| ratio >= aim) => "meets the goal",
        ratio if ratio >= must => "meets what is required",
        _ => "**missed**",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_from_its_value_on() {
        let aimed = [1.499, 1.5, 2.0].map(|ratio| verdict(ratio, 1.5, Some(2.0)));
        assert_eq!(aimed, ["**missed**", "meets what is required", "meets the goal"]);
        assert_eq!(
            [9.0, 11.0].map(|ratio| verdict(ratio, 10.0, None)),
            ["**missed**", "meets what is required"]
        );
    }
}
