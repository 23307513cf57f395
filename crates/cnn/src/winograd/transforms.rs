//! The transforms of F(4, 3), and how one becomes two-dimensional.
//!
//! Each of the five functions multiplies a vector by one of the matrices of the module
//! documentation, or by its transpose, and is linear. [`nested`] applies one to the columns and then
//! to the rows of a square of cells, for all channels at once.

use std::array::from_fn;

use numerics::Scalar;

use super::SIDE;

/// Channels that are transformed together: as many `f32` as fill a cache line, and a fixed number,
/// so that the compiler makes vector instructions of a loop over them.
const LANES: usize = 16;

/// A number for each channel of a block.
pub(super) type Lanes<T> = [T; LANES];

/// `Bᵀd`: six neighbouring cells, as the values of their polynomial's products need them.
#[inline(always)]
pub(super) fn bt<T: Scalar>([d0, d1, d2, d3, d4, d5]: [T; 6]) -> [T; 6] {
    let [two, four, five] = [T::of(2.0), T::of(4.0), T::of(5.0)];
    let (even_1, odd_1) = (d4 - four * d2, d3 - four * d1);
    let (even_2, odd_2) = (d4 - d2, two * (d3 - d1));
    [
        four * d0 - five * d2 + d4,
        even_1 + odd_1,
        even_1 - odd_1,
        even_2 + odd_2,
        even_2 - odd_2,
        four * d1 - five * d3 + d5,
    ]
}

/// `G g`: three weights.
#[inline(always)]
pub(super) fn g<T: Scalar>([g0, g1, g2]: [T; 3]) -> [T; 6] {
    let even_1 = T::of(-1.0 / 6.0) * (g0 + g2);
    let odd_1 = T::of(1.0 / 6.0) * g1;
    let even_2 = T::of(1.0 / 24.0) * g0 + T::of(1.0 / 6.0) * g2;
    let odd_2 = T::of(1.0 / 12.0) * g1;
    [T::of(0.25) * g0, even_1 - odd_1, even_1 + odd_1, even_2 + odd_2, even_2 - odd_2, g2]
}

/// `Aᵀm`: six products become four outputs.
#[inline(always)]
pub(super) fn at<T: Scalar>([m0, m1, m2, m3, m4, m5]: [T; 6]) -> [T; 4] {
    let (sum_1, difference_1) = (m1 + m2, m1 - m2);
    let (sum_2, difference_2) = (m3 + m4, m3 - m4);
    [
        m0 + sum_1 + sum_2,
        difference_1 + T::of(2.0) * difference_2,
        sum_1 + T::of(4.0) * sum_2,
        difference_1 + T::of(8.0) * difference_2 + m5,
    ]
}

/// `A y`, the adjoint of [`at`]: the gradients of four outputs.
#[inline(always)]
pub(super) fn a<T: Scalar>([y0, y1, y2, y3]: [T; 4]) -> [T; 6] {
    let (even_1, odd_1) = (y0 + y2, y1 + y3);
    let (even_2, odd_2) = (y0 + T::of(4.0) * y2, T::of(2.0) * (y1 + T::of(4.0) * y3));
    [y0, even_1 + odd_1, even_1 - odd_1, even_2 + odd_2, even_2 - odd_2, y3]
}

/// `Gᵀu`, the adjoint of [`g`]: the gradients of six transformed weights.
#[inline(always)]
pub(super) fn gt<T: Scalar>([u0, u1, u2, u3, u4, u5]: [T; 6]) -> [T; 3] {
    let sixth = T::of(1.0 / 6.0);
    let (sum_1, difference_1) = (u1 + u2, u2 - u1);
    let (sum_2, difference_2) = (u3 + u4, u3 - u4);
    [
        T::of(0.25) * u0 - sixth * sum_1 + T::of(1.0 / 24.0) * sum_2,
        sixth * difference_1 + T::of(1.0 / 12.0) * difference_2,
        sixth * (sum_2 - sum_1) + u5,
    ]
}

/// Where [`transform_cells`] keeps a block between its steps; without it, each block would begin by
/// clearing as much memory as it fills.
pub(super) struct Workspace<T> {
    columns: [[Lanes<T>; SIDE]; SIDE],
    values: [[Lanes<T>; SIDE]; SIDE],
}

impl<T: Scalar> Workspace<T> {
    pub(super) fn new() -> Self {
        let zeros = [T::zero(); LANES];
        Self {
            columns: [[zeros; SIDE]; SIDE],
            values: [[zeros; SIDE]; SIDE],
        }
    }
}

/// `F d Fᵀ` for every channel of a square of cells, where `transform` multiplies by `F`: calls `visit`
/// with blocks of channels that cover all of them, and the block's part of the result.
///
/// The last block overlaps the one before it rather than being cut short; only if there are fewer
/// channels than a block has, zeros are added.
#[inline(always)]
pub(super) fn transform_cells<T: Scalar, const I: usize, const O: usize>(
    cells: &[[&[T]; I]; I],
    transform: impl Fn([T; I]) -> [T; O],
    workspace: &mut Workspace<T>,
    mut visit: impl FnMut(Block, &[[Lanes<T>; SIDE]]),
) {
    let Workspace { columns, values } = workspace;
    let zeros = [T::zero(); LANES];
    let mut padded = [zeros; I];
    let channels = cells[0][0].len();
    for first in (0..channels).step_by(LANES) {
        let block = Block {
            first: first.min(channels.saturating_sub(LANES)),
            len: channels.min(LANES),
        };
        for j in 0..I {
            let mut column = [&zeros; I];
            for ((lanes, padded), row) in column.iter_mut().zip(&mut padded).zip(cells) {
                let cell = &row[j][block.first..];
                *lanes = match cell.first_chunk() {
                    Some(lanes) => lanes,
                    None => {
                        copy_narrow(cell, padded);
                        padded
                    }
                };
            }
            for lane in 0..LANES {
                let out = transform(from_fn(|i| column[i][lane]));
                for i in 0..O {
                    columns[i][j][lane] = out[i];
                }
            }
        }
        for (row, values) in columns.iter().zip(&mut *values).take(O) {
            for lane in 0..LANES {
                let out = transform(from_fn(|j| row[j][lane]));
                for j in 0..O {
                    values[j][lane] = out[j];
                }
            }
        }
        visit(block, &values[..O]);
    }
}

/// The same channels of many cells.
#[derive(Clone, Copy)]
pub(super) struct Block {
    first: usize,
    len: usize,
}

impl Block {
    /// Writes the block's part of `values` to its place among the channels of a cell.
    #[inline(always)]
    pub(super) fn store<T: Scalar>(self, values: &Lanes<T>, cell: &mut [T]) {
        let cell = &mut cell[self.first..];
        match cell.first_chunk_mut() {
            Some(lanes) => *lanes = *values,
            None => copy_narrow(&values[..self.len], cell),
        }
    }
}

/// Copies to the first elements of `to`. Out of line, or the compiler would merge it with the copy of a
/// whole block into one of a length that it does not know.
#[cold]
#[inline(never)]
fn copy_narrow<T: Scalar>(from: &[T], to: &mut [T]) {
    to[..from.len()].copy_from_slice(from);
}
