//! Arrays as grids of cells, side by side.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{Colour, TEXT};

use crate::tensor::plain_number;

/// The side of a cell.
pub(super) const CELL: f64 = 40.0;

/// An array, drawn as cells.
pub(super) struct Grid<'a> {
    /// The cells; an empty text is an empty cell.
    cells: Vec<Vec<String>>,
    title: &'a str,
    note: String,
    marks: Vec<((usize, usize), Colour)>,
    cell: Point,
}

impl<'a> Grid<'a> {
    /// A grid with a title above, and its size below.
    pub(super) fn new(title: &'a str, rows: &[Vec<f64>]) -> Self {
        let text = |row: &Vec<f64>| row.iter().map(|value| plain_number(*value, 4)).collect();
        Self {
            cells: rows.iter().map(text).collect(),
            title,
            note: format!("{} × {}", rows.len(), dimensions(rows).1),
            marks: Vec::new(),
            cell: (CELL, CELL),
        }
    }

    /// Paints cells.
    pub(super) fn mark(
        mut self,
        colour: Colour,
        cells: impl IntoIterator<Item = (usize, usize)>,
    ) -> Self {
        self.marks.extend(cells.into_iter().map(|cell| (cell, colour)));
        self
    }

    /// Leaves the text of zeros out.
    pub(super) fn without_zeros(mut self) -> Self {
        for cell in self.cells.iter_mut().flatten().filter(|cell| *cell == "0") {
            cell.clear();
        }
        self
    }

    /// Says something else below.
    pub(super) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Draws cells of another size.
    pub(super) fn cell(self, cell: Point) -> Self {
        Self { cell, ..self }
    }

    fn size(&self) -> Point {
        let columns = self.cells.first().map_or(0, Vec::len);
        (columns as f64 * self.cell.0, self.cells.len() as f64 * self.cell.1)
    }

    fn draw(&self, canvas: &mut Canvas, (left, top): Point) {
        let middle = left + 0.5 * self.size().0;
        let outline = Pen::of(TEXT, 1.0);
        for (r, row) in self.cells.iter().enumerate() {
            for (q, text) in row.iter().enumerate() {
                let (x, y) = (left + q as f64 * self.cell.0, top + r as f64 * self.cell.1);
                let mark = self.marks.iter().rev().find(|(cell, _)| *cell == (r, q));
                canvas.rect((x, y), self.cell, mark.map(|(_, colour)| *colour), outline);
                let at = (x + 0.5 * self.cell.0, y + 0.5 * self.cell.1 + 5.0);
                if !text.is_empty() {
                    canvas.text(at, Font::of(15.0), Anchor::Middle, text);
                }
            }
        }
        canvas.text((middle, top - 10.0), Font::of(15.0).italic(), Anchor::Middle, self.title);
        let below = (middle, top + self.size().1 + 18.0);
        canvas.text(below, Font::of(12.5), Anchor::Middle, &self.note);
    }
}

/// Draws a row of grids with a common middle, each behind its sign (`=`, `+`) if it has one; returns
/// where it ends on the right.
pub(super) fn row(canvas: &mut Canvas, grids: &[(&str, Grid<'_>)], left: f64, middle: f64) -> f64 {
    const GAP: f64 = 14.0;
    let mut x = left;
    for (sign, grid) in grids {
        if !sign.is_empty() {
            // Letters are about half as wide as high.
            let width = 10.0 * sign.chars().count() as f64 + 6.0;
            let at = (x + GAP + 0.5 * width, middle + 7.0);
            canvas.text(at, Font::of(20.0), Anchor::Middle, sign);
            x += width + 2.0 * GAP;
        }
        let (width, height) = grid.size();
        grid.draw(canvas, (x, middle - 0.5 * height));
        x += width;
    }
    x
}

/// The cells of a window whose corner is at `(row, col)`.
pub(super) fn window(
    (row, col): (usize, usize),
    (rows, cols): (usize, usize),
) -> impl Iterator<Item = (usize, usize)> {
    (row..row + rows).flat_map(move |r| (col..col + cols).map(move |q| (r, q)))
}

/// Rows and columns of a matrix.
pub(super) fn dimensions(matrix: &[Vec<f64>]) -> (usize, usize) {
    (matrix.len(), matrix.first().map_or(0, Vec::len))
}

#[cfg(test)]
mod tests {
    use experiment::palette::SERIES;

    use super::*;

    #[test]
    fn every_cell_and_every_mark_is_drawn() {
        let mut canvas = Canvas::themed();
        let grid = Grid::new("X", &[vec![1.0, 0.0], vec![-2.5, 3.0]]);
        let grid = grid.mark(SERIES[1], window((1, 0), (1, 2))).without_zeros();
        let grids = [("", grid), ("=", Grid::new("Y", &[vec![7.0]]))];
        let right = row(&mut canvas, &grids, 10.0, 100.0);
        assert_eq!(right, 10.0 + 2.0 * CELL + 44.0 + CELL);
        let svg = canvas.finish(right, 200.0);
        assert_eq!(svg.matches("<rect").count(), 5);
        assert_eq!(svg.matches("fill=\"var(--plot-series-2)\"").count(), 2);
        for text in [">1<", ">\u{2212}2.5<", ">3<", ">7<", ">2 × 2<", ">1 × 1<", ">X<"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(!svg.contains(">0<"), "{svg}");
    }
}
