//! The transforms of tiles, from images to the 36 points and from there to outputs, one tile row at a time.
//!
//! The transform over rows takes whole lines of images, which lie end to end in memory, so that what comes
//! from there or goes there does so in order; what is between the two transforms stays in a cache.

use std::array::from_fn;
use std::ops::Range;

use numerics::{Scalar, vectorized};

use super::lines::{split_lines, transform_lines};
use super::tiling::{Images, Tiling};
use super::{SIDE, TILE};
use crate::scratch::with_scratch;

/// `F d Fᵀ` of the `I` by `I` cells `d` of each tile in these tile rows, where `transform` multiplies by `F`:
/// `points[p]` gets one row of channels a tile.
///
/// The first cell of a tile of outputs lies `pad` cells above and left of it; what is outside the image is zero.
pub(super) fn to_points<T: Scalar, const I: usize>(
    images: &Images<'_, T>,
    (tiling, tile_rows): (Tiling, Range<usize>),
    pad: (isize, isize),
    transform: impl Fn([T; I]) -> [T; SIDE] + Copy,
    points: &mut [&mut [T]],
) {
    let (channels, tiles) = (images.channels, tiling.tiles_per_row());
    let cells = tiles * TILE + I - TILE;
    // The columns of an image that tiles see, and where these lie among the cells of a tile row.
    let (left, hidden) =
        (pad.1.max(0).unsigned_abs(), (-pad.1).max(0).unsigned_abs().min(images.cols));
    let seen = images.cols.saturating_sub(hidden).min(cells.saturating_sub(left));
    let inside = left * channels..(left + seen) * channels;
    with_scratch(SIDE * cells * channels, |memory| {
        let mut lines: [_; SIDE] = split_lines(memory, cells * channels);
        for line in &mut lines {
            line[..inside.start].fill(T::zero());
            line[inside.end..].fill(T::zero());
        }
        vectorized(
            #[inline(always)]
            || {
                for (index, tile_row) in tile_rows.enumerate() {
                    let (image, row) = tiling.image_and_row(tile_row);
                    let first = row.cast_signed() - pad.0;
                    let input: [&[T]; I] = from_fn(|i| {
                        images.line(image, first + i.cast_signed(), hidden..hidden + seen)
                    });
                    let output = lines.each_mut().map(|line| &mut line[inside.clone()]);
                    transform_lines(input, output, transform);
                    for tile in 0..tiles {
                        let point = (index * tiles + tile) * channels;
                        for (line, points) in lines.iter().zip(points.as_chunks_mut().0) {
                            let line = &line[tile * TILE * channels..];
                            let input = from_fn(|j| &line[j * channels..][..channels]);
                            let output: [_; SIDE] =
                                points.each_mut().map(|values| &mut values[point..][..channels]);
                            transform_lines(input, output, transform);
                        }
                    }
                }
            },
        );
    });
}

/// `F m Fᵀ` of the values `m` at the 36 points of each tile in these tile rows, where `transform` multiplies
/// by `F`: the lines of `y`, which hold `cols` cells and so many filters, become the outputs.
pub(super) fn from_points<T: Scalar>(
    points: &[&[T]],
    (tiling, tile_rows): (Tiling, Range<usize>),
    filters: usize,
    transform: impl Fn([T; SIDE]) -> [T; TILE] + Copy,
    y: &mut [T],
) {
    let tiles = tiling.tiles_per_row();
    let (line, visible) = (tiles * TILE * filters, tiling.cols * filters);
    with_scratch((SIDE + TILE) * line, |memory| {
        let (memory, hidden) = memory.split_at_mut(SIDE * line);
        let mut lines: [_; SIDE] = split_lines(memory, line);
        let mut y = y.chunks_exact_mut(visible);
        vectorized(
            #[inline(always)]
            || {
                for (index, tile_row) in tile_rows.enumerate() {
                    for tile in 0..tiles {
                        let point = (index * tiles + tile) * filters;
                        for (line, points) in lines.iter_mut().zip(points.as_chunks::<SIDE>().0) {
                            let input = points.map(|values| &values[point..][..filters]);
                            let output = split_lines(&mut line[tile * TILE * filters..], filters);
                            transform_lines(input, output, transform);
                        }
                    }
                    let input = lines.each_ref().map(|line| &line[..visible]);
                    // Rows of a tile that lie outside the image are dropped.
                    let mut output = split_lines(hidden, visible);
                    let rows = y.by_ref().take(tiling.rows_in(tile_row));
                    output.iter_mut().zip(rows).for_each(|(output, row)| *output = row);
                    transform_lines(input, output, transform);
                }
            },
        );
    });
}
