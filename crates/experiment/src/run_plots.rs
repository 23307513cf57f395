//! The plots of a run.

use std::path::Path;

use crate::palette::SERIES;
use crate::{ExperimentError, History, LineChart, Metrics, Series, Weight, atomic};

/// Loss by iteration.
pub(crate) const LOSS: &str = "loss.svg";
/// Error by epoch.
pub(crate) const ERROR: &str = "error.svg";

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
    if classifier {
        atomic::write(&directory.join(ACCURACY), accuracy(history).to_svg()?.as_bytes())?;
    }
    atomic::write(&directory.join(LOSS), loss(history).to_svg()?.as_bytes())?;
    atomic::write(&directory.join(ERROR), error(history).to_svg()?.as_bytes())
}

fn loss(history: &History) -> LineChart {
    let batch = history.column(|row| row.batch_loss);
    let train = history.column(|row| row.train_loss);
    let validation = history.column(|row| row.val_loss);
    LineChart::new("Loss by iteration", "iteration", "loss")
        .log_y()
        .with(Series::new("mini-batch", SERIES[5], batch).weight(Weight::Thin))
        .with(Series::new("training", SERIES[0], train))
        .with(Series::new("validation", SERIES[1], validation))
}

fn error(history: &History) -> LineChart {
    by_epoch("Error by epoch", "error (%)", history, |error| 100.0 * error)
}

fn accuracy(history: &History) -> LineChart {
    by_epoch("Accuracy by epoch", "accuracy (%)", history, |error| 100.0 * (1.0 - error))
}

/// What `shown` makes of the errors after each epoch.
fn by_epoch(title: &str, label: &str, history: &History, shown: fn(f64) -> f64) -> LineChart {
    let points = |error: fn(&Metrics) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |row: &Metrics| Some((row.epoch as f64, shown(error(row)?)));
        history.rows().iter().filter_map(point).collect()
    };
    let (train, validation) = (points(|row| row.train_error), points(|row| row.val_error));
    LineChart::new(title, "epoch", label)
        .with(Series::new("training", SERIES[0], train))
        .with(Series::new("validation", SERIES[1], validation))
}
