//! The formulas of dropout, on rows.

use ndarray::{Array2, ArrayView2};
use numerics::{Rng, Scalar};

// ANCHOR: mask
/// A mask M: each element is 0 or, with probability `1 - rate`, `1 / (1 - rate)`.
///
/// One word of 32 bits decides each element, in row-major order: it is dropped if the word is below
/// `⌊2³² rate⌋`. So the probability of 0 is exactly `⌊2³² rate⌋ / 2³²`, which is `rate` or less, by less
/// than 2⁻³². The words do not depend on `T`.
///
/// # Shapes
/// The result: `shape`. `rate` is in `[0, 1)`.
pub fn dropout_mask<T: Scalar>(rng: &mut Rng, shape: (usize, usize), rate: f64) -> Array2<T> {
    debug_assert!((0.0..1.0).contains(&rate), "the layer validates its rate");
    // The conversion rounds down.
    let threshold = (rate * 2.0_f64.powi(32)) as u32;
    let kept = T::of(1.0 / (1.0 - rate));
    let mut mask = Array2::zeros(shape);
    let elements = mask.as_slice_mut().expect("a new array is contiguous");
    let mut words = [0; 256];
    for elements in elements.chunks_mut(words.len()) {
        rng.fill_words(&mut words[..elements.len()]);
        for (element, &word) in elements.iter_mut().zip(&words) {
            *element = if word < threshold { T::zero() } else { kept };
        }
    }
    mask
}
// ANCHOR_END: mask

// ANCHOR: forward
/// `Y = M ⊙ X`. What is not finite stays visible even where it is dropped, since `0 · ∞` is NaN.
///
/// # Shapes
/// `x`, `mask` and the result: `(m, n)`.
pub fn dropout_forward<T: Scalar>(x: ArrayView2<'_, T>, mask: ArrayView2<'_, T>) -> Array2<T> {
    &x * &mask
}
// ANCHOR_END: forward

// ANCHOR: backward
/// `dL/dX = M ⊙ dL/dY`, with the mask of the forward pass.
///
/// # Shapes
/// `dl_dy`, `mask` and the result: `(m, n)`.
pub fn dropout_backward<T: Scalar>(dl_dy: ArrayView2<'_, T>, mask: ArrayView2<'_, T>) -> Array2<T> {
    &dl_dy * &mask
}
// ANCHOR_END: backward

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_and_largest_rates_still_make_masks() {
        // The words that drop at the largest rate below 1 are all but the largest one.
        let largest = 1.0 - f64::EPSILON / 2.0;
        let dropped = dropout_mask::<f32>(&mut Rng::new(1), (10, 10), largest);
        assert_eq!(dropped, Array2::zeros((10, 10)));
        let kept = dropout_mask::<f32>(&mut Rng::new(1), (10, 10), 0.0);
        assert_eq!(kept, Array2::ones((10, 10)));
    }
}
