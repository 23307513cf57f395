//! A transform of one dimension, for whole lines of numbers at once.

use std::array::from_fn;

use numerics::Scalar;

/// Numbers of a line that are transformed together: as many `f32` as fill a cache line, and a fixed number,
/// so that the compiler makes vector instructions of a loop over them.
const LANES: usize = 16;

/// `transform` of the numbers at each place: what it makes of number `k` of the input lines is number `k` of
/// the output lines. All lines have the same length.
///
/// It is inlined into loops that are [`vectorized`](numerics::vectorized).
#[inline(always)]
pub(super) fn transform_lines<T: Scalar, const I: usize, const O: usize>(
    input: [&[T]; I],
    output: [&mut [T]; O],
    transform: impl Fn([T; I]) -> [T; O],
) {
    let len = output[0].len();
    let in_blocks = len / LANES * LANES;
    for k in in_blocks..len {
        let results = transform(from_fn(
            #[inline(always)]
            |i| input[i][k],
        ));
        for o in 0..O {
            output[o][k] = results[o];
        }
    }
    let input = input.map(
        #[inline(always)]
        |line| line[..in_blocks].as_chunks::<LANES>().0,
    );
    let output = output.map(
        #[inline(always)]
        |line| line[..in_blocks].as_chunks_mut::<LANES>().0,
    );
    for k in 0..len / LANES {
        let cells: [&[T; LANES]; I] = from_fn(
            #[inline(always)]
            |i| &input[i][k],
        );
        // Of its own, so that no store to it can change what is read.
        let mut block = [[T::zero(); LANES]; O];
        for lane in 0..LANES {
            let results = transform(from_fn(
                #[inline(always)]
                |i| cells[i][lane],
            ));
            for o in 0..O {
                block[o][lane] = results[o];
            }
        }
        for o in 0..O {
            output[o][k] = block[o];
        }
    }
}

/// The first `N` lines of `len` numbers in `memory`.
pub(super) fn split_lines<T, const N: usize>(memory: &mut [T], len: usize) -> [&mut [T]; N] {
    let mut lines = memory.chunks_exact_mut(len);
    from_fn(|_| lines.next().expect("there is memory for all lines"))
}
