//! The peak of the machine: arithmetic and memory.

use std::hint::black_box;

use bench::{Subject, Work};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::rounds::{Case, timed};

/// Independent sums: a processor begins two of these operations in a cycle and finishes each four or
/// five cycles later, so ten keep it busy, and twelve with their two factors fit into 16 registers.
const SUMS: usize = 12;

/// Operations on each sum in one call, which takes some ten milliseconds.
const OPERATIONS: usize = 1 << 22;

/// Numbers in an array that is copied: 134 MB, somewhat more than the largest tensor of "air" has in
/// batches of 500.
const COPIED: usize = 1 << 25;

/// The peak of the arithmetic in `f32` and the bandwidth of the memory, on one thread and on all.
pub(crate) fn machine_cases(threads: usize) -> Vec<Case> {
    let mut counts = vec![1, threads];
    counts.dedup();
    counts.iter().flat_map(|&threads| [peak_case(threads), copy_case(threads)]).collect()
}

/// How many `f32` are in a vector of the instructions that [`machine_cases`] measures.
pub(crate) fn vector_lanes() -> usize {
    Arch::new().dispatch(Lanes)
}

struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

fn peak_case(threads: usize) -> Case {
    let multiply = || black_box(Arch::new().dispatch(MultiplyAdd(black_box(0.999))));
    let once = move || Ok(timed(|| rayon::broadcast(|_| multiply())).1);
    let name = format!("machine/fma/threads-{threads}");
    Case::new(name, Subject::Peak, 1, threads, Work::Flop(peak_flop(threads)), once)
}

/// A multiplication and an addition for each number of each vector.
fn peak_flop(threads: usize) -> u64 {
    (2 * threads * SUMS * OPERATIONS * vector_lanes()) as u64
}

/// `s ← f s + (1 - f)` in registers, which tends to 1.
struct MultiplyAdd(f32);

impl WithSimd for MultiplyAdd {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (factor, term) = (simd.splat_f32s(self.0), simd.splat_f32s(1.0 - self.0));
        let mut sums = [simd.splat_f32s(0.5); SUMS];
        for _ in 0..OPERATIONS {
            for sum in &mut sums {
                *sum = simd.mul_add_f32s(factor, *sum, term);
            }
        }
        sums.iter().map(|sum| simd.reduce_sum_f32s(*sum)).sum()
    }
}

fn copy_case(threads: usize) -> Case {
    let mut arrays = None;
    let once = move || {
        let (source, target) =
            arrays.get_or_insert_with(|| (vec![1.0_f32; COPIED], vec![0.0_f32; COPIED]));
        let part = COPIED.div_ceil(threads);
        let copy = || {
            let parts = target.par_chunks_mut(part).zip(source.par_chunks(part));
            parts.for_each(|(target, source)| target.copy_from_slice(source));
        };
        let ((), time) = timed(copy);
        black_box(target);
        Ok(time)
    };
    // Read and written.
    let work = Work::Bytes(2 * (COPIED * size_of::<f32>()) as u64);
    Case::new(format!("machine/copy/threads-{threads}"), Subject::Copy, 1, threads, work, once)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_done() {
        // 0.999^n is 0 for that many operations, so each sum has come to 1.
        let sum = Arch::new().dispatch(MultiplyAdd(0.999));
        let expected = (SUMS * vector_lanes()) as f32;
        assert!((sum - expected).abs() < 1e-3 * expected, "{sum} is not {expected}");
    }
}
