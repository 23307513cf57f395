//! One step of a convolution.

use super::Sources;
use super::canvas::{Anchor, Canvas, Font, Ink};
use super::grid::{Grid, Item, dimensions, row, window};
use crate::tensor::plain_number;

/// The output cell whose step is shown.
const STEP: (usize, usize) = (0, 1);

pub(super) fn draw(sources: &Sources<'_>) -> Result<String, String> {
    let matrix = |name: &str| sources.matrix(&format!("convolution.{name}"));
    let (x, w, z) = (matrix("x")?, matrix("w")?, matrix("z")?);
    let b = sources.number("convolution.b")?;
    let seen = window(STEP, dimensions(&w));
    let (marked, result) = (Ink::Series(1), Ink::Series(2));
    let mut canvas = Canvas::default();
    let items = [
        Item::Grid(Grid::new("X", &x).mark(marked, seen)),
        Item::Sign("∗"),
        Item::Grid(Grid::new("W", &w).mark(marked, window((0, 0), dimensions(&w)))),
        Item::Sign("+"),
        Item::Grid(Grid::new("b", &[vec![b]])),
        Item::Sign("="),
        Item::Grid(Grid::new("Z", &z).mark(result, [STEP])),
    ];
    let width = row(&mut canvas, &items, 20.0, 100.0) + 20.0;
    let shown = |value: f64| match value < 0.0 {
        true => format!("({})", plain_number(value, 4)),
        false => plain_number(value, 4),
    };
    let products: Vec<String> = window((0, 0), dimensions(&w))
        .map(|(i, j)| format!("{}·{}", shown(x[STEP.0 + i][STEP.1 + j]), shown(w[i][j])))
        .collect();
    let line = format!("{} + {} = {}", products.join(" + "), shown(b), shown(z[STEP.0][STEP.1]));
    canvas.text((0.5 * width, 215.0), Font::of(15.0), Anchor::Middle, &line);
    Ok(canvas.finish(width, 232.0))
}
