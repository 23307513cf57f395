//! Changes to an image that leave its class alone.

use std::fmt;

use ndarray::{Array3, Array4, ArrayView3, ArrayView4};
use numerics::Rng;

/// Changes to training images, anew in each epoch; by default none.
///
/// The change of an image depends on the seed, the epoch and its index in the data set alone, so
/// that a resumed training sees what it would have seen, on any number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augmentation {
    /// Which images are mirrored.
    pub flip: Flip,
    /// By how many pixels an image is shifted at most, in each direction. What comes in from beyond
    /// an edge is the image reflected there, its outermost pixel not repeated.
    pub shift: usize,
}

/// Which images are mirrored left to right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flip {
    /// None.
    #[default]
    Never,
    /// Each with probability 1/2, anew in each epoch.
    Random,
    /// A random half in the first epoch, the other half in the second, and so on: within two epochs
    /// every image is seen both ways (Jordan 2024, arXiv 2404.00498).
    Alternating,
}

/// The random streams of augmentation: `2^63` and above, far from those of weights and order.
const FIRST_STREAM: u64 = 1 << 63;

impl Augmentation {
    /// The image with this index in the data set, as epoch `epoch` (from 1) sees it.
    ///
    /// # Shapes
    /// `(rows, cols, channels)`, in and out. A shift is at most rows - 1 and cols - 1, whatever was
    /// asked for.
    // ANCHOR: apply
    pub fn apply(
        &self,
        image: ArrayView3<'_, u8>,
        seed: u64,
        epoch: u64,
        index: usize,
    ) -> Array3<u8> {
        let (rows, cols, _) = image.dim();
        // An epoch has a block of 2^32 streams, the coins of alternating flips have that of epoch 0.
        let stream =
            |epoch: u64| FIRST_STREAM.wrapping_add((epoch << 32).wrapping_add(index as u64));
        let mut rng = Rng::with_stream(seed, stream(epoch));
        let flip = match self.flip {
            Flip::Never => false,
            Flip::Random => rng.below(2) == 1,
            Flip::Alternating => {
                let coin = Rng::with_stream(seed, stream(0)).below(2) as u64;
                (coin + epoch) % 2 == 1
            }
        };
        let mut shift = |length: usize| {
            let most = self.shift.min(length - 1);
            rng.below(2 * most + 1) as isize - most as isize
        };
        let (down, right) = (shift(rows), shift(cols));
        let mut pixels = Vec::with_capacity(image.len());
        extend_with_moved(&mut pixels, image, down, right, flip);
        Array3::from_shape_vec(image.dim(), pixels).expect("a pixel for each of the image")
    }
    // ANCHOR_END: apply
}

/// The images, each moved by so many pixels down and to the right (up and to the left where negative). What comes in
/// is the image reflected at its edge, its outermost pixel not repeated.
///
/// # Shapes
/// `(n, rows, cols, channels)`, in and out. A shift is at most rows - 1 and cols - 1, whatever was asked for.
pub fn moved(images: ArrayView4<'_, u8>, (down, right): (isize, isize)) -> Array4<u8> {
    let (_, rows, cols, _) = images.dim();
    let within = |shift: isize, length: usize| {
        let most = length.saturating_sub(1) as isize;
        shift.clamp(-most, most)
    };
    let mut pixels = Vec::with_capacity(images.len());
    for image in images.outer_iter() {
        extend_with_moved(&mut pixels, image, within(down, rows), within(right, cols), false);
    }
    Array4::from_shape_vec(images.dim(), pixels).expect("a pixel for each of the images")
}

// ANCHOR: moved
/// Appends the pixels of the image that is moved down and to the right, mirrored before that if `flip`.
fn extend_with_moved(
    pixels: &mut Vec<u8>,
    image: ArrayView3<'_, u8>,
    down: isize,
    right: isize,
    flip: bool,
) {
    let (rows, cols, channels) = image.dim();
    let seen_cols: Vec<usize> = (0..cols as isize)
        .map(|col| reflected(col - right, cols))
        .map(|col| if flip { cols - 1 - col } else { col })
        .collect();
    let image = image.as_standard_layout();
    let seen = image.as_slice().expect("the standard layout is contiguous");
    for row in 0..rows {
        let row = reflected(row as isize - down, rows) * cols;
        for col in &seen_cols {
            pixels.extend_from_slice(&seen[(row + col) * channels..][..channels]);
        }
    }
}
// ANCHOR_END: moved

/// The pixel that is seen at `at`, which lies less than `length` beyond an edge.
fn reflected(at: isize, length: usize) -> usize {
    let last = length as isize - 1;
    let inside = if at < 0 { -at } else { at.min(2 * last - at) };
    inside as usize
}

