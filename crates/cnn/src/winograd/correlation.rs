//! `Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A` over a batch: the forward pass, and `dL/dX`, which is the same with other
//! weights and another padding.

use std::ops::Range;

use ndarray::{Array4, ArrayView2, ArrayViewMut2};
use numerics::{Scalar, add_matmul, map_tasks, matmul_into, reused};

use super::planes::{planes, planes_len, planes_mut};
use super::tiles::{from_points, to_points};
use super::tiling::{Images, Tiling};
use super::transforms::{at, bt};
use super::{POINTS, SIDE};
use crate::lines_per_part::lines_per_part;
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
    /// The first term of each filter's outputs; zeros if `None`.
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
        map_tasks(chunks, true, &|_, (chunk, y): (Range<usize>, &mut [T])| {
            let tiles = chunk.len() * tiling.tiles_per_row();
            let v_len = planes_len(tiles * channels);
            with_scratch(v_len + planes_len(tiles * filters), |scratch| {
                let (v, m) = scratch.split_at_mut(v_len);
                let mut v = planes_mut(v, tiles * channels);
                to_points(&x, (tiling, chunk.clone()), self.pad, bt, &mut v);
                let points = planes_mut(m, tiles * filters);
                for (point, ((v, &u), m)) in v.iter().zip(&self.weights).zip(points).enumerate() {
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
                from_points(&planes(m, tiles * filters), (tiling, chunk), filters, at, y);
            });
        });
        // ANCHOR_END: chunks
        y
    }
}
