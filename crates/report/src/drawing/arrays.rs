//! Convolution and pooling as arrays side by side, with the numbers of the worked examples.

use experiment::canvas::{Anchor, Canvas, Font};
use experiment::palette::{Colour, SERIES};

use super::grid::{Grid, dimensions, row, window};
use crate::expand::Inputs;
use crate::tensor::plain_number;

const LEFT: f64 = 20.0;

/// The colours of the cells that are read and of the result.
const MARKED: Colour = SERIES[0];
const RESULT: Colour = SERIES[1];

/// Draws a row of arrays, and nothing else.
fn single(grids: &[(&str, Grid<'_>)], middle: f64, height: f64) -> String {
    let mut canvas = Canvas::themed();
    let width = row(&mut canvas, grids, LEFT, middle) + LEFT;
    canvas.finish(width, height)
}

/// One step of a convolution.
pub(super) fn convolution(inputs: &Inputs) -> Result<String, String> {
    // The output cell whose step is shown.
    const STEP: (usize, usize) = (0, 1);
    let matrix = |name: &str| inputs.evidence.worked.matrix(&format!("convolution.{name}"));
    let (x, w, z) = (matrix("x")?, matrix("w")?, matrix("z")?);
    let b = inputs.evidence.worked.number("convolution.b")?;
    let mut canvas = Canvas::themed();
    let grids = [
        ("", Grid::new("X", &x).mark(MARKED, window(STEP, dimensions(&w)))),
        ("∗", Grid::new("W", &w).mark(MARKED, window((0, 0), dimensions(&w)))),
        ("+", Grid::new("b", &[vec![b]])),
        ("=", Grid::new("Z", &z).mark(RESULT, [STEP])),
    ];
    let width = row(&mut canvas, &grids, LEFT, 100.0) + LEFT;
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

/// A convolution with two input channels.
pub(super) fn convolution_channels(inputs: &Inputs) -> Result<String, String> {
    let matrix = |name: &str, c: usize| {
        inputs.evidence.worked.matrix(&format!("convolution-channels.{name}{c}"))
    };
    let z = inputs.evidence.worked.matrix("convolution-channels.z")?;
    let b = inputs.evidence.worked.number("convolution-channels.b")?;
    let mut canvas = Canvas::themed();
    let middles = [100.0, 280.0];
    let mut right = 0.0_f64;
    let mut sums = Vec::new();
    for (c, middle) in middles.into_iter().enumerate() {
        let (x, w, part) = (matrix("x", c)?, matrix("w", c)?, matrix("z", c)?);
        let [over, under] = ["X", "W"].map(|name| format!("{name}, channel {c}"));
        let grids = [
            ("", Grid::new(&over, &x).mark(MARKED, window((0, 0), dimensions(&w)))),
            ("∗", Grid::new(&under, &w).mark(MARKED, window((0, 0), dimensions(&w)))),
            ("=", Grid::new("sum", &part).mark(RESULT, [(0, 0)])),
        ];
        right = right.max(row(&mut canvas, &grids, LEFT, middle));
        sums.push(plain_number(part[0][0], 4));
    }
    let middle = 0.5 * (middles[0] + middles[1]);
    canvas.text((right + 34.0, middle + 7.0), Font::of(20.0), Anchor::Middle, "→");
    let total = [("", Grid::new("Z, one filter", &z).mark(RESULT, [(0, 0)]))];
    let width = row(&mut canvas, &total, right + 66.0, middle) + LEFT;
    let [b, z] = [b, z[0][0]].map(|value| plain_number(value, 4));
    let line = format!("{} + {b} = {z}", sums.join(" + "));
    canvas.text((right + 106.0, middle + 84.0), Font::of(15.0), Anchor::Middle, &line);
    Ok(canvas.finish(width, 375.0))
}

/// The gradient of the input of a convolution, as a sum of stamps.
pub(super) fn convolution_backward(inputs: &Inputs) -> Result<String, String> {
    let matrix = |name: &str| inputs.evidence.worked.matrix(&format!("convolution.{name}"));
    let (w, g, dx) = (matrix("w")?, matrix("g")?, matrix("dx")?);
    let (first, last) = ((0, 0), (g.len() - 1, dimensions(&g).1 - 1));
    let [one, other, both] = [SERIES[0], SERIES[1], SERIES[2]];
    let (top, bottom) = (matrix("dx-top-left")?, matrix("dx-bottom-right")?);
    let under = |corner| window(corner, dimensions(&w));
    let in_both = |cell: &(usize, usize)| under(last).any(|other| other == *cell);
    let shared = under(first).filter(in_both);
    let grids = [
        ("", Grid::new("G = ∂L/∂Z", &g).mark(one, [first]).mark(other, [last])),
        ("→", Grid::new("stamp of G[0,0]", &top).mark(one, under(first)).without_zeros()),
        ("+", Grid::new("stamp of G[1,1]", &bottom).mark(other, under(last)).without_zeros()),
        ("=", Grid::new("∂L/∂X", &dx).mark(both, shared)),
    ];
    Ok(single(&grids, 100.0, 195.0))
}

/// A convolution as a matrix product.
pub(super) fn im2col(inputs: &Inputs) -> Result<String, String> {
    let matrix = |name: &str| inputs.evidence.worked.matrix(&format!("convolution.{name}"));
    let (x, w, columns, w_column) =
        (matrix("x")?, matrix("w")?, matrix("columns")?, matrix("w-column")?);
    let b = inputs.evidence.worked.number("convolution.b")?;
    let z: Vec<Vec<f64>> = matrix("z")?.into_iter().flatten().map(|value| vec![value]).collect();
    // The window of output cell (0, 1) is row 1 of C.
    let (step, line) = ((0, 1), 1);
    let cells = dimensions(&columns).1;
    let grids = [
        ("", Grid::new("X", &x).mark(MARKED, window(step, dimensions(&w)))),
        ("→", Grid::new("C", &columns).mark(MARKED, window((line, 0), (1, cells)))),
        ("·", Grid::new("W", &w_column)),
        ("+", Grid::new("b", &[vec![b]])),
        ("=", Grid::new("Z", &z).mark(RESULT, [(line, 0)])),
    ];
    Ok(single(&grids, 120.0, 235.0))
}

/// Max and average pooling of one image.
pub(super) fn pooling(inputs: &Inputs) -> Result<String, String> {
    let x = inputs.evidence.worked.matrix("max-pool.x")?;
    let (max, average) = (
        inputs.evidence.worked.matrix("max-pool.y")?,
        inputs.evidence.worked.matrix("average-pool.y")?,
    );
    let paint = |grid: Grid<'static>, side: usize| {
        window((0, 0), (2, 2)).zip(SERIES).fold(grid, |grid, ((r, q), colour)| {
            grid.mark(colour, window((side * r, side * q), (side, side)))
        })
    };
    let grids = [
        ("", paint(Grid::new("X", &x), 2)),
        ("→", paint(Grid::new("max", &max), 1).cell((50.0, 40.0))),
        ("or", paint(Grid::new("average", &average), 1).cell((50.0, 40.0))),
    ];
    Ok(single(&grids, 120.0, 235.0))
}

/// Max pooling forward and backward, with the winners marked.
pub(super) fn max_pooling(inputs: &Inputs) -> Result<String, String> {
    let matrix = |name: &str| inputs.evidence.worked.matrix(&format!("max-pool.{name}"));
    let (x, y, winner) = (matrix("x")?, matrix("y")?, matrix("winner")?);
    let (g, dx) = (matrix("g")?, matrix("dx")?);
    let ((rows, cols), (r1, r2)) = (dimensions(&x), dimensions(&y));
    if r1 == 0 || r2 == 0 || rows % r1 != 0 || cols % r2 != 0 {
        return Err("the windows do not divide the image".to_owned());
    }
    let (k1, k2) = (rows / r1, cols / r2);
    // Each output cell in its colour, and so the input cell that won it.
    let outputs = || window((0, 0), (r1, r2)).zip(SERIES.into_iter().cycle());
    let all =
        |grid: Grid<'static>| outputs().fold(grid, |grid, (cell, ink)| grid.mark(ink, [cell]));
    let winners = |grid: Grid<'static>| {
        outputs().fold(grid, |grid, ((r, q), ink)| {
            let cell = winner[r][q] as usize;
            grid.mark(ink, [(r * k1 + cell / k2, q * k2 + cell % k2)])
        })
    };
    let mut canvas = Canvas::themed();
    for (text, y) in [("forward", 34.0), ("backward", 264.0)] {
        canvas.text((LEFT, y), Font::of(15.0).bold(), Anchor::Start, text);
    }
    let forward = [
        ("", winners(Grid::new("X", &x))),
        ("→", all(Grid::new("Y", &y))),
        ("and", all(Grid::new("winner", &winner)).note("kept in the cache")),
    ];
    let width = row(&mut canvas, &forward, 110.0, 130.0) + LEFT;
    let backward = [
        ("", winners(Grid::new("∂L/∂X", &dx)).without_zeros().note("empty cells are 0")),
        ("←", all(Grid::new("∂L/∂Y", &g))),
    ];
    row(&mut canvas, &backward, 110.0, 360.0);
    Ok(canvas.finish(width, 475.0))
}
