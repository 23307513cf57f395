//! A convolution with two input channels.

use super::Sources;
use super::canvas::{Anchor, Canvas, Font, Ink};
use super::grid::{Grid, Item, dimensions, row, window};
use crate::tensor::plain_number;

pub(super) fn draw(sources: &Sources<'_>) -> Result<String, String> {
    let matrix = |name: &str, c: usize| sources.matrix(&format!("convolution-channels.{name}{c}"));
    let z = sources.matrix("convolution-channels.z")?;
    let b = sources.number("convolution-channels.b")?;
    let (marked, result) = (Ink::Series(1), Ink::Series(2));
    let mut canvas = Canvas::default();
    let middles = [100.0, 280.0];
    let mut right = 0.0_f64;
    let mut sums = Vec::new();
    for (c, middle) in middles.into_iter().enumerate() {
        let (x, w, part) = (matrix("x", c)?, matrix("w", c)?, matrix("z", c)?);
        let titles = [format!("X, channel {c}"), format!("W, channel {c}"), "sum".to_owned()];
        let [over, under, sum] = &titles;
        let items = [
            Item::Grid(Grid::new(over, &x).mark(marked, window((0, 0), dimensions(&w)))),
            Item::Sign("∗"),
            Item::Grid(Grid::new(under, &w).mark(marked, window((0, 0), dimensions(&w)))),
            Item::Sign("="),
            Item::Grid(Grid::new(sum, &part).mark(result, [(0, 0)])),
        ];
        right = right.max(row(&mut canvas, &items, 20.0, middle));
        sums.push(plain_number(part[0][0], 4));
    }
    let middle = 0.5 * (middles[0] + middles[1]);
    canvas.text((right + 34.0, middle + 7.0), Font::of(20.0), Anchor::Middle, "→");
    let total = [Item::Grid(Grid::new("Z, one filter", &z).mark(result, [(0, 0)]))];
    let width = row(&mut canvas, &total, right + 66.0, middle) + 20.0;
    let line =
        format!("{} + {} = {}", sums.join(" + "), plain_number(b, 4), plain_number(z[0][0], 4));
    canvas.text((right + 106.0, middle + 84.0), Font::of(15.0), Anchor::Middle, &line);
    Ok(canvas.finish(width, 375.0))
}
