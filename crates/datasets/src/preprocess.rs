//! Scaling of features.

use std::str::FromStr;

use ndarray::{ArrayD, Axis};
use numerics::Scalar;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};

use crate::DatasetError;

/// Scaling of features.
///
/// A feature is an index of the last axis: a column of a table, or a channel of images, whose pixels
/// then share one scale. Its numbers are taken over all other axes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, strum_macros::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Preprocess {
    /// Not at all.
    None,
    /// `(x - min) / (max - min)`: the training split fills `[0, 1]`; others may leave it.
    Normalise,
    /// `(x - mean) / standard deviation` (divisor n): mean 0 and deviation 1 on the training split.
    #[default]
    Standardise,
}

impl Preprocess {
    /// The scaler that this choice makes of the features `(n, ...)` of the training split.
    ///
    /// A feature that is constant there says nothing; it is shifted to 0 and not divided.
    ///
    /// # Panics
    /// If `features` has no axis or no element; those of a [`Dataset`](crate::Dataset) have.
    pub(crate) fn fit(self, features: &ArrayD<f64>) -> Scaler {
        let last = Axis(features.ndim() - 1);
        let fitted = features.axis_iter(last).map(|values| {
            let min = values.iter().copied().fold(f64::INFINITY, f64::min);
            let range = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - min;
            if self == Self::None {
                return (0.0, 1.0);
            }
            // Rounding gives even a constant a deviation, so the range decides.
            if range == 0.0 {
                return (min, 1.0);
            }
            if self == Self::Normalise {
                return (min, range);
            }
            // The statistics of fractions of the range: an offset that all numbers share loses no digits
            // of what distinguishes them, and squares neither overflow nor underflow.
            let fractions = || values.iter().map(|x| (x - min) / range);
            let n = values.len() as f64;
            let mean = fractions().sum::<f64>() / n;
            let variance = fractions().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            (min + range * mean, range * variance.sqrt())
        });
        let (shift, scale) = fitted.unzip();
        Scaler { shift, scale }
    }
}

/// `(x - shift) / scale` for each feature, as fitted on a training split.
pub(crate) struct Scaler {
    shift: Vec<f64>,
    /// Never 0.
    scale: Vec<f64>,
}

impl Scaler {
    /// The scaled features of a split, of the same shape, rounded to `T` only now.
    ///
    /// # Errors
    /// [`DatasetError::Refused`] if a number is beyond those of `T`.
    pub(crate) fn apply<T: Scalar>(
        &self,
        split: &str,
        features: &ArrayD<f64>,
    ) -> Result<ArrayD<T>, DatasetError> {
        let n = self.shift.len();
        let of_example = features.len() / features.shape()[0];
        let scaled = features.iter().enumerate().map(|(index, &x)| {
            let scaled = T::of((x - self.shift[index % n]) / self.scale[index % n]);
            let row = index / of_example;
            scaled.is_finite().then_some(scaled).ok_or_else(|| {
                DatasetError::Refused(format!(
                    "the {split} features, row {row}: {x:e} is beyond the numbers of type {}; \
                     standardise or normalise the features",
                    std::any::type_name::<T>()
                ))
            })
        });
        let scaled = scaled.collect::<Result<Vec<T>, _>>()?;
        Ok(ArrayD::from_shape_vec(features.raw_dim(), scaled).expect("one number for each feature"))
    }
}

impl FromStr for Preprocess {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use ndarray::array;

    use super::*;

    fn scaled(scaler: &Scaler, features: &ArrayD<f64>) -> ArrayD<f64> {
        scaler.apply("train", features).unwrap()
    }

