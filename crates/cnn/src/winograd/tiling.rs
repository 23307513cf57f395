//! Images cut into tiles of 4 by 4 cells, and the cells that a tile sees.

use std::ops::Range;

use numerics::Scalar;

use super::TILE;

/// The tiles of a batch of images of `rows` by `cols` cells. The last ones of a row or column may reach
/// beyond the image.
///
/// A tile row is all tiles beside each other in one image; tile rows are numbered through the batch.
#[derive(Clone, Copy)]
pub(super) struct Tiling {
    images: usize,
    rows: usize,
    cols: usize,
}

/// Where a tile lies.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) image: usize,
    pub(super) row: usize,
    pub(super) col: usize,
}

impl Tiling {
    pub(super) fn new(images: usize, (rows, cols): (usize, usize)) -> Self {
        Self { images, rows, cols }
    }

    pub(super) fn tile_rows(&self) -> usize {
        self.images * self.rows.div_ceil(TILE)
    }

    pub(super) fn tiles_per_row(&self) -> usize {
        self.cols.div_ceil(TILE)
    }

    /// Tile rows that hold about so many tiles, at least 1.
    pub(super) fn tile_rows_of(&self, tiles: usize) -> usize {
        tiles.div_ceil(self.tiles_per_row()).max(1)
    }

    /// Ranges of so many tile rows that cover the batch; the last may be shorter.
    pub(super) fn chunks(&self, tile_rows: usize) -> impl Iterator<Item = Range<usize>> {
        let all = self.tile_rows();
        (0..all).step_by(tile_rows).map(move |first| first..(first + tile_rows).min(all))
    }

    /// The tiles of these tile rows.
    pub(super) fn tiles(&self, tile_rows: Range<usize>) -> impl Iterator<Item = Tile> {
        let per_image = self.rows.div_ceil(TILE);
        let per_row = self.tiles_per_row();
        tile_rows.flat_map(move |tile_row| {
            let (image, row) = (tile_row / per_image, tile_row % per_image * TILE);
            (0..per_row).map(move |col| Tile { image, row, col: col * TILE })
        })
    }

    /// Rows of the batch, laid end to end, before this tile row.
    pub(super) fn rows_before(&self, tile_row: usize) -> usize {
        let per_image = self.rows.div_ceil(TILE);
        tile_row / per_image * self.rows + tile_row % per_image * TILE
    }
}

/// A batch of images that tiles see cells of.
pub(super) struct Images<'a, T> {
    elements: &'a [T],
    rows: usize,
    cols: usize,
    channels: usize,
    /// What lies outside an image.
    outside: Vec<T>,
}

impl<'a, T: Scalar> Images<'a, T> {
    /// Images `(m, rows, cols, channels)` in standard layout.
    pub(super) fn new(elements: &'a [T], (rows, cols): (usize, usize), channels: usize) -> Self {
        Self { elements, rows, cols, channels, outside: vec![T::zero(); channels] }
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// The channels of `N` by `N` cells; the first lies at `(row, col)`, which may be outside.
    pub(super) fn cells<const N: usize>(
        &self,
        image: usize,
        (row, col): (isize, isize),
    ) -> [[&[T]; N]; N] {
        let inside = |first: isize, step: usize, len: usize| {
            first.checked_add_unsigned(step)?.try_into().ok().filter(|&at: &usize| at < len)
        };
        let mut cells = [[self.outside.as_slice(); N]; N];
        for (i, cells) in cells.iter_mut().enumerate() {
            let Some(row) = inside(row, i, self.rows) else { continue };
            for (j, cell) in cells.iter_mut().enumerate() {
                if let Some(col) = inside(col, j, self.cols) {
                    let at = (image * self.rows + row) * self.cols + col;
                    *cell = &self.elements[at * self.channels..][..self.channels];
                }
            }
        }
        cells
    }
}
