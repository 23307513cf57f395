//! Max and average pooling of one image.

use super::Sources;
use super::canvas::{Canvas, Ink};
use super::grid::{Grid, Item, row, window};

pub(super) fn draw(sources: &Sources<'_>) -> Result<String, String> {
    let x = sources.matrix("max-pool.x")?;
    let (max, average) = (sources.matrix("max-pool.y")?, sources.matrix("average-pool.y")?);
    let quarters = [(0, 0), (0, 1), (1, 0), (1, 1)];
    let paint = |grid: Grid<'static>, side: usize| {
        quarters.into_iter().enumerate().fold(grid, |grid, (number, (r, q))| {
            grid.mark(Ink::Series(number + 1), window((side * r, side * q), (side, side)))
        })
    };
    let mut canvas = Canvas::default();
    let items = [
        Item::Grid(paint(Grid::new("X", &x), 2)),
        Item::Sign("→"),
        Item::Grid(paint(Grid::new("max", &max), 1).cell((50.0, 40.0))),
        Item::Sign("or"),
        Item::Grid(paint(Grid::new("average", &average), 1).cell((50.0, 40.0))),
    ];
    let width = row(&mut canvas, &items, 20.0, 120.0) + 20.0;
    Ok(canvas.finish(width, 235.0))
}
