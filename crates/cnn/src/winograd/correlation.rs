//! `Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A` over a batch: the forward pass, and `dL/dX`, which is the same with other
//! weights and another padding.

use ndarray::{Array4, ArrayView2, ArrayViewMut2};
use numerics::{Scalar, add_matmul, matmul_into, reused};
use rayon::prelude::*;

use super::blocks::{Workspace, transform_cells};
use super::planes::{planes_len, planes_mut};
use super::tiling::{Images, Tile, Tiling};
use super::transforms::{at, bt};
use super::{POINTS, SIDE, TILE};
use crate::even_parts::lines_per_part;
use crate::scratch::with_scratch;

/// Bytes that the transformed tiles of one chunk take at most, before and after the products.
const CHUNK_BYTES: usize = 2 << 20;

/// Chunks are not made smaller than this for the sake of [`CHUNK_BYTES`]: they would read the weights too often
/// for what they do with them.
const FEWEST_TILES: usize = 128;

/// The point whose product enters each of the 16 outputs with the factor 1: row 1 of `A`, the point 1, holds
/// ones. What is added to this product is added to every output.
const EVERYWHERE: usize = SIDE + 1;

/// Output cell `(r, q)` sees the 3 by 3 input cells from `(r - pad.0, q - pad.1)` on; those outside the
/// input are zero. A negative padding skips cells.
pub(super) struct Correlation<'a, T> {
    pub(super) input: (usize, usize),
    pub(super) output: (usize, usize),
    pub(super) pad: (isize, isize),
    /// The weights at each of the 36 points: `n_in` rows and `n_out` columns.
    pub(super) weights: Vec<ArrayView2<'a, T>>,
    /// What each filter's outputs begin with; zeros if `None`.
    pub(super) bias: Option<&'a [T]>,
}

impl<T: Scalar> Correlation<'_, T> {
    /// The output for `x`, which holds so many images in standard layout.
    pub(super) fn of(&self, x: &[T], images: usize) -> Array4<T> {
        let (channels, filters) = self.weights[0].dim();
        let tiling = Tiling::new(images, self.output);
        let tile_bytes = POINTS * (channels + filters) * size_of::<T>();
        let most = tiling.tile_rows_of((CHUNK_BYTES / tile_bytes.max(1)).max(FEWEST_TILES));
        let tile_rows = lines_per_part(tiling.tile_rows(), most);
        let x = Images::new(x, self.input, channels);
        let mut y = reused((images, self.output.0, self.output.1, filters));
        let mut rest = y.as_slice_mut().expect("new arrays are contiguous");
        let mut chunks = Vec::new();
        for chunk in tiling.chunks(tile_rows) {
            let rows = tiling.rows_before(chunk.end) - tiling.rows_before(chunk.start);
            let (part, others) = rest.split_at_mut(rows * self.output.1 * filters);
            rest = others;
            chunks.push((chunk, part));
        }
        // ANCHOR: chunks
        chunks.into_par_iter().for_each(|(chunk, y)| {
            let tiles = chunk.len() * tiling.tiles_per_row();
            let first_row = tiling.rows_before(chunk.start);
            let v_len = planes_len(tiles * channels);
            with_scratch(v_len + planes_len(tiles * filters), |scratch| {
                let (v, m) = scratch.split_at_mut(v_len);
                let mut v = planes_mut(v, tiles * channels);
                transform_input(&x, tiling.tiles(chunk.clone()), self.pad, &mut v);
                let mut m = planes_mut(m, tiles * filters);
                for (point, ((v, &u), m)) in v.iter().zip(&self.weights).zip(&mut m).enumerate() {
                    let bias = self.bias.filter(|_| point == EVERYWHERE);
                    if let Some(bias) = bias {
                        m.chunks_exact_mut(filters).for_each(|m| m.copy_from_slice(bias));
                    }
                    let v = ArrayView2::from_shape((tiles, channels), v);
                    let m = ArrayViewMut2::from_shape((tiles, filters), m);
                    let fits = "a point has one row a tile";
                    let product = if bias.is_some() { add_matmul } else { matmul_into };
                    product(m.expect(fits), v.expect(fits), u);
                }
                let mut workspace = Workspace::new();
                for (index, tile) in tiling.tiles(chunk).enumerate() {
                    let mut products = [[&[] as &[T]; SIDE]; SIDE];
                    for (product, m) in products.as_flattened_mut().iter_mut().zip(&m) {
                        *product = &m[index * filters..][..filters];
                    }
                    self.transform_output(&products, tile, first_row, y, &mut workspace);
                }
            });
        });
        // ANCHOR_END: chunks
        y
    }

    /// `Aᵀ m A` of the products of a tile, written to its place in `y`, whose first row of cells is row
    /// `first_row` of the batch.
    fn transform_output(
        &self,
        products: &[[&[T]; SIDE]; SIDE],
        tile: Tile,
        first_row: usize,
        y: &mut [T],
        workspace: &mut Workspace<T>,
    ) {
        let filters = products[0][0].len();
        let (rows, cols) = self.output;
        let (visible_rows, visible_cols) = (rows - tile.row, cols - tile.col);
        transform_cells(
            products,
            at,
            workspace,
            #[inline(always)]
            |block, outputs| {
                for (i, outputs) in outputs.iter().enumerate().take(visible_rows) {
                    let row = tile.image * rows + tile.row + i - first_row;
                    for (j, output) in outputs[..TILE].iter().enumerate().take(visible_cols) {
                        let cell = row * cols + tile.col + j;
                        let y = &mut y[cell * filters..][..filters];
                        block.store(output, y);
                    }
                }
            },
        );
    }
}

/// `Bᵀ d B` of the 6 by 6 cells that each tile sees: `points[p]` gets one row of channels a tile.
pub(super) fn transform_input<T: Scalar>(
    x: &Images<'_, T>,
    tiles: impl Iterator<Item = Tile>,
    pad: (isize, isize),
    points: &mut [&mut [T]],
) {
    let mut workspace = Workspace::new();
    for (index, tile) in tiles.enumerate() {
        let start = (tile.row.cast_signed() - pad.0, tile.col.cast_signed() - pad.1);
        let cells = x.cells::<SIDE>(tile.image, start);
        let channels = cells[0][0].len();
        transform_cells(
            &cells,
            bt,
            &mut workspace,
            #[inline(always)]
            |block, values| {
                for (value, point) in values.as_flattened().iter().zip(&mut *points) {
                    block.store(value, &mut point[index * channels..][..channels]);
                }
            },
        );
    }
}

const _: () = assert!(TILE + super::KERNEL - 1 == SIDE, "a tile sees its own cells and two more");
