//! The gradient of the input of a convolution, as a sum of stamps.

use super::Sources;
use super::canvas::{Canvas, Ink};
use super::grid::{Grid, Item, dimensions, row, window};

pub(super) fn draw(sources: &Sources<'_>) -> Result<String, String> {
    let matrix = |name: &str| sources.matrix(&format!("convolution.{name}"));
    let (w, g, dx) = (matrix("w")?, matrix("g")?, matrix("dx")?);
    let (first, last) = ((0, 0), (g.len() - 1, dimensions(&g).1 - 1));
    let (one, other) = (Ink::Series(1), Ink::Series(2));
    let (top, bottom) = (matrix("dx-top-left")?, matrix("dx-bottom-right")?);
    let under = |corner| window(corner, dimensions(&w));
    let in_both = |cell: &(usize, usize)| under(last).any(|other| other == *cell);
    let shared: Vec<(usize, usize)> = under(first).filter(in_both).collect();
    let mut canvas = Canvas::default();
    let items = [
        Item::Grid(Grid::new("G = ∂L/∂Z", &g).mark(one, [first]).mark(other, [last])),
        Item::Sign("→"),
        Item::Grid(Grid::new("stamp of G[0,0]", &top).mark(one, under(first)).without_zeros()),
        Item::Sign("+"),
        Item::Grid(Grid::new("stamp of G[1,1]", &bottom).mark(other, under(last)).without_zeros()),
        Item::Sign("="),
        Item::Grid(Grid::new("∂L/∂X", &dx).mark(Ink::Series(3), shared)),
    ];
    let width = row(&mut canvas, &items, 20.0, 100.0) + 20.0;
    Ok(canvas.finish(width, 195.0))
}
