//! The weights' own transforms: `U = G w Gᵀ`, and its adjoint `Gᵀ dU G` for their gradient.

use std::array::from_fn;

use numerics::Scalar;
use rayon::prelude::*;

use super::blocks::{Workspace, transform_cells};
use super::planes::{parts_of_planes, planes, planes_mut};
use super::transforms::{g, gt};
use super::{KERNEL, SIDE};

/// Weights that one task transforms.
const WEIGHTS_AT_ONCE: usize = 4096;

/// `u[p] = (G w Gᵀ)[p]` for the 36 points `p`, for every pair of channel and filter.
///
/// `pairs` is `n_in n_out`. With `flipped`, the weights are read from the last kernel cell to the first.
pub(super) fn transform_weights<T: Scalar>(w: &[T], pairs: usize, flipped: bool, u: &mut [T]) {
    let cell = |i: usize, j: usize| {
        let cell = i * KERNEL + j;
        if flipped { KERNEL * KERNEL - 1 - cell } else { cell }
    };
    let u = parts_of_planes(planes_mut(u, pairs), WEIGHTS_AT_ONCE);
    u.into_par_iter().enumerate().for_each(|(part, mut u)| {
        let first = part * WEIGHTS_AT_ONCE;
        let len = u[0].len();
        let cells: [[&[T]; KERNEL]; KERNEL] =
            from_fn(|i| from_fn(|j| &w[cell(i, j) * pairs + first..][..len]));
        transform_cells(
            &cells,
            g,
            &mut Workspace::new(),
            #[inline(always)]
            |block, points| {
                for (point, u) in points.as_flattened().iter().zip(&mut u) {
                    block.store(point, u);
                }
            },
        );
    });
}

/// `dw = Gᵀ dU G`, for every pair of channel and filter.
pub(super) fn transform_weight_gradients<T: Scalar>(du: &[T], pairs: usize, dw: &mut [T]) {
    let du = planes(du, pairs);
    let dw = parts_of_planes(dw.chunks_exact_mut(pairs), WEIGHTS_AT_ONCE);
    dw.into_par_iter().enumerate().for_each(|(part, mut dw)| {
        let first = part * WEIGHTS_AT_ONCE;
        let len = dw[0].len();
        let points: [[&[T]; SIDE]; SIDE] =
            from_fn(|i| from_fn(|j| &du[i * SIDE + j][first..][..len]));
        transform_cells(
            &points,
            gt,
            &mut Workspace::new(),
            #[inline(always)]
            |block, weights| {
                for (i, weights) in weights.iter().enumerate() {
                    for (j, weight) in weights[..KERNEL].iter().enumerate() {
                        block.store(weight, &mut *dw[i * KERNEL + j]);
                    }
                }
            },
        );
    });
}
