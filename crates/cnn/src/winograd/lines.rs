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

#[cfg(test)]
mod tests {
    use numerics::Rng;

    use super::super::transforms::g;
    use super::*;

    #[test]
    fn lines_of_any_length_have_the_bits_of_plain_calls() {
        for len in [0, 1, 7, 15, 16, 17, 24, 31, 32, 33] {
            let mut rng = Rng::new(0);
            let input: [Vec<f64>; 3] = from_fn(|_| (0..len).map(|_| rng.normal()).collect());
            let mut output: [Vec<f64>; 6] = from_fn(|_| vec![f64::NAN; len]);
            transform_lines(
                input.each_ref().map(Vec::as_slice),
                output.each_mut().map(Vec::as_mut_slice),
                g,
            );
            for k in 0..len {
                let expected = g(from_fn(|i| input[i][k]));
                assert_eq!(output.each_ref().map(|line| line[k]), expected, "{len} numbers, {k}");
            }
        }
    }
}