    #[test]
    fn standardising_and_normalising_by_hand() {
        // Column 1: mean 3, squares 4 + 4, divisor 2: deviation 2. Column 2: mean 0, deviation 10.
        let x = array![[1.0, -10.0], [5.0, 10.0]].into_dyn();
        let scaler = Preprocess::Standardise.fit(&x);
        assert_eq!((&scaler.shift[..], &scaler.scale[..]), (&[3.0, 0.0][..], &[2.0, 10.0][..]));
        assert_eq!(scaled(&scaler, &x), array![[-1.0, -1.0], [1.0, 1.0]].into_dyn());
        let scaler = Preprocess::Normalise.fit(&array![[2.0], [6.0], [3.0]].into_dyn());
        let other = array![[2.0], [6.0], [3.0], [8.0]].into_dyn();
        // What was not fitted on may leave [0, 1].
        let expected = array![[0.0], [1.0], [0.25], [1.5]].into_dyn();
        assert_eq!(scaled(&scaler, &other), expected);
    }

    #[test]
    fn a_constant_feature_becomes_zero() {
        // 0.1 is not a binary fraction: the mean of many is not exactly 0.1.
        let x = ArrayD::from_elem(vec![7, 1], 0.1);
        for preprocess in [Preprocess::Normalise, Preprocess::Standardise] {
            let scaled = scaled(&preprocess.fit(&x), &x);
            assert_eq!(scaled, ArrayD::<f64>::zeros(vec![7, 1]), "{preprocess}");
        }
        assert_eq!(scaled(&Preprocess::None.fit(&x), &x), x);
    }

    #[test]
    fn the_pixels_of_a_channel_share_one_scale() {
        // Two images of 1 x 2 pixels and 2 channels.
        let x = array![[[[0.0, 5.0], [2.0, 5.0]]], [[[4.0, 5.0], [6.0, 7.0]]]].into_dyn();
        let scaler = Preprocess::Standardise.fit(&x);
        assert_eq!(scaler.shift, [3.0, 5.5]);
        let scaled = scaled(&scaler, &x);
        for channel in scaled.axis_iter(Axis(3)) {
            assert_abs_diff_eq!(channel.mean().unwrap(), 0.0, epsilon = 1e-15);
            assert_abs_diff_eq!(channel.std(0.0), 1.0, epsilon = 1e-15);
        }
    }

    #[test]
    fn neither_offset_nor_size_changes_what_is_scaled() {
        let x = array![[1.0, 2.0], [2.0, 4.0], [4.0, 0.0], [5.0, 1.0]].into_dyn();
        for preprocess in [Preprocess::Normalise, Preprocess::Standardise] {
            let expected = scaled(&preprocess.fit(&x), &x);
            // Each of these is exact. In single precision the first leaves no digit; squares of the last
            // two are beyond the numbers of double precision.
            for (factor, offset) in
                [(1.0, 2_f64.powi(31)), (2_f64.powi(600), 0.0), (2_f64.powi(-600), 0.0)]
            {
                let other = x.mapv(|x| factor * x + offset);
                let scaler = preprocess.fit(&other);
                let got = scaler.apply::<f32>("train", &other).unwrap();
                assert_eq!(got, expected.mapv(|x| x as f32), "{preprocess} {factor:e} {offset:e}");
            }
        }
    }

    #[test]
    fn a_number_beyond_those_of_the_type_is_refused_as_it_is_in_the_file() {
        let x = array![[1.0, 2.0], [3.0, 5e39]].into_dyn();
        let scaler = Preprocess::None.fit(&x);
        assert_eq!(scaler.apply::<f64>("test", &x).unwrap(), x);
        let error = scaler.apply::<f32>("test", &x).unwrap_err().to_string();
        let expected = "the test features, row 1: 5e39 is beyond the numbers of type f32; standardise or \
                        normalise the features";
        assert_eq!(error, expected);
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        for preprocess in [Preprocess::None, Preprocess::Normalise, Preprocess::Standardise] {
            assert_eq!(preprocess.to_string().parse(), Ok(preprocess));
        }
        let error = "standardize".parse::<Preprocess>().unwrap_err().to_string();
        let expected =
            "unknown variant `standardize`, expected one of `none`, `normalise`, `standardise`";
        assert_eq!(error, expected);
    }
}
