//! The loss of the network of question 5 on a plane through the parameters with which the record's run ends.

use experiment::Record;
use experiment::canvas::{Anchor, Canvas, Font, Pen};
use experiment::palette::{GRID, SERIES};
use ffnn::{IrisConfig, LossPlane};

use super::chart::{Chart, Tick};
use super::level_set::at_least;
use crate::expand::Inputs;
use crate::numbers::significant;

/// The record whose run ends in the middle.
pub(super) const RECORD: &str = "iris-sweep/best";

/// Points along one side.
const POINTS: usize = 61;
const LEVELS: usize = 10;
const OPACITY: f64 = 0.1;

/// The hyperparameters of a run on Iris.
pub(super) fn configuration(run: &Record) -> Result<IrisConfig, String> {
    let table = run.config.hyperparameters.clone();
    table.try_into().map_err(|error| format!("the record `{RECORD}` is no run on Iris: {error}"))
}

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let values = values(&inputs.records.read_run(RECORD)?)?;
    let all = || values.iter().flatten().copied();
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let ratio = (high / low).powf(1.0 / (LEVELS + 1) as f64);
    let levels: Vec<f64> = (1..=LEVELS).map(|level| low * ratio.powi(level as i32)).collect();
    let chart = Chart { at: (60.0, 20.0), size: (400.0, 400.0), x: (-1.0, 1.0), y: (-1.0, 1.0) };
    let tick = |value: f64| -> Tick { (value, significant(value).replace('-', "\u{2212}")) };
    let ticks = [-1.0, -0.5, 0.0, 0.5, 1.0].map(tick);
    let mut canvas = Canvas::themed();
    // Logarithms, so that a level lies where the loss has it also between distant values.
    let logarithms: Vec<Vec<f64>> =
        values.iter().map(|row| row.iter().map(|value| value.ln()).collect()).collect();
    for level in &levels {
        let area = at_least(&logarithms, level.ln(), |row, column| {
            chart.place((coordinate(column), coordinate(row)))
        });
        canvas.area(&area, SERIES[0], OPACITY);
    }
    chart.axes(&mut canvas, &ticks, &ticks);
    let (x, y) = chart.place((0.0, 0.0));
    let cross = Pen::of(SERIES[1], 2.4);
    canvas.line(&[(x - 7.0, y - 7.0), (x + 7.0, y + 7.0)], cross);
    canvas.line(&[(x - 7.0, y + 7.0), (x + 7.0, y - 7.0)], cross);
    let label = format!("loss {}", significant(values[POINTS / 2][POINTS / 2]));
    canvas.text((x + 12.0, y - 8.0), Font::of(13.0).bold(), Anchor::Start, &label);
    canvas.text((260.0, 458.0), Font::of(13.0), Anchor::Middle, "first direction");
    canvas.text((60.0, 12.0), Font::of(13.0), Anchor::Start, "second direction");
    scale(&mut canvas, low, &levels);
    Ok(canvas.finish(580.0, 468.0))
}

/// The legend of the shades.
fn scale(canvas: &mut Canvas, low: f64, levels: &[f64]) {
    let (left, bottom, side) = (490.0, 400.0, 30.0);
    canvas.text((left, 38.0), Font::of(13.0), Anchor::Start, "loss at least");
    for (shade, level) in [low].iter().chain(levels).enumerate() {
        let (top, right) = (bottom - side * (shade + 1) as f64, left + side);
        let square = vec![(left, top), (right, top), (right, top + side), (left, top + side)];
        for _ in 0..shade {
            canvas.area(std::slice::from_ref(&square), SERIES[0], OPACITY);
        }
        canvas.rect((left, top), (side, side), None, Pen::of(GRID, 1.0));
        let at = (right + 8.0, top + side - 3.0);
        canvas.text(at, Font::of(12.0), Anchor::Start, &significant(*level));
    }
}

/// Where point `index` of a side lies, from -1 to 1.
fn coordinate(index: usize) -> f64 {
    2.0 * index as f64 / (POINTS - 1) as f64 - 1.0
}

/// The loss on the training set at each point: rows are the second direction, columns the first.
fn values(run: &Record) -> Result<Vec<Vec<f64>>, String> {
    let mut plane = LossPlane::of_run(&configuration(run)?, run.config.seed)
        .map_err(|error| format!("the run `{RECORD}` cannot be done again: {error}"))?;
    let mut row =
        |b: usize| (0..POINTS).map(|a| plane.loss([coordinate(a), coordinate(b)])).collect();
    (0..POINTS).map(&mut row).collect::<Result<_, _>>().map_err(|error| error.to_string())
}
