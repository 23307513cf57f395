//! The plots of a sweep.

use experiment::palette::{Colour, SERIES};
use experiment::{History, LineChart, Metrics, Role, Series, SetSpreads, SweepSet, Weight};

use crate::{Grid, SweepOutcome};

/// The plots by file name: the loss of the best set by iteration, and validation error and loss by
/// learning rate.
#[must_use]
pub fn sweep_plots(grid: &Grid, outcome: &SweepOutcome) -> [(&'static str, LineChart); 3] {
    let of = |name: &str| &outcome.best.values[name];
    let title = format!(
        "Loss by iteration: lr {}, hidden {}, {} seeds and their mean",
        of("lr"),
        of("hidden"),
        grid.seeds.len()
    );
    [
        ("loss.svg", loss(&title, &outcome.best_histories)),
        (
            "validation-error.svg",
            by_lr(
                grid,
                &outcome.table,
                "Validation error after the last epoch",
                "error (%)",
                |s| 100.0 * s.val_error.mean,
            ),
        ),
        (
            "validation-loss.svg",
            by_lr(grid, &outcome.table, "Validation loss after the last epoch", "loss", |s| {
                s.val_loss.mean
            }),
        ),
    ]
}

type Column = fn(&Metrics) -> Option<f64>;

fn loss(title: &str, histories: &[History]) -> LineChart {
    let columns: [(&str, Colour, Column); 2] = [
        ("training", SERIES[0], |row| row.train_loss),
        ("validation", SERIES[1], |row| row.val_loss),
    ];
    let mut chart = LineChart::new(title, "iteration", "loss").log_y();
    for (_, colour, value) in columns {
        for history in histories {
            let seed = Series::new("", colour, history.column(value));
            chart = chart.with(seed.weight(Weight::Thin));
        }
    }
    for (label, colour, value) in columns {
        let of_seeds: Vec<_> = histories.iter().map(|history| history.column(value)).collect();
        chart = chart.with(Series::new(label, colour, mean(&of_seeds)));
    }
    chart
}

/// The mean of curves with the same x, which are those of runs that differ in the seed alone.
fn mean(curves: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |index: usize| {
        let sum: f64 = curves.iter().map(|curve| curve[index].1).sum();
        (first[index].0, sum / curves.len() as f64)
    };
    (0..first.len()).map(at).collect()
}

/// A line for each hidden size over the learning rates; sets with a diverged run have no point.
fn by_lr(
    grid: &Grid,
    table: &[SweepSet],
    title: &str,
    label: &str,
    value: fn(&SetSpreads) -> f64,
) -> LineChart {
    let names = grid.lrs.iter().map(f64::to_string);
    let mut chart = LineChart::new(title, "learning rate", label).categories(names);
    for (index, sets) in table.chunks(grid.lrs.len()).enumerate() {
        let label = match sets[0].role {
            Role::Candidate => format!("hidden {}", grid.hidden[index]),
            Role::Baseline => "softmax regression".to_owned(),
        };
        let point = |(lr, set): (usize, &SweepSet)| Some((lr as f64, value(&set.spreads?)));
        let points = sets.iter().enumerate().filter_map(point).collect();
        let colour = SERIES[index % SERIES.len()];
        chart = chart.with(Series::new(label, colour, points).markers());
    }
    chart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_curves_is_taken_point_by_point() {
        let curves = [vec![(0.0, 1.0), (5.0, 3.0)], vec![(0.0, 2.0), (5.0, 5.0)]];
        assert_eq!(mean(&curves), [(0.0, 1.5), (5.0, 4.0)]);
        assert!(mean(&[]).is_empty());
    }
}
