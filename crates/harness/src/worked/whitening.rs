//! The whitening of patches, and the identity as a convolution.

use cnn::{Conv2DConfig, patch_covariance, whitening_filters};
use layers::{Layer, WeightInit};
use ndarray::{Array2, array};
use numerics::{Rng, symmetric_eigen};

use super::Example;
use crate::formulas::whitening::patches;

/// Eight patches of two pixels.
pub(super) fn whitening(example: &mut Example<'_>) {
    const EPS: f64 = 0.5;
    const KERNEL: (usize, usize) = (1, 2);
    let pixels = array![
        [2.0, 2.0],
        [2.0, 0.0],
        [-2.0, -2.0],
        [0.0, 0.0],
        [0.0, -2.0],
        [0.0, 0.0],
        [2.0, 2.0],
        [0.0, 0.0]
    ];
    let images = pixels.to_shape((2, 4, 2, 1)).expect("two images of 4 by 2").to_owned();
    let whole = "the example is a valid one";
    let covariance = patch_covariance(images.view(), KERNEL).expect(whole);
    let (values, _) = symmetric_eigen(covariance.view()).expect(whole);
    let filters = whitening_filters(images.view(), KERNEL, EPS).expect(whole);
    let w = filters.into_shape_with_order((2, 4)).expect(whole);
    let y = patches(&images, KERNEL).dot(&w.slice(ndarray::s![.., ..2]));
    let responses: Array2<f64> = y.t().dot(&y) / y.nrows() as f64;
    example.array("patches", &pixels);
    example.array("covariance", &covariance);
    example.array("roots", &values.mapv(|value| (value + EPS).sqrt()));
    example.array("values", &values);
    example.array("w", &w);
    example.array("responses", &responses);
    example.number("eps", EPS);
    example.number("count", pixels.nrows() as f64);
}

/// The one filter of one channel.
pub(super) fn dirac(example: &mut Example<'_>) {
    let config = Conv2DConfig { weight_init: WeightInit::Dirac, ..Conv2DConfig::new(1, (3, 3)) };
    let layer = config.build::<f64>(&[4, 4, 1], &mut Rng::new(0)).expect("a filter for a channel");
    let w = layer.parameters().kernel("W");
    example.array("w", &w.slice(ndarray::s![.., .., 0, 0]).to_owned());
}
