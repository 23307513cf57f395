//! Filters that whiten the patches of images: a first layer that needs no training.

use layers::{LayerError, checked_size};
use ndarray::{Array2, Array4, ArrayView2, ArrayView4, Axis, s};
use numerics::{Scalar, map_tasks, symmetric_eigen};

const KIND: &str = "Whitening";

/// Images whose patches are summed on one thread; fixed, so that the order of sums is too.
const IMAGES_PER_CHUNK: usize = 32;

// ANCHOR: covariance
/// `C = 1/N Σ p pᵀ`, the second moments of all N patches `p` of the images, in `f64`: patches
/// overlap and lie within the image, and the numbers of one are in the order of a filter's weights.
/// The same bits for any number of threads.
///
/// # Shapes
/// `images: (n, rows, cols, channels)`; the result is `(d, d)` with `d = kernel_rows * kernel_cols *
/// channels`.
///
/// # Errors
/// [`LayerError::Configuration`] if the kernel is empty or larger than an image, or there are fewer
/// patches than a patch has numbers, which leaves directions that no patch has; [`LayerError::Size`] if
/// patches have so many numbers that the filters would be too large.
pub fn patch_covariance<T: Scalar>(
    images: ArrayView4<'_, T>,
    kernel_shape: (usize, usize),
) -> Result<Array2<f64>, LayerError> {
    let (n, rows, cols, channels) = images.dim();
    let (k1, k2) = kernel_shape;
    if k1 == 0 || k2 == 0 || k1 > rows || k2 > cols {
        let expected = format!("at least 1x1 and at most the image, {rows}x{cols}");
        return Err(invalid("kernel_shape", expected, format!("{k1}x{k2}")));
    }
    let (d, patches) = (k1 * k2 * channels, n * (rows - k1 + 1) * (cols - k2 + 1));
    if d == 0 || patches < d {
        let expected = format!("at least as many as the numbers in one, {d}, and that at least 1");
        return Err(invalid("the number of patches", expected, patches.to_string()));
    }
    checked_size(KIND, "W", &[d, 2 * d])?;
    let chunks = images.axis_chunks_iter(Axis(0), IMAGES_PER_CHUNK);
    let partial = map_tasks(chunks, true, &|_, images| {
        sum_of_squares(&images.mapv(Scalar::as_f64), kernel_shape)
    });
    let sum = partial.into_iter().fold(Array2::zeros((d, d)), |sum, part| sum + part);
    Ok(sum / patches as f64)
}
// ANCHOR_END: covariance

/// `Σ p pᵀ` over the patches of some images.
// Not generic, so that it is compiled here, with optimisation, and not where it is used.
fn sum_of_squares(images: &Array4<f64>, (k1, k2): (usize, usize)) -> Array2<f64> {
    let (_, rows, cols, channels) = images.dim();
    let d = k1 * k2 * channels;
    let mut sum = vec![0.0; d * d];
    let mut patch = vec![0.0; d];
    for image in images.outer_iter() {
        let image: Vec<f64> = image.iter().copied().collect();
        for r in 0..=rows - k1 {
            for q in 0..=cols - k2 {
                for (i, run) in patch.chunks_exact_mut(k2 * channels).enumerate() {
                    let start = ((r + i) * cols + q) * channels;
                    run.copy_from_slice(&image[start..start + k2 * channels]);
                }
                for (&a, row) in patch.iter().zip(sum.chunks_exact_mut(d)) {
                    row.iter_mut().zip(&patch).for_each(|(sum, &b)| *sum += a * b);
                }
            }
        }
    }
    Array2::from_shape_vec((d, d), sum).expect("a row and a column for each number of a patch")
}

