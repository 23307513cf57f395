//! The error of the finite differences of each layer, by their step.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::SERIES;

use super::chart::{Chart, power_ticks};
use crate::expand::Inputs;

/// The step that the harness takes, as a power of ten.
const STEP: f64 = -5.0;

/// The bound on the error of an element, as a power of ten.
const BOUND: f64 = -7.0;

const COLUMNS: usize = 4;

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let curves = &inputs.evidence.step_curves;
    if curves.is_empty() {
        return Err("the harness measured no curve".to_owned());
    }
    let mut canvas = Canvas::themed();
    let mut bottom = 0.0;
    for (number, curve) in curves.iter().enumerate() {
        let (row, column) = (number / COLUMNS, number % COLUMNS);
        let chart = Chart {
            at: (52.0 + 200.0 * column as f64, 34.0 + 205.0 * row as f64),
            size: (150.0, 140.0),
            x: (-12.2, -0.8),
            y: (-17.0, 0.5),
        };
        bottom = chart.at.1 + chart.size.1;
        let (x, y) = (power_ticks([-12, -8, -4, -1]), power_ticks([-16, -12, -8, -4, 0]));
        chart.axes(&mut canvas, &x, &y);
        chart.title(&mut canvas, &curve.layer);
        let (mark, limit) = (Pen::of(SERIES[2], 1.2).dashed(), Pen::of(SERIES[1], 1.2).dashed());
        chart.line(&mut canvas, &[(STEP, chart.y.0), (STEP, chart.y.1)], mark);
        chart.line(&mut canvas, &[(chart.x.0, BOUND), (chart.x.1, BOUND)], limit);
        let points: Vec<Point> =
            // An error of 0 has no logarithm; the place of the smallest shows it.
            curve.points.iter().map(|(h, e)| (h.log10(), e.log10().max(-16.8))).collect();
        chart.line(&mut canvas, &points, Pen::of(SERIES[0], 1.8));
        for point in points {
            canvas.circle(chart.place(point), 1.8, Some(SERIES[0]), Pen::of(SERIES[0], 1.0));
        }
    }
    for (x, ink, text) in [
        (70.0, SERIES[0], "largest error of an element"),
        (340.0, SERIES[2], "step of the checks"),
        (560.0, SERIES[1], "bound of the checks"),
    ] {
        let pen = Pen::of(ink, 1.8);
        let pen = if ink == SERIES[0] { pen } else { pen.dashed() };
        canvas.line(&[(x, bottom + 43.0), (x + 34.0, bottom + 43.0)], pen);
        canvas.text((x + 42.0, bottom + 48.0), Font::of(13.0), Anchor::Start, text);
    }
    Ok(canvas.finish(820.0, bottom + 60.0))
}
