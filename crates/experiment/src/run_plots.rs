//! The plots of a run.

use std::path::Path;

use crate::palette::SERIES;
use crate::{ExperimentError, History, LineChart, Metrics, Series, Weight, atomic};

/// Loss by iteration.
pub(crate) const LOSS: &str = "loss.svg";
/// Error by epoch.
pub(crate) const ERROR: &str = "error.svg";

/// Draws both plots, or none of them if the run has no point to draw.
pub(crate) fn write(directory: &Path, history: &History) -> Result<(), ExperimentError> {
    if history.rows().is_empty() {
        return Ok(());
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
    let by_epoch = |value: fn(&Metrics) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |row: &Metrics| Some((row.epoch as f64, 100.0 * value(row)?));
        history.rows().iter().filter_map(point).collect()
    };
    let (train, validation) = (by_epoch(|row| row.train_error), by_epoch(|row| row.val_error));
    LineChart::new("Error by epoch", "epoch", "error (%)")
        .with(Series::new("training", SERIES[0], train))
        .with(Series::new("validation", SERIES[1], validation))
}
