//! The targets of the benchmark, and the ratios that were reached.

use bench::{By, Record};

use super::ratio;
use crate::markdown::{Table, cells};
use crate::numbers::significant;

/// A ratio of our speed to that of PyTorch in its default allocator.
struct Target {
    what: &'static str,
    name: &'static str,
    must: f64,
    aim: f64,
}

const STEPS: [Target; 4] = [
    Target { what: "air, batch 500", name: "step/air-500/ours", must: 1.5, aim: 2.0 },
    Target { what: "air, batch 64", name: "step/air-64/ours", must: 1.2, aim: 1.6 },
    Target { what: "simple, batch 64", name: "step/simple-64/ours", must: 1.2, aim: 1.5 },
    Target { what: "MLP 784-256-128-10, batch 64", name: "step/mlp-64/ours", must: 1.3, aim: 2.0 },
];

/// The required ratios to other frameworks, in the one step that has such targets.
const FRAMEWORKS: (&str, [(By, f64); 2]) =
    ("step/simple-64/ours", [(By::Candle, 10.0), (By::Burn, 4.0)]);

/// Peak memory below PyTorch's; half of it.
const MEMORY: (f64, f64) = (1.0, 2.0);

pub(super) fn targets(record: &Record) -> Result<String, String> {
    let mut table =
        Table::new("training step | >must | >aim | >measured (range) | >with a tuned malloc | ");
    let without = || "it was measured without --torch".to_owned();
    for Target { what, name, must, aim } in STEPS {
        let ours = record.find(name).ok_or_else(|| format!("it has no case {name}"))?;
        let default = ours.ratio(record.peer(ours, By::Pytorch).ok_or_else(without)?);
        let tuned = ours.ratio(record.peer(ours, By::PytorchTuned).ok_or_else(without)?);
        let (bounds, reached) = ([must, aim].map(significant), default.median);
        let ratios = [ratio(default), ratio(tuned)];
        let cells = [what.to_owned()].into_iter().chain(bounds).chain(ratios);
        table.row(cells.chain([verdict(reached, must, Some(aim)).to_owned()]));
        let (compared, frameworks) = FRAMEWORKS;
        for (by, must) in frameworks.into_iter().filter(|_| name == compared) {
            if let Some(theirs) = record.peer(ours, by) {
                let reached = ours.ratio(theirs);
                let (what, verdict) =
                    (format!("{what} / {by}"), verdict(reached.median, must, None));
                table.row(cells![what, significant(must), "", ratio(reached), "", verdict]);
            }
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
    Ok(table.into())
}

fn verdict(ratio: f64, must: f64, aim: Option<f64>) -> &'static str {
    match ratio {
        ratio if aim.is_some_and(|aim| ratio >= aim) => "reached, and what was aimed at",
        ratio if ratio >= must => "reached",
        _ => "**missed**",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_from_its_value_on() {
        assert_eq!(verdict(1.499, 1.5, Some(2.0)), "**missed**");
        assert_eq!(verdict(1.5, 1.5, Some(2.0)), "reached");
        assert_eq!(verdict(2.0, 1.5, Some(2.0)), "reached, and what was aimed at");
        assert_eq!(verdict(9.0, 10.0, None), "**missed**");
        assert_eq!(verdict(11.0, 10.0, None), "reached");
    }
}
