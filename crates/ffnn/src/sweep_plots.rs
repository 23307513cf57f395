//! The plots of a sweep.

use experiment::palette::{Colour, SERIES};
use experiment::{History, LineChart, Metrics, Series};

use crate::{Grid, Role, SweepOutcome, SweepSet};

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
    let by_lr = |title, label, value| by_lr(grid, &outcome.table, title, label, value);
    let error = |set: &SweepSet| Some(100.0 * set.val_error_mean?);
    let (error_title, loss_title) =
        ("Validation error after the last epoch", "Validation loss after the last epoch");
    [
        ("loss.svg", loss(&title, &outcome.best_histories)),
        ("validation-error.svg", by_lr(error_title, "error (%)", error)),
        ("validation-loss.svg", by_lr(loss_title, "loss", |set| set.val_loss_mean)),
    ]
}

type Column = fn(&Metrics) -> Option<f64>;

fn loss(title: &str, histories: &[History]) -> LineChart {
    let columns: [(&str, Colour, Column); 2] = [
        ("training", SERIES[0], |row| row.train_loss),
        ("validation", SERIES[1], |row| row.val_loss),
    ];
    let seeds = columns.into_iter().flat_map(|(_, colour, value)| {
        let line = move |history: &History| Series::new("", colour, history.column(value));
        histories.iter().map(move |history| Series { thin: true, ..line(history) })
    });
    let means = columns.into_iter().map(|(label, colour, value)| {
        let of_seeds: Vec<_> = histories.iter().map(|history| history.column(value)).collect();
        Series::new(label, colour, mean(&of_seeds))
    });
    let series = seeds.chain(means).collect();
    LineChart { log_y: true, ..LineChart::new(title, "iteration", "loss", series) }
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
    value: fn(&SweepSet) -> Option<f64>,
) -> LineChart {
    let line = |(index, sets): (usize, &[SweepSet])| {
        let label = match sets[0].role {
            Role::Candidate => format!("hidden {}", grid.hidden[index]),
            Role::Baseline => "softmax regression".to_owned(),
        };
        let point = |(lr, set): (usize, &SweepSet)| Some((lr as f64, value(set)?));
        let points = sets.iter().enumerate().filter_map(point).collect();
        Series { markers: true, ..Series::new(label, SERIES[index % SERIES.len()], points) }
    };
    let series = table.chunks(grid.lrs.len()).enumerate().map(line).collect();
    let categories = Some(grid.lrs.iter().map(f64::to_string).collect());
    LineChart { categories, ..LineChart::new(title, "learning rate", label, series) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_curves_is_taken_point_by_point() {
        let curves = [vec![(0.0, 1.0), (5.0, 3.0)], vec![(0.0, 2.0), (5.0, 5.0)]];
        assert_eq!(mean(&curves), [(0.0, 1.5), (5.0, 4.0)]);
    }
}
