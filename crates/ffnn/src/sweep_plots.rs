//! The plots of a sweep.

use experiment::palette::{Colour, SERIES};
use experiment::{History, LineChart, Metrics, Series};

use crate::{Grid, Role, SweepOutcome, SweepSet};

/// The plots by file name: the loss of the best set by iteration, and the validation error by learning rate.
pub fn sweep_plots(grid: &Grid, outcome: &SweepOutcome) -> [(&'static str, LineChart); 2] {
    let of = |name: &str| &outcome.best.values[name];
    let title = format!(
        "Loss by iteration: lr {}, hidden {}, {} seeds and their mean",
        of("lr"),
        of("hidden"),
        grid.seeds.len()
    );
    [
        ("loss.svg", loss(&title, &outcome.best_histories)),
        ("validation-error.svg", validation_error(grid, &outcome.table)),
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
fn validation_error(grid: &Grid, table: &[SweepSet]) -> LineChart {
    let line = |(index, sets): (usize, &[SweepSet])| {
        let label = match sets[0].role {
            Role::Candidate => format!("hidden {}", grid.hidden[index]),
            Role::Baseline => "softmax regression".to_owned(),
        };
        let point = |(lr, set): (usize, &SweepSet)| Some((lr as f64, 100.0 * set.val_error_mean?));
        let points = sets.iter().enumerate().filter_map(point).collect();
        Series { markers: true, ..Series::new(label, SERIES[index % SERIES.len()], points) }
    };
    let series = table.chunks(grid.lrs.len()).enumerate().map(line).collect();
    let categories = Some(grid.lrs.iter().map(f64::to_string).collect());
    let title = "Validation error after the last epoch";
    LineChart { categories, ..LineChart::new(title, "learning rate", "error (%)", series) }
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
