//! Loops compiled for the processor at hand.

/// Runs `work` as compiled for the widest vectors that this processor has, as far as they are known to
/// pulp: AVX2 on x86-64, where every program may otherwise use SSE2 only.
///
/// `work` and what it calls in its loops have to be inlined: `vectorized(#[inline(always)] || ...)`, with `for`
/// loops, since a closure for `for_each` may stay a function of its own, compiled for any processor. The
/// results do not change: the compiler fuses no multiplication with an addition and reorders no sum.
///
/// ```
/// let mut x = [1.0_f32, 2.0, 3.0];
/// numerics::vectorized(#[inline(always)] || x.iter_mut().for_each(|x| *x *= 2.0));
/// assert_eq!(x, [2.0, 4.0, 6.0]);
/// ```
#[inline]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