// ANCHOR: filters
/// Filters whose responses to the patches of the images are orthogonal and of nearly equal size:
/// with `C = U diag(λ) Uᵀ` the [`patch_covariance`], filter `k` is `uₖ / √(λₖ + ε)`, in falling order of
/// `λ`, and filter `d + k` is its negative, since a ReLU or GELU after it lets one sign through.
///
/// The mean square of response `k` is `λₖ / (λₖ + ε)`; ε keeps directions that hardly occur, which are
/// noise, from being blown up. The sign of `uₖ` is that of [`symmetric_eigen`].
///
/// # Shapes
/// `images: (n, rows, cols, channels)`; the result is `(kernel_rows, kernel_cols, channels, 2 d)` with
/// `d = kernel_rows * kernel_cols * channels`.
///
/// # Errors
/// As [`patch_covariance`], and [`LayerError::Configuration`] if ε is not finite and above 0, or a pixel
/// is not finite.
///
/// Source: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498 (2024), section 3.2.
pub fn whitening_filters<T: Scalar>(
    images: ArrayView4<'_, T>,
    kernel_shape: (usize, usize),
    eps: f64,
) -> Result<Array4<T>, LayerError> {
    if !(eps.is_finite() && eps > 0.0) {
        return Err(invalid("eps", "finite and above 0".to_owned(), eps.to_string()));
    }
    let covariance = patch_covariance(images, kernel_shape)?;
    let Some((values, vectors)) = symmetric_eigen(covariance.view()) else {
        let got = "a covariance without eigenvalues".to_owned();
        return Err(invalid("the pixels", "finite".to_owned(), got));
    };
    // An eigenvalue of 0 may come out as a little less.
    let filters = vectors / values.mapv(|value| (value.max(0.0) + eps).sqrt());
    Ok(with_negatives(filters.view(), kernel_shape, images.dim().3))
}
// ANCHOR_END: filters

/// The columns of `filters` as kernels, then their negatives.
fn with_negatives<T: Scalar>(
    filters: ArrayView2<'_, f64>,
    (k1, k2): (usize, usize),
    channels: usize,
) -> Array4<T> {
    let d = filters.ncols();
    let mut both = Array2::zeros((d, 2 * d));
    both.slice_mut(s![.., ..d]).assign(&filters.mapv(T::of));
    both.slice_mut(s![.., d..]).assign(&filters.mapv(|weight| T::of(-weight)));
    let both = both.into_shape_with_order((k1, k2, channels, 2 * d));
    both.expect("a row for each number of a patch")
}

fn invalid(what: &'static str, expected: String, got: String) -> LayerError {
    LayerError::Configuration { layer: KIND, what, expected, got }
}

#[cfg(test)]
mod tests {
    use numerics::Rng;

    use super::*;

    #[test]
    fn neither_threads_nor_the_order_of_memory_matter() {
        let images: Array4<f32> = Rng::new(4).uniform_array((100, 7, 7, 3), -1.0, 1.0);
        let other = images.view().reversed_axes().as_standard_layout().to_owned();
        let filters = |threads, images: ArrayView4<'_, f32>| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| whitening_filters(images, (2, 2), 5e-4).unwrap())
        };
        assert_eq!(filters(1, images.view()), filters(3, other.view().reversed_axes()));
    }

    #[test]
    fn what_cannot_be_whitened_is_refused() {
        let images: Array4<f64> = Rng::new(0).uniform_array((2, 4, 2, 1), -1.0, 1.0);
        let nan = &images * f64::NAN;
        let no_channels = Array4::zeros((3, 4, 2, 0));
        let size = "kernel_shape must be at least 1x1 and at most the image, 4x2, but is 5x1";
        let too_few = "the number of patches must be at least as many as the numbers in one";
        for (images, kernel, eps, expected) in [
            (&images, (5, 1), 0.5, size),
            (&images, (4, 2), 0.5, &format!("{too_few}, 8, and that at least 1, but is 2")),
            (&no_channels, (1, 2), 0.5, too_few),
            (&images, (1, 2), 0.0, "eps must be finite and above 0"),
            (&nan, (1, 2), 0.5, "the pixels must be finite"),
        ] {
            let error = whitening_filters(images.view(), kernel, eps).unwrap_err().to_string();
            assert!(error.starts_with(&format!("Whitening: {expected}")), "{error}");
        }
    }
}
