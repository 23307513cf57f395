//! A convolution as a matrix product.

use super::Sources;
use super::canvas::{Canvas, Ink};
use super::grid::{Grid, Item, dimensions, row, window};

pub(super) fn draw(sources: &Sources<'_>) -> Result<String, String> {
    let matrix = |name: &str| sources.matrix(&format!("convolution.{name}"));
    let (x, w, columns, w_column) =
        (matrix("x")?, matrix("w")?, matrix("columns")?, matrix("w-column")?);
    let b = sources.number("convolution.b")?;
    let z: Vec<Vec<f64>> = matrix("z")?.into_iter().flatten().map(|value| vec![value]).collect();
    let (marked, result) = (Ink::Series(1), Ink::Series(2));
    // The window of output cell (0, 1) is row 1 of C.
    let (step, line) = ((0, 1), 1);
    let cells = columns.first().map_or(0, Vec::len);
    let mut canvas = Canvas::default();
    let items = [
        Item::Grid(Grid::new("X", &x).mark(marked, window(step, dimensions(&w)))),
        Item::Sign("→"),
        Item::Grid(Grid::new("C", &columns).mark(marked, window((line, 0), (1, cells)))),
        Item::Sign("·"),
        Item::Grid(Grid::new("W", &w_column)),
        Item::Sign("+"),
        Item::Grid(Grid::new("b", &[vec![b]])),
        Item::Sign("="),
        Item::Grid(Grid::new("Z", &z).mark(result, [(line, 0)])),
    ];
    let width = row(&mut canvas, &items, 20.0, 120.0) + 20.0;
    Ok(canvas.finish(width, 235.0))
}
