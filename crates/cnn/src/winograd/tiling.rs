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
    pub(super) cols: usize,
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

    /// The image that a tile row lies in, and its first row there.
    pub(super) fn image_and_row(&self, tile_row: usize) -> (usize, usize) {
        let per_image = self.rows.div_ceil(TILE);
        (tile_row / per_image, tile_row % per_image * TILE)
    }

    /// Rows of the image in this tile row.
    pub(super) fn rows_in(&self, tile_row: usize) -> usize {
        (self.rows - self.image_and_row(tile_row).1).min(TILE)
    }

    /// Rows of the batch, laid end to end, before this tile row.
    pub(super) fn rows_before(&self, tile_row: usize) -> usize {
        let (image, row) = self.image_and_row(tile_row);
        image * self.rows + row
    }
}

/// A batch of images that tiles see cells of.
pub(super) struct Images<'a, T> {
    elements: &'a [T],
    rows: usize,
    pub(super) cols: usize,
    pub(super) channels: usize,
    /// A line outside an image.
    outside: Vec<T>,
}

impl<'a, T: Scalar> Images<'a, T> {
    /// Images `(m, rows, cols, channels)` in standard layout.
    pub(super) fn new(elements: &'a [T], (rows, cols): (usize, usize), channels: usize) -> Self {
        Self { elements, rows, cols, channels, outside: vec![T::zero(); cols * channels] }
    }

    /// The channels of these columns of a row, which may be outside the image, where all is zero.
    pub(super) fn line(&self, image: usize, row: isize, cols: Range<usize>) -> &[T] {
        let len = self.cols * self.channels;
        let line = match usize::try_from(row) {
            Ok(row) if row < self.rows => &self.elements[(image * self.rows + row) * len..][..len],
            _ => &self.outside,
        };
        &line[cols.start * self.channels..cols.end * self.channels]
    }
}
