//! The trainings of one recipe with several seeds: accuracy on pictures of the training set by epoch, and at last on the
//! test set.

use experiment::Record;
use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::SERIES;

use super::chart::{Chart, Tick, whole_ticks};
use crate::expand::Inputs;
use crate::numbers::{mean, percentage};

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let runs = inputs.records.runs_in("cifar10-best")?;
    let epochs = runs.iter().map(|run| run.summary.epochs).max().unwrap_or(1) as f64;
    // Epoch 0, where one picture in ten is right by chance, would take half of the height.
    let lines: Vec<Vec<Point>> = runs.iter().map(line).collect();
    let trained = lines.iter().flatten().filter(|(epoch, _)| *epoch >= 1.0);
    let low = 10.0 * (trained.fold(100.0_f64, |low, (_, y)| y.min(low)) / 10.0).floor();
    let chart = Chart { at: (60.0, 20.0), size: (430.0, 250.0), x: (0.5, epochs), y: (low, 100.0) };
    let mut canvas = Canvas::themed();
    let percent = |value: i32| -> Tick { (f64::from(value), format!("{value} %")) };
    let y: Vec<Tick> = (low as i32..=100).step_by(10).map(percent).collect();
    chart.axes(&mut canvas, &whole_ticks(1, epochs as i32, 1), &y);
    let mut tested = Vec::new();
    for (run, line) in runs.iter().zip(&lines) {
        chart.line(&mut canvas, line, Pen::of(SERIES[0], 1.6));
        let right = 1.0 - run.summary.test.ok_or("a run was never tested")?.error;
        tested.push(right);
        let at = chart.place((epochs, 100.0 * right));
        canvas.circle(at, 4.5, Some(SERIES[1]), Pen::of(SERIES[1], 1.4));
    }
    let label = |index: usize| Font::of(14.0).bold().colour(SERIES[index]);
    let last = lines.iter().find_map(|line| line.last()).ok_or("there is no run")?;
    let (_, above) = chart.place(*last);
    let (_, below) = chart.place((epochs, 100.0 * mean(&tested)));
    for (y, index, text) in [
        (above, 0, "pictures learned from".to_owned()),
        (below, 1, format!("new pictures: {}", percentage(mean(&tested)))),
    ] {
        canvas.text((502.0, y + 5.0), label(index), Anchor::Start, &text);
    }
    canvas.text((275.0, 306.0), Font::of(14.0), Anchor::Middle, "epoch");
    Ok(canvas.finish(690.0, 316.0))
}

/// The accuracy, in percent, after each epoch.
fn line(run: &Record) -> Vec<Point> {
    let rows = run.history.rows().iter();
    rows.filter_map(|row| Some((row.epoch as f64, 100.0 * (1.0 - row.train_error?)))).collect()
}
