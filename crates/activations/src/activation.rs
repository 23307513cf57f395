//! The choice among the activation functions.

use std::fmt;
use std::str::FromStr;

use ndarray::{Array, ArrayRef, Dimension};
use numerics::{Scalar, recycle};
use serde::{Deserialize, Serialize};

use crate::{ActivationError, ArcTan, ElementWise, GELU, Linear, ReLU, Sigmoid, SoftMax, TanH};

/// An activation function σ, applied to the pre-activation Z of a layer.
///
/// All but [`SoftMax`](Activation::SoftMax) act on each element; softmax acts on the last axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `σ(z) = z`.
    #[default]
    Linear,
    /// `σ(z) = 1 / (1 + e⁻ᶻ)`.
    Sigmoid,
    /// `σ(z) = tanh z`.
    TanH,
    /// `σ(z) = max(z, 0)`.
    ReLU,
    /// `σ(z)ᵢ = eᶻⁱ / Σⱼ eᶻʲ` along the last axis.
    SoftMax,
    /// `σ(z) = arctan z`.
    ArcTan,
    /// `σ(z) = z Φ(z)`, with Φ the normal distribution function.
    GELU,
}

impl Activation {
    /// Every activation: the course's six in its order, then ours.
    pub const ALL: [Self; 7] = [
        Self::Linear,
        Self::Sigmoid,
        Self::TanH,
        Self::ReLU,
        Self::SoftMax,
        Self::ArcTan,
        Self::GELU,
    ];

    /// The name that [`FromStr`] accepts, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Sigmoid => "sigmoid",
            Self::TanH => "tanh",
            Self::ReLU => "relu",
            Self::SoftMax => "softmax",
            Self::ArcTan => "arctan",
            Self::GELU => "gelu",
        }
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// `Y = σ(Z)`.
    ///
    /// # Shapes
    /// `z` and the result have the same shape, any number of axes.
    pub fn forward<T: Scalar, D: Dimension>(self, z: &ArrayRef<T, D>) -> Array<T, D> {
        match self {
            Self::Linear => Linear::forward(z),
            Self::Sigmoid => Sigmoid::forward(z),
            Self::TanH => TanH::forward(z),
            Self::ReLU => ReLU::forward(z),
            Self::SoftMax => SoftMax::forward(z),
            Self::ArcTan => ArcTan::forward(z),
            Self::GELU => GELU::forward(z),
        }
    }

    /// `dL/dZ`, from `Z` and `dL/dY`.
    ///
    /// # Shapes
    /// `z`, `dl_dy` and the result have the same shape.
    ///
    /// # Errors
    /// [`ActivationError::Shape`] if the shapes differ.
    pub fn backward<T: Scalar, D: Dimension>(
        self,
        z: &ArrayRef<T, D>,
        dl_dy: &ArrayRef<T, D>,
    ) -> Result<Array<T, D>, ActivationError> {
        self.backward_owned(z, dl_dy.to_owned())
    }

    /// [`backward`](Self::backward) in the memory of `dl_dy`.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn backward_owned<T: Scalar, D: Dimension>(
        self,
        z: &ArrayRef<T, D>,
        dl_dy: Array<T, D>,
    ) -> Result<Array<T, D>, ActivationError> {
        if z.shape() != dl_dy.shape() {
            let (expected, got) = (z.shape().to_vec(), dl_dy.shape().to_vec());
            return Err(ActivationError::Shape { activation: self, expected, got });
        }
        Ok(match self {
            Self::Linear => dl_dy,
            Self::Sigmoid => Sigmoid::backward(z, dl_dy),
            Self::TanH => TanH::backward(z, dl_dy),
            Self::ReLU => ReLU::backward(z, dl_dy),
            Self::SoftMax => {
                let dl_dz = SoftMax::backward(z, &dl_dy);
                recycle(dl_dy);
                dl_dz
            }
            Self::ArcTan => ArcTan::backward(z, dl_dy),
            Self::GELU => GELU::backward(z, dl_dy),
        })
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Activation {
    type Err = ActivationError;

    fn from_str(name: &str) -> Result<Self, ActivationError> {
        Self::ALL
            .into_iter()
            .find(|activation| activation.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| ActivationError::UnknownName { got: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array, s};
    use numerics::Rng;

    use super::*;

    #[test]
    fn every_name_parses_back_in_any_case_and_an_unknown_one_lists_them() {
        for activation in Activation::ALL {
            assert_eq!(activation.to_string().parse(), Ok(activation));
            assert_eq!(activation.name().to_uppercase().parse(), Ok(activation));
        }
        let expected = "unknown activation \"rleu\": expected one of linear, sigmoid, tanh, relu, softmax, \
                        arctan, gelu";
        assert_eq!("rleu".parse::<Activation>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn threads_change_no_bit_and_huge_inputs_are_finite_in_single_precision() {
        // Both on one thread and on several.
        let z: Array2<f32> = Rng::new(0).normal_array((400, 300), 0.0, 1.0);
        let huge = array![[-1e4, 1e4, -709.0, 709.0, 0.0_f32, -0.0]];
        for activation in Activation::ALL {
            let dl_dz = activation.backward(&z, &z).unwrap();
            let first = z.slice(s![..2, ..]);
            assert_eq!(activation.backward(&first, &first).unwrap(), dl_dz.slice(s![..2, ..]));
            assert!(activation.forward(&huge).iter().all(|y| y.is_finite()), "{activation}");
            let dl_dz = activation.backward(&huge, &Array2::ones(huge.raw_dim())).unwrap();
            assert!(dl_dz.iter().all(|g| g.is_finite()), "{activation}");
        }
    }
}
