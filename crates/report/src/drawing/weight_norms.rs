//! Weights before a normalisation, with and without weight decay: their norm, and the effective learning rate that it
//! makes.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{Colour, SERIES};
use ffnn::{WeightNorm, weight_norms};

use super::chart::{Chart, Tick, power_ticks, whole_ticks};
use crate::expand::Inputs;

const DECAY: f64 = 0.005;

/// The horizontal axis of both charts.
struct Steps<'a> {
    name: &'a str,
    count: f64,
    ticks: Vec<Tick>,
}

/// One of the charts.
struct Side<'a> {
    left: f64,
    title: &'a str,
    y: (f64, f64),
    ticks: Vec<Tick>,
    lines: Vec<(Colour, Vec<Point>)>,
}

/// Four trainings on Iris, from weights of two sizes.
pub(super) fn draw(_: &Inputs) -> Result<String, String> {
    let mut runs = Vec::new();
    for (decay, colour) in [(0.0, SERIES[1]), (DECAY, SERIES[0])] {
        for scale in [1.0, 4.0] {
            let norms = weight_norms(decay, scale).map_err(|error| error.to_string())?;
            runs.push((colour, norms));
        }
    }
    let count = runs[0].1.len() as f64;
    let steps = Steps { name: "step", count, ticks: whole_ticks(0, count as i32, 400) };
    let side = |left, title, exponents: (i32, i32), value: fn(&WeightNorm) -> f64| {
        let point = |at: &WeightNorm| (at.step as f64, value(at).log10());
        let line = |(colour, norms): &(Colour, Vec<WeightNorm>)| {
            (*colour, norms.iter().map(point).collect())
        };
        let y = (f64::from(exponents.0), f64::from(exponents.1));
        let ticks = power_ticks(exponents.0..=exponents.1);
        Side { left, title, y, ticks, lines: runs.iter().map(line).collect() }
    };
    Ok(charts(
        &steps,
        [
            side(50.0, "norm of the weights", (-1, 1), |at| at.norm),
            side(340.0, "effective learning rate", (-2, 1), |at| at.effective_rate),
        ],
    ))
}

/// The network of question 7.2, with its recipe and without weight decay, by the records of these trainings.
pub(super) fn draw_network(inputs: &Inputs) -> Result<String, String> {
    let mut norms = Vec::new();
    let mut rates = Vec::new();
    let mut epochs = 0;
    for (record, colour) in [("weight-decay", SERIES[1]), ("full", SERIES[0])] {
        let name = format!("cifar10-long-ablation/{record}/seed-0");
        let run = inputs.records.read_run(&name)?;
        let ends = run.history.rows().iter();
        let ends = ends.filter_map(|row| Some((row.epoch as f64, row.lr, row.weight_norm?)));
        let ends: Vec<_> = ends.collect();
        if ends.is_empty() {
            return Err(format!("the record `{name}` has no norms of weights"));
        }
        epochs = epochs.max(run.summary.epochs);
        norms.push((colour, ends.iter().map(|&(epoch, _, norm)| (epoch, norm)).collect()));
        let rate = |&(epoch, lr, norm): &(f64, Option<f64>, f64)| {
            Some((epoch, lr? / (norm * norm) * RATE_UNITS))
        };
        rates.push((colour, ends.iter().filter_map(rate).collect()));
    }
    let steps =
        Steps { name: "epoch", count: epochs as f64, ticks: whole_ticks(0, epochs as i32, 2) };
    // From zero, so that lengths can be compared.
    let side = |left, title, lines: Vec<(Colour, Vec<Point>)>, every: f64| {
        let values = lines.iter().flat_map(|(_, line)| line).map(|point| point.1);
        let top = every * (values.fold(0.0, f64::max) / every).ceil();
        let count = (top / every).round() as i32;
        let tick = |i: i32| (every * f64::from(i), format!("{}", every * f64::from(i)));
        Side { left, title, y: (0.0, top), ticks: (0..=count).map(tick).collect(), lines }
    };
    Ok(charts(
        &steps,
        [
            side(50.0, "norm of the weights", norms, 10.0),
            side(340.0, "effective learning rate · 10⁴", rates, 0.5),
        ],
    ))
}

const RATE_UNITS: f64 = 1e4;

fn charts(steps: &Steps<'_>, sides: [Side<'_>; 2]) -> String {
    let mut canvas = Canvas::themed();
    for Side { left, title, y, ticks, lines } in sides {
        let chart = Chart { at: (left, 54.0), size: (230.0, 200.0), x: (0.0, steps.count), y };
        chart.axes(&mut canvas, &steps.ticks, &ticks);
        chart.title(&mut canvas, title);
        for (colour, line) in &lines {
            chart.line(&mut canvas, line, Pen::of(*colour, 1.6));
        }
        canvas.text((left + 115.0, 290.0), Font::of(13.0), Anchor::Middle, steps.name);
    }
    for (x, colour, text) in
        [(50.0, SERIES[1], "without weight decay"), (220.0, SERIES[0], "with weight decay")]
    {
        canvas.text((x, 20.0), Font::of(14.0).bold().colour(colour), Anchor::Start, text);
    }
    canvas.finish(600.0, 300.0)
}
