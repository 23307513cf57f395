//! The weights' own transforms: `U = G w Gᵀ`, and its adjoint `Gᵀ dU G` for their gradient.

use std::array::from_fn;

use numerics::{Scalar, map_tasks, vectorized};

use super::lines::{split_lines, transform_lines};
use super::planes::{parts_of_planes, planes, planes_mut};
use super::transforms::{g, gt};
use super::{KERNEL, SIDE};
use crate::scratch::with_scratch;

/// Weights that one task transforms.
const WEIGHTS_AT_ONCE: usize = 1024;

/// `u[p] = (G w Gᵀ)[p]` for the 36 points `p`, for every pair of channel and filter.
///
/// `pairs` is `n_in n_out`. With `flipped`, the weights are read from the last kernel cell to the first.
pub(super) fn transform_weights<T: Scalar>(w: &[T], pairs: usize, flipped: bool, u: &mut [T]) {
    let cell = |i: usize, j: usize| {
        let cell = i * KERNEL + j;
        if flipped { KERNEL * KERNEL - 1 - cell } else { cell }
    };
    let u = parts_of_planes(planes_mut(u, pairs), WEIGHTS_AT_ONCE);
    map_tasks(u, true, &|part, mut u: Vec<&mut [T]>| {
        let first = part * WEIGHTS_AT_ONCE;
        let len = u[0].len();
        let cells: [[&[T]; KERNEL]; KERNEL] =
            from_fn(|i| from_fn(|j| &w[cell(i, j) * pairs + first..][..len]));
        transform_squares(cells, g, &mut u);
    });
}

/// `dw = Gᵀ dU G`, for every pair of channel and filter.
pub(super) fn transform_weight_gradients<T: Scalar>(du: &[T], pairs: usize, dw: &mut [T]) {
    let du = planes(du, pairs);
    let dw = parts_of_planes(dw.chunks_exact_mut(pairs), WEIGHTS_AT_ONCE);
    map_tasks(dw, true, &|part, mut dw: Vec<&mut [T]>| {
        let first = part * WEIGHTS_AT_ONCE;
        let len = dw[0].len();
        let points: [[&[T]; SIDE]; SIDE] =
            from_fn(|i| from_fn(|j| &du[i * SIDE + j][first..][..len]));
        transform_squares(points, gt, &mut dw);
    });
}

/// `F c Fᵀ` of each `I` by `I` cells `c`, where `transform` multiplies by `F`: the `O` by `O` numbers, row by row.
fn transform_squares<T: Scalar, const I: usize, const O: usize>(
    cells: [[&[T]; I]; I],
    transform: impl Fn([T; I]) -> [T; O] + Copy,
    output: &mut [&mut [T]],
) {
    let len = output[0].len();
    with_scratch(I * O * len, |memory| {
        vectorized(
            #[inline(always)]
            || {
                for (j, column) in memory.chunks_exact_mut(O * len).enumerate() {
                    transform_lines(cells.map(|row| row[j]), split_lines(column, len), transform);
                }
                for (i, output) in output.as_chunks_mut::<O>().0.iter_mut().enumerate() {
                    let row: [&[T]; I] = from_fn(|j| &memory[(j * O + i) * len..][..len]);
                    transform_lines(row, output.each_mut().map(|line| &mut **line), transform);
                }
            },
        );
    });
}
