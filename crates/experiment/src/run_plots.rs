//! The plots of a run.

use std::path::Path;

use crate::palette::SERIES;
use crate::{ExperimentError, History, LineChart, Metrics, Series, files};

/// Loss by iteration.
pub(crate) const LOSS: &str = "loss.svg";
/// Accuracy by epoch.
pub(crate) const ACCURACY: &str = "accuracy.svg";

/// Draws the plots, that of the accuracy if the run is known to be of a classifier; none of them if
/// the run has no point to draw.
pub(crate) fn write(
    directory: &Path,
    history: &History,
    classifier: bool,
) -> Result<(), ExperimentError> {
    if history.rows().is_empty() {
        return Ok(());
    }
    let mut plots = vec![(LOSS, loss(history))];
    if classifier {
        plots.push((ACCURACY, accuracy(history)));
    }
    for (name, plot) in plots {
        files::write(&directory.join(name), plot.to_svg()?.as_bytes())?;
    }
    Ok(())
}

fn loss(history: &History) -> LineChart {
    let batch = Series::new("mini-batch", SERIES[5], history.column(|row| row.batch_loss));
    let mut series = vec![Series { thin: true, ..batch }];
    let train = history.column(|row| row.train_loss);
    series.extend(of_sets(train, history.column(|row| row.val_loss)));
    LineChart { log_y: true, ..LineChart::new("Loss by iteration", "iteration", "loss", series) }
}

fn accuracy(history: &History) -> LineChart {
    // By chance alone the untrained network is right so rarely that it would press all other epochs together.
    let first = u64::from(history.rows().last().is_some_and(|row| row.epoch > 2));
    let points = |error: fn(&Metrics) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |row: &Metrics| Some((row.epoch as f64, 100.0 * (1.0 - error(row)?)));
        history.rows().iter().filter(|row| row.epoch >= first).filter_map(point).collect()
    };
    let series = of_sets(points(|row| row.train_error), points(|row| row.val_error));
    let lowest = series.iter().flat_map(|series| &series.points).map(|point| point.1);
    let y_from = 10.0 * (lowest.fold(f64::INFINITY, f64::min) / 10.0).floor();
    let chart = LineChart::new("Accuracy by epoch", "epoch", "accuracy (%)", series);
    LineChart { y_from, ..chart }
}

/// The lines of the training set and, if the run had one, the validation set.
fn of_sets(train: Vec<(f64, f64)>, validation: Vec<(f64, f64)>) -> Vec<Series> {
    let mut series = vec![Series::new("training", SERIES[0], train)];
    if !validation.is_empty() {
        series.push(Series::new("validation", SERIES[1], validation));
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EpochMetrics, Evaluation, MetricsSink};

    #[test]
    fn a_set_that_the_run_did_not_have_is_not_in_the_legend() {
        let train = Evaluation::classification(1.0, 1, 4);
        for validation in [None, Some(train)] {
            let mut history = History::default();
            let (epoch, iteration, weight_norm) = (0, 0, 1.0);
            let metrics = EpochMetrics { epoch, iteration, train, validation, weight_norm };
            history.epoch(&metrics).unwrap();
            for chart in [loss(&history), accuracy(&history)] {
                let svg = chart.to_svg().unwrap();
                assert!(svg.contains("training"));
                assert_eq!(svg.contains("validation"), validation.is_some());
            }
        }
    }
}