impl fmt::Display for Augmentation {
    /// `"flip alternating, shift 2"`, or `"none"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flip = match self.flip {
            Flip::Never => None,
            Flip::Random => Some("flip random".to_owned()),
            Flip::Alternating => Some("flip alternating".to_owned()),
        };
        let shift = (self.shift > 0).then(|| format!("shift {}", self.shift));
        let parts: Vec<_> = flip.into_iter().chain(shift).collect();
        f.write_str(&if parts.is_empty() { "none".to_owned() } else { parts.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, s};

    use super::*;

    /// An image of one row whose pixels count from 1.
    fn counting(cols: usize) -> Array3<u8> {
        let pixels = Array1::from_iter((1..=cols).map(|pixel| pixel as u8));
        pixels.into_shape_with_order((1, cols, 1)).unwrap()
    }

    fn seen(augmentation: Augmentation, image: &Array3<u8>, epoch: u64, index: usize) -> Vec<u8> {
        augmentation.apply(image.view(), 7, epoch, index).into_iter().collect()
    }

    #[test]
    fn by_default_nothing_changes() {
        let image = counting(5);
        assert_eq!(seen(Augmentation::default(), &image, 3, 2), [1, 2, 3, 4, 5]);
        assert_eq!(Augmentation::default().to_string(), "none");
        let some = Augmentation { flip: Flip::Alternating, shift: 2 };
        assert_eq!(some.to_string(), "flip alternating, shift 2");
    }

    #[test]
    fn an_edge_reflects_without_repeating_its_pixel() {
        let pixels: Vec<_> = (-3..8).map(|at| reflected(at, 4)).take(10).collect();
        assert_eq!(pixels, [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]);
        assert_eq!(reflected(0, 1), 0);
    }

    #[test]
    fn shifts_take_every_value_equally_often() {
        let image = counting(6);
        let augmentation = Augmentation { flip: Flip::Never, shift: 2 };
        let mut count = [0; 5];
        for index in 0..5000 {
            // The middle pixel tells the shift: 4 is seen at place 3 without one.
            count[usize::from(seen(augmentation, &image, 1, index)[3]) - 2] += 1;
        }
        // 1000 expected, standard deviation √(5000 · 0.2 · 0.8) = 28: five of them.
        assert!(count.iter().all(|&n: &i32| (n - 1000).abs() < 141), "{count:?}");
        assert_eq!(seen(Augmentation { flip: Flip::Never, shift: 9 }, &counting(1), 1, 0), [1]);
    }

    #[test]
    fn images_move_as_far_as_they_reach() {
        let images = Array4::from_shape_fn((2, 1, 4, 1), |(i, _, q, _)| (10 * i + q) as u8);
        let row = |by| Vec::from_iter(moved(images.view(), by));
        assert_eq!(row((0, 1)), [1, 0, 1, 2, 11, 10, 11, 12]);
        assert_eq!(row((5, -1)), [1, 2, 3, 2, 11, 12, 13, 12]);
        assert_eq!(row((0, 9)), row((0, 3)));
        let mirrored = images.slice(s![.., .., ..;-1, ..]);
        assert_eq!(moved(mirrored, (0, 0)), mirrored);
    }

    #[test]
    fn a_flip_mirrors_columns_and_nothing_else() {
        let image = Array3::from_shape_fn((2, 3, 2), |(r, c, k)| (100 * k + 10 * r + c) as u8);
        let augmentation = Augmentation { flip: Flip::Alternating, shift: 0 };
        let one = augmentation.apply(image.view(), 0, 1, 0);
        let two = augmentation.apply(image.view(), 0, 2, 0);
        let mirrored = image.slice(s![.., ..;-1, ..]);
        assert!((one == image && two == mirrored) || (one == mirrored && two == image));
    }

    #[test]
    fn half_are_flipped_in_turn_or_anew_in_each_epoch() {
        let flipped = |flip, epoch| -> Vec<bool> {
            let augmentation = Augmentation { flip, shift: 0 };
            let image = counting(2);
            (0..1000).map(|index| seen(augmentation, &image, epoch, index) == [2, 1]).collect()
        };
        let [first, second, third] = [1, 2, 3].map(|epoch| flipped(Flip::Alternating, epoch));
        assert!(first.iter().zip(&second).all(|(first, second)| first != second));
        assert_eq!(first, third);
        // Half of them; five standard deviations of √(1000/4) = 16.
        let count = first.iter().filter(|&&flipped| flipped).count() as i32;
        assert!((count - 500).abs() < 80, "{count}");
        // Independent, a quarter is flipped twice; five standard deviations of √(1000 · 3/16) = 14.
        let [first, second] = [1, 2].map(|epoch| flipped(Flip::Random, epoch));
        let both = first.iter().zip(second).filter(|&(&one, two)| one && two).count() as i32;
        assert!((both - 250).abs() < 70, "{both}");
    }
}
