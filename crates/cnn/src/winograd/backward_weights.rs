//! `dL/dW`: the adjoint, in the weights, of what the forward pass does.

use ndarray::{ArrayView2, ArrayViewMut2};
use numerics::{Scalar, add_matmul, matmul_into};
use rayon::prelude::*;

use super::POINTS;
use super::planes::{parts_of_planes, planes, planes_len, planes_mut};
use super::tiles::to_points;
use super::tiling::{Images, Tiling};
use super::transforms::{a, bt};
use super::weights::transform_weight_gradients;
use crate::scratch::with_scratch;

/// Bytes that the transformed tiles of one chunk take, of images and gradients.
const CHUNK_BYTES: usize = 4 << 20;

/// Tiles that one task transforms.
const TILES_AT_ONCE: usize = 16;

/// `dw = Gᵀ [Σ (Bᵀ d B)ᵀ (A g Aᵀ)] G` over all tiles: `d` are the cells that a tile sees, `g` is `dL/dZ`.
///
/// Chunk by chunk, tasks transform a few tiles each, and then each of the 36 points is one product that
/// adds to the sum of that point. There is one sum, whatever the number of threads.
pub(super) fn backward_weights<T: Scalar>(
    x: &Images<'_, T>,
    dl_dz: &Images<'_, T>,
    tiling: Tiling,
    pad: (isize, isize),
    dw: &mut [T],
) {
    let (channels, filters) = (x.channels(), dl_dz.channels());
    let pairs = channels * filters;
    let tile_bytes = POINTS * (channels + filters) * size_of::<T>();
    let chunk_rows = tiling.tile_rows_of(CHUNK_BYTES / tile_bytes.max(1));
    let task_rows = tiling.tile_rows_of(TILES_AT_ONCE);
    let per_row = tiling.tiles_per_row();
    let most_tiles = chunk_rows.min(tiling.tile_rows()) * per_row;
    let lens = [pairs, most_tiles * channels, most_tiles * filters].map(planes_len);
    with_scratch(lens.iter().sum(), |scratch| {
        let (du, scratch) = scratch.split_at_mut(lens[0]);
        let (v, dm) = scratch.split_at_mut(lens[1]);
        for (index, chunk) in tiling.chunks(chunk_rows).enumerate() {
            let tiles = chunk.len() * per_row;
            let v = &mut v[..planes_len(tiles * channels)];
            let dm = &mut dm[..planes_len(tiles * filters)];
            let task_tiles = task_rows * per_row;
            let v_parts = parts_of_planes(planes_mut(v, tiles * channels), task_tiles * channels);
            let dm_parts = parts_of_planes(planes_mut(dm, tiles * filters), task_tiles * filters);
            let tasks = v_parts.into_par_iter().zip(dm_parts).enumerate();
            tasks.for_each(|(task, (mut v, mut dm))| {
                let first = chunk.start + task * task_rows;
                let rows = first..(first + task_rows).min(chunk.end);
                to_points(x, (tiling, rows.clone()), pad, bt, &mut v);
                to_points(dl_dz, (tiling, rows), (0, 0), a, &mut dm);
            });
            let points = planes(v, tiles * channels).into_par_iter();
            let points = points.zip(planes(dm, tiles * filters));
            planes_mut(du, pairs).into_par_iter().zip(points).for_each(|(du, (v, dm))| {
                let v = ArrayView2::from_shape((tiles, channels), v);
                let dm = ArrayView2::from_shape((tiles, filters), dm);
                let du = ArrayViewMut2::from_shape((channels, filters), du);
                let fits = "a point has one row a tile, and a sum for each weight";
                let (v, dm, du) = (v.expect(fits), dm.expect(fits), du.expect(fits));
                if index == 0 {
                    matmul_into(du, v.t(), dm);
                } else {
                    add_matmul(du, v.t(), dm);
                }
            });
        }
        if tiling.tile_rows() == 0 {
            du.fill(T::zero());
        }
        transform_weight_gradients(du, pairs, dw);
    });
}
