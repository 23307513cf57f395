//! The one random source of the workspace.

use ndarray::{Array, Dimension, ShapeBuilder};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};

use crate::Scalar;

/// A seeded stream of random numbers: ChaCha with 8 rounds.
///
/// The stream is the same on every platform (normal numbers up to the rounding of the platform's
/// logarithm and cosine). Draws consume it in this order, which is part of the
/// interface, since seeds are recorded with results:
///
/// | draw | consumes |
/// |---|---|
/// | [`uniform`](Rng::uniform) | one `u64`; its upper 53 bits divided by 2⁵³ |
/// | [`normal`](Rng::normal) | two uniforms; the cosine branch of Box and Muller (1958) |
/// | [`below`](Rng::below) | one `u64`, more if one falls into the biased remainder |
/// | [`seed`](Rng::seed) | one `u64` |
/// | [`fill_words`](Rng::fill_words) | 32 bits a word |
/// | [`shuffle`](Rng::shuffle) | `n - 1` calls of `below`, from the last element down (Fisher-Yates) |
/// | `*_array` | one draw an element, in row-major order |
///
/// `f32` values are drawn as `f64` and rounded, so both types see the same stream.
///
/// ```
/// use numerics::Rng;
/// assert_eq!(Rng::new(1).uniform(), Rng::new(1).uniform());
/// ```
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// An independent stream of the same seed, for a second purpose: weights and shuffling, say, so
    /// that one more weight does not change the order of the data.
    pub fn with_stream(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        // 1 - u is in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// An integer from `0..n`, each with the same probability.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "Rng::below: there is no integer below 0");
        let n = n as u64;
        let zone = u64::MAX - u64::MAX % n;
        loop {
            let draw = self.0.next_u64();
            if draw < zone {
                return (draw % n) as usize;
            }
        }
    }

    /// A seed for another generator, each `u64` with the same probability.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Overwrites `words` with random bits: many yes-or-no draws at a quarter of the price of
    /// [`uniform`](Rng::uniform), since ChaCha makes words of 32 bits and many of them at a time.
    pub fn fill_words(&mut self, words: &mut [u32]) {
        const WORD: usize = size_of::<u32>();
        let mut bytes = [0; 256 * WORD];
        for words in words.chunks_mut(bytes.len() / WORD) {
            let bytes = &mut bytes[..WORD * words.len()];
            self.0.fill_bytes(bytes);
            for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
                *word = u32::from_le_bytes(*bytes);
            }
        }
    }

    /// Puts `items` into a random order, each with the same probability.
    pub fn shuffle<I>(&mut self, items: &mut [I]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// An array of numbers from `[low, high)`.
    pub fn uniform_array<T, D, Sh>(&mut self, shape: Sh, low: f64, high: f64) -> Array<T, D>
    where
        T: Scalar,
        D: Dimension,
        Sh: ShapeBuilder<Dim = D>,
    {
        Array::from_shape_simple_fn(shape, || T::of(low + (high - low) * self.uniform()))
    }

    /// An array of numbers from the normal distribution with this mean and standard deviation.
    pub fn normal_array<T, D, Sh>(&mut self, shape: Sh, mean: f64, std: f64) -> Array<T, D>
    where
        T: Scalar,
        D: Dimension,
        Sh: ShapeBuilder<Dim = D>,
    {
        Array::from_shape_simple_fn(shape, || T::of(mean + std * self.normal()))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let mut rng = Rng::new(189);
        assert_eq!([rng.uniform(), rng.uniform()], [0.4647501214900607, 0.6382483917730406]);
        assert!((rng.normal() - -1.0268679466753539).abs() < 1e-15);
    }

    #[test]
    fn words_are_the_halves_of_the_draws_in_any_number_of_calls() {
        let (mut whole, mut parts) = ([0; 1000], [0; 1000]);
        Rng::new(189).fill_words(&mut whole);
        let mut rng = Rng::new(189);
        for part in parts.chunks_mut(7) {
            rng.fill_words(part);
        }
        assert_eq!(whole, parts);
        let mut rng = Rng::new(189);
        for pair in whole.chunks(2) {
            assert_eq!(rng.seed(), u64::from(pair[0]) | u64::from(pair[1]) << 32);
        }
    }

    #[test]
    fn f32_and_f64_see_the_same_stream() {
        let wide: Array1<f64> = Rng::new(3).normal_array(50, 1.0, 2.0);
        let narrow: Array1<f32> = Rng::new(3).normal_array(50, 1.0, 2.0);
        assert_eq!(wide.mapv(|x| x as f32), narrow);
        let other: Array1<f64> = Rng::with_stream(3, 1).normal_array(50, 1.0, 2.0);
        assert_ne!(other, wide);
    }

    #[test]
    fn a_shuffle_permutes() {
        let mut items: Vec<usize> = (0..100).collect();
        Rng::new(7).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.into_iter().eq(0..100));
    }
}
