//! Max pooling forward and backward, with the winners marked.

use super::Sources;
use super::canvas::{Anchor, Canvas, Font, Ink};
use super::grid::{Grid, Item, dimensions, row};

pub(super) fn draw(sources: &Sources<'_>) -> Result<String, String> {
    let matrix = |name: &str| sources.matrix(&format!("max-pool.{name}"));
    let (x, y, winner) = (matrix("x")?, matrix("y")?, matrix("winner")?);
    let (g, dx) = (matrix("g")?, matrix("dx")?);
    let ((rows, cols), (r1, r2)) = (dimensions(&x), dimensions(&y));
    if r1 == 0 || r2 == 0 || rows % r1 != 0 || cols % r2 != 0 {
        return Err("the windows do not divide the image".to_owned());
    }
    let (k1, k2) = (rows / r1, cols / r2);
    let colour = |number: usize| Ink::Series(number % 6 + 1);
    let outputs = || (0..r1).flat_map(|r| (0..r2).map(move |q| (r, q))).enumerate();
    let won = |number: usize, (r, q): (usize, usize)| {
        let cell = winner[r][q] as usize;
        (colour(number), [(r * k1 + cell / k2, q * k2 + cell % k2)])
    };
    let winners = |grid: Grid<'static>| {
        outputs().fold(grid, |grid, (number, output)| {
            let (ink, cells) = won(number, output);
            grid.mark(ink, cells)
        })
    };
    let all = |grid: Grid<'static>| {
        outputs().fold(grid, |grid, (number, output)| grid.mark(colour(number), [output]))
    };
    let mut canvas = Canvas::default();
    for (text, y) in [("forward", 34.0), ("backward", 264.0)] {
        canvas.text((20.0, y), Font::of(15.0).bold(), Anchor::Start, text);
    }
    let forward = [
        Item::Grid(winners(Grid::new("X", &x))),
        Item::Sign("→"),
        Item::Grid(all(Grid::new("Y", &y))),
        Item::Sign("and"),
        Item::Grid(all(Grid::new("winner", &winner)).note("kept in the cache")),
    ];
    let width = row(&mut canvas, &forward, 110.0, 130.0) + 20.0;
    let backward = [
        Item::Grid(winners(Grid::new("∂L/∂X", &dx)).without_zeros().note("empty cells are 0")),
        Item::Sign("←"),
        Item::Grid(all(Grid::new("∂L/∂Y", &g))),
    ];
    row(&mut canvas, &backward, 110.0, 360.0);
    Ok(canvas.finish(width, 475.0))
}
