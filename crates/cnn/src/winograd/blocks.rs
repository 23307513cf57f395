//! A transform of one dimension, nested over the columns and the rows of a square of cells, for blocks of
//! channels.

use numerics::{Scalar, vectorized};

use super::SIDE;

/// Channels that are transformed together: as many `f32` as fill a cache line, and a fixed number,
/// so that the compiler makes vector instructions of a loop over them.
const LANES: usize = 16;

/// A number for each channel of a block.
pub(super) type Lanes<T> = [T; LANES];

/// Where [`transform_cells`] keeps a block between its steps; without it, each block would begin by
/// clearing as much memory as it fills.
pub(super) struct Workspace<T> {
    columns: [[Lanes<T>; SIDE]; SIDE],
    values: [[Lanes<T>; SIDE]; SIDE],
}

impl<T: Scalar> Workspace<T> {
    pub(super) fn new() -> Self {
        let zeros = [T::zero(); LANES];
        Self { columns: [[zeros; SIDE]; SIDE], values: [[zeros; SIDE]; SIDE] }
    }
}

/// `F d Fᵀ` for every channel of a square of cells, where `transform` multiplies by `F`: calls `visit`
/// with blocks of channels that cover all of them, and the block's part of the result.
///
/// The last block overlaps the one before it rather than being cut short; only if there are fewer
/// channels than a block has, zeros are added.
pub(super) fn transform_cells<T: Scalar, const I: usize, const O: usize>(
    cells: &[[&[T]; I]; I],
    transform: impl Fn([T; I]) -> [T; O],
    workspace: &mut Workspace<T>,
    mut visit: impl FnMut(Block, &[[Lanes<T>; SIDE]]),
) {
    vectorized(
        #[inline(always)]
        || {
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
                        let mut input = [T::zero(); I];
                        for i in 0..I {
                            input[i] = column[i][lane];
                        }
                        let out = transform(input);
                        for i in 0..O {
                            columns[i][j][lane] = out[i];
                        }
                    }
                }
                for (row, values) in columns.iter().zip(&mut *values).take(O) {
                    for lane in 0..LANES {
                        let mut input = [T::zero(); I];
                        for j in 0..I {
                            input[j] = row[j][lane];
                        }
                        let out = transform(input);
                        for j in 0..O {
                            values[j][lane] = out[j];
                        }
                    }
                }
                visit(block, &values[..O]);
            }
        },
    );
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

#[cfg(test)]
mod tests {
    use std::array::from_fn;

    use numerics::Rng;

    use super::super::transforms::g;
    use super::*;

    #[test]
    fn blocks_cover_all_channels_with_the_bits_of_a_plain_call() {
        for channels in [1, 7, 15, 16, 17, 24, 31, 32, 33] {
            let mut rng = Rng::new(0);
            let cells: [[Vec<f64>; 3]; 3] =
                from_fn(|_| from_fn(|_| (0..channels).map(|_| rng.normal()).collect()));
            let cells: [[&[f64]; 3]; 3] = from_fn(|i| from_fn(|j| cells[i][j].as_slice()));
            let mut found = vec![vec![f64::NAN; channels]; 36];
            transform_cells(&cells, g, &mut Workspace::new(), |block, points| {
                for (point, found) in points.as_flattened().iter().zip(&mut found) {
                    block.store(point, found);
                }
            });
            for c in 0..channels {
                let columns: [[f64; 6]; 3] = from_fn(|j| g(from_fn(|i| cells[i][j][c])));
                for (p, found) in found.iter().enumerate() {
                    let row = g(from_fn(|j| columns[j][p / 6]));
                    assert_eq!(found[c], row[p % 6], "{channels} channels, {c}, {p}");
                }
            }
        }
    }
}
