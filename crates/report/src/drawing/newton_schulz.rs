//! A singular value after one, two and three Newton-Schulz steps.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{GRID, SERIES};
use ndarray::array;
use optim::{NORM_EPS, orthogonalise};

use super::chart::{Chart, Tick};
use crate::expand::Inputs;

/// Values between these two stay there; the chapter on Muon derives them.
const BAND: [f64; 2] = [0.6818, 1.2024];

/// Points of a curve.
const POINTS: usize = 400;

pub(super) fn draw(_: &Inputs) -> Result<String, String> {
    let chart = Chart { at: (60.0, 30.0), size: (480.0, 220.0), x: (0.0, 1.0), y: (0.0, 1.3) };
    let ticks = |values: &[&str]| -> Vec<Tick> {
        values.iter().map(|text| (text.parse().unwrap_or(f64::NAN), (*text).to_owned())).collect()
    };
    let mut canvas = Canvas::themed();
    chart.axes(&mut canvas, &ticks(&["0", "0.25", "0.5", "0.75", "1"]), &ticks(&["0", "0.5", "1"]));
    for edge in BAND {
        chart.line(&mut canvas, &[(0.0, edge), (1.0, edge)], Pen::of(GRID, 1.0));
    }
    for (steps, x) in [(1, 350.0), (2, 415.0), (3, 480.0)] {
        let curve: Vec<Point> = (0..=POINTS)
            .map(|point| point as f64 / POINTS as f64)
            .map(|s| (s, singular_value(s, steps)))
            .collect();
        let colour = SERIES[steps as usize - 1];
        chart.line(&mut canvas, &curve, Pen::of(colour, 1.6));
        let text = if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
        canvas.text((x, 18.0), Font::of(14.0).bold().colour(colour), Anchor::Start, &text);
    }
    canvas.text((300.0, 286.0), Font::of(14.0), Anchor::Middle, "singular value before");
    canvas.text((60.0, 18.0), Font::of(14.0).italic(), Anchor::Start, "after");
    Ok(canvas.finish(560.0, 296.0))
}

/// The value of the kernel: s beside what completes it to the norm `1 - 1e-7`, which is divided by 1.
fn singular_value(s: f64, steps: u32) -> f64 {
    let other = (1.0 - s * s).max(0.0).sqrt();
    let diagonal = array![[s, 0.0], [0.0, other]] * (1.0 - NORM_EPS);
    orthogonalise(diagonal.view(), steps)[[0, 0]]
}
