//! Scaling of features.

use std::fmt;
use std::str::FromStr;

use ndarray::{ArrayD, Axis};
use numerics::Scalar;
use serde::{Deserialize, Serialize};

use crate::DatasetError;

/// How features are scaled.
///
/// A feature is an index of the last axis: a column of a table, or a channel of images, whose pixels
/// then share one scale. Its numbers are taken over all other axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::None, Self::Normalise, Self::Standardise];

    /// The name that [`FromStr`] accepts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Normalise => "normalise",
            Self::Standardise => "standardise",
        }
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The scaler that this choice makes of the features `(n, ...)` of the training split.
    ///
    /// A feature that is constant there says nothing; it is shifted to 0 and not divided.
    ///
    /// # Panics
    /// If `features` has no axis or no element; those of a [`Dataset`](crate::Dataset) have.
    #[must_use]
    pub fn fit<T: Scalar>(self, features: &ArrayD<T>) -> Scaler {
        let last = Axis(features.ndim() - 1);
        let fitted = features.axis_iter(last).map(|values| {
            let values = || values.iter().map(|x| x.as_f64());
            let n = values().count() as f64;
            let min = values().fold(f64::INFINITY, f64::min);
            let max = values().fold(f64::NEG_INFINITY, f64::max);
            // Rounding gives even a constant a deviation, so the range decides.
            if self != Self::None && min == max {
                return (min, 1.0);
            }
            match self {
                Self::None => (0.0, 1.0),
                Self::Normalise => (min, max - min),
                Self::Standardise => {
                    let mean = values().sum::<f64>() / n;
                    let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                    (mean, variance.sqrt())
                }
            }
        });
        let (shift, scale) = fitted.unzip();
        Scaler { shift, scale }
    }
}

/// `(x - shift) / scale` for each feature, as fitted on a training split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    shift: Vec<f64>,
    scale: Vec<f64>,
}

impl Scaler {
    /// What is subtracted from each feature.
    #[must_use]
    pub fn shift(&self) -> &[f64] {
        &self.shift
    }

    /// What each feature is divided by; never 0.
    #[must_use]
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// The scaled features, of the same shape.
    ///
    /// # Errors
    /// [`DatasetError::Shape`] if the last axis has not the features that the scaler was fitted on.
    pub fn apply<T: Scalar>(&self, mut features: ArrayD<T>) -> Result<ArrayD<T>, DatasetError> {
        if features.shape().last() != Some(&self.shift.len()) {
            return Err(DatasetError::Shape {
                what: "features to be scaled",
                expected: format!("(n, ..., {})", self.shift.len()),
                got: features.shape().to_vec(),
            });
        }
        let last = Axis(features.ndim() - 1);
        let parameters = self.shift.iter().zip(&self.scale);
        for (mut values, (&shift, &scale)) in features.axis_iter_mut(last).zip(parameters) {
            values.mapv_inplace(|x| T::of((x.as_f64() - shift) / scale));
        }
        Ok(features)
    }
}

impl fmt::Display for Preprocess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preprocess {
    type Err = DatasetError;

    fn from_str(name: &str) -> Result<Self, DatasetError> {
        Self::ALL
            .into_iter()
            .find(|preprocess| preprocess.name() == name)
            .ok_or_else(|| DatasetError::UnknownPreprocess { got: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use ndarray::array;

    use super::*;

    #[test]
    fn standardising_by_hand() {
        // Column 1: mean 3, squares 4 + 4, divisor 2: deviation 2. Column 2: mean 0, deviation 10.
        let x = array![[1.0, -10.0], [5.0, 10.0]].into_dyn();
        let scaler = Preprocess::Standardise.fit(&x);
        assert_eq!((scaler.shift(), scaler.scale()), (&[3.0, 0.0][..], &[2.0, 10.0][..]));
        assert_eq!(scaler.apply(x).unwrap(), array![[-1.0, -1.0], [1.0, 1.0]].into_dyn());
    }

    #[test]
    fn normalising_by_hand() {
        let scaler = Preprocess::Normalise.fit(&array![[2.0], [6.0], [3.0]].into_dyn());
        let other = array![[2.0], [6.0], [3.0], [8.0]].into_dyn();
        // What was not fitted on may leave [0, 1].
        let expected = array![[0.0], [1.0], [0.25], [1.5]].into_dyn();
        assert_eq!(scaler.apply(other).unwrap(), expected);
    }

    #[test]
    fn a_constant_feature_becomes_zero() {
        // 0.1 is not a binary fraction: the mean of many is not exactly 0.1.
        let x = ArrayD::from_elem(vec![7, 1], 0.1);
        for preprocess in [Preprocess::Normalise, Preprocess::Standardise] {
            let scaled = preprocess.fit(&x).apply(x.clone()).unwrap();
            assert_eq!(scaled, ArrayD::zeros(vec![7, 1]), "{preprocess}");
        }
        assert_eq!(Preprocess::None.fit(&x).apply(x.clone()).unwrap(), x);
    }

    #[test]
    fn the_pixels_of_a_channel_share_one_scale() {
        // Two images of 1 x 2 pixels and 2 channels.
        let x = array![[[[0.0, 5.0], [2.0, 5.0]]], [[[4.0, 5.0], [6.0, 7.0]]]].into_dyn();
        let scaler = Preprocess::Standardise.fit(&x);
        assert_eq!(scaler.shift(), [3.0, 5.5]);
        let scaled = scaler.apply(x).unwrap();
        for channel in scaled.axis_iter(Axis(3)) {
            assert_abs_diff_eq!(channel.mean().unwrap(), 0.0, epsilon = 1e-15);
            assert_abs_diff_eq!(channel.std(0.0), 1.0, epsilon = 1e-15);
        }
    }

    #[test]
    fn other_features_than_those_fitted_on_are_refused() {
        let scaler = Preprocess::Standardise.fit(&array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
        let error = scaler.apply(array![[1.0]].into_dyn()).unwrap_err().to_string();
        assert_eq!(error, "features to be scaled must have shape (n, ..., 2), but has [1, 1]");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        for preprocess in Preprocess::ALL {
            assert_eq!(preprocess.name().parse::<Preprocess>().unwrap(), preprocess);
        }
        let error = "standardize".parse::<Preprocess>().unwrap_err().to_string();
        let expected = "unknown preprocessing \"standardize\": expected one of none, normalise, \
                        standardise";
        assert_eq!(error, expected);
    }
}
