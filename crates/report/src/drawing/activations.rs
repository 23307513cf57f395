//! The element-wise activations and their derivatives, computed by the crate `activations`.

use activations::Activation;
use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::SERIES;
use ndarray::Array1;

use super::chart::{Chart, whole_ticks};
use crate::expand::Inputs;

const RANGE: f64 = 4.0;
const POINTS: usize = 321;

/// A step of the derivative that is no slope but a jump.
const JUMP: f64 = 0.5;

pub(super) fn draw(_: &Inputs) -> Result<String, String> {
    let shown = Activation::ALL.into_iter().filter(|a| *a != Activation::SoftMax);
    let mut canvas = Canvas::themed();
    let (function, derivative) = (Pen::of(SERIES[0], 2.4), Pen::of(SERIES[1], 2.0).dashed());
    let mut rows = 0;
    for (number, activation) in shown.enumerate() {
        let (row, column) = (number / 3, number % 3);
        rows = row + 1;
        let chart = Chart {
            at: (40.0 + 225.0 * column as f64, 34.0 + 200.0 * row as f64),
            size: (185.0, 140.0),
            x: (-RANGE, RANGE),
            y: (-2.0, 3.0),
        };
        chart.axes(&mut canvas, &whole_ticks(-4, 4, 2), &whole_ticks(-2, 3, 1));
        chart.title(&mut canvas, &activation.to_string());
        let (y, slope) = curves(activation)?;
        chart.line(&mut canvas, &y, function);
        for part in without_jumps(&slope) {
            chart.line(&mut canvas, part, derivative);
        }
    }
    let bottom = 34.0 + 200.0 * rows as f64 + 6.0;
    for (x, pen, text) in [(180.0, function, "σ(z)"), (400.0, derivative, "σ′(z)")] {
        canvas.line(&[(x, bottom - 5.0), (x + 46.0, bottom - 5.0)], pen);
        canvas.text((x + 56.0, bottom), Font::of(14.0).italic(), Anchor::Start, text);
    }
    Ok(canvas.finish(690.0, bottom + 12.0))
}

/// The function and its derivative.
fn curves(activation: Activation) -> Result<(Vec<Point>, Vec<Point>), String> {
    let z = Array1::linspace(-RANGE, RANGE, POINTS);
    let ones = Array1::ones(z.len());
    let slope = activation.backward(&z, &ones).map_err(|error| error.to_string())?;
    let y = activation.forward(&z);
    let pairs = |values: &Array1<f64>| z.iter().copied().zip(values.iter().copied()).collect();
    Ok((pairs(&y), pairs(&slope)))
}

/// The parts between jumps.
fn without_jumps(points: &[Point]) -> Vec<&[Point]> {
    points.chunk_by(|a, b| (a.1 - b.1).abs() < JUMP).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derivative_of_relu_has_one_jump_and_no_other_derivative_has_one() {
        for activation in Activation::ALL.into_iter().filter(|a| *a != Activation::SoftMax) {
            let (_, slope) = curves(activation).unwrap();
            let parts = if activation == Activation::ReLU { 2 } else { 1 };
            assert_eq!(without_jumps(&slope).len(), parts, "{activation}");
        }
    }
}
