//! Weights before a normalisation in four trainings: their norm, and the effective learning rate that it makes.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::SERIES;
use ffnn::{WeightNorm, weight_norms};

use super::chart::{Chart, Tick, power_ticks, whole_ticks};
use crate::expand::Inputs;

const DECAY: f64 = 0.005;

pub(super) fn draw(_: &Inputs) -> Result<String, String> {
    let mut runs = Vec::new();
    for (decay, colour) in [(0.0, SERIES[1]), (DECAY, SERIES[0])] {
        for scale in [1.0, 4.0] {
            let norms = weight_norms(decay, scale).map_err(|error| error.to_string())?;
            runs.push((norms, colour));
        }
    }
    let steps = runs[0].0.len() as f64;
    let x = (0.0, steps);
    let norm = |at: &WeightNorm| at.norm.log10();
    let rate = |at: &WeightNorm| at.effective_rate.log10();
    let mut canvas = Canvas::themed();
    let mut side = |left: f64, title: &str, y: (f64, f64), value: &dyn Fn(&WeightNorm) -> f64| {
        let chart = Chart { at: (left, 54.0), size: (230.0, 200.0), x, y };
        let ticks: Vec<Tick> = power_ticks(y.0 as i32..=y.1 as i32);
        chart.axes(&mut canvas, &whole_ticks(0, steps as i32, 400), &ticks);
        chart.title(&mut canvas, title);
        for (norms, colour) in &runs {
            let line: Vec<Point> = norms.iter().map(|at| (at.step as f64, value(at))).collect();
            chart.line(&mut canvas, &line, Pen::of(*colour, 1.6));
        }
        canvas.text((left + 115.0, 290.0), Font::of(13.0), Anchor::Middle, "step");
    };
    side(50.0, "norm of the weights", (-1.0, 1.0), &norm);
    side(340.0, "effective learning rate", (-2.0, 1.0), &rate);
    for (x, colour, text) in
        [(50.0, SERIES[1], "without weight decay"), (220.0, SERIES[0], "with weight decay")]
    {
        canvas.text((x, 20.0), Font::of(14.0).bold().colour(colour), Anchor::Start, text);
    }
    Ok(canvas.finish(600.0, 300.0))
}
