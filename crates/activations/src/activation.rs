//! The choice among the activation functions.

use std::fmt;
use std::str::FromStr;

use ndarray::{Array, ArrayRef, Dimension};
use numerics::{Scalar, for_each_of_two, recycle};
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
    #[must_use]
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
    #[must_use]
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
        if z.shape() != dl_dy.shape() {
            return Err(ActivationError::Shape {
                activation: self,
                expected: z.shape().to_vec(),
                got: dl_dy.shape().to_vec(),
            });
        }
        Ok(match self {
            Self::Linear => Linear::backward(z, dl_dy),
            Self::Sigmoid => Sigmoid::backward(z, dl_dy),
            Self::TanH => TanH::backward(z, dl_dy),
            Self::ReLU => ReLU::backward(z, dl_dy),
            Self::SoftMax => SoftMax::backward(z, dl_dy),
            Self::ArcTan => ArcTan::backward(z, dl_dy),
            Self::GELU => GELU::backward(z, dl_dy),
        })
    }

    /// [`backward`](Self::backward) in the memory of `dl_dy`, where that is possible.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn backward_owned<T: Scalar, D: Dimension>(
        self,
        z: &ArrayRef<T, D>,
        mut dl_dy: Array<T, D>,
    ) -> Result<Array<T, D>, ActivationError> {
        match self {
            Self::ReLU if z.shape() == dl_dy.shape() => {
                for_each_of_two(&mut dl_dy, z, |dl_dy, z| *dl_dy = ReLU::gradient(z, *dl_dy));
                Ok(dl_dy)
            }
            Self::GELU if z.shape() == dl_dy.shape() => {
                for_each_of_two(&mut dl_dy, z, |dl_dy, z| *dl_dy = GELU::gradient(z, *dl_dy));
                Ok(dl_dy)
            }
            _ => {
                let dl_dz = self.backward(z, &dl_dy)?;
                recycle(dl_dy);
                Ok(dl_dz)
            }
        }
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
    use ndarray::{Array2, array};
    use numerics::Rng;

    use super::*;

    #[test]
    fn every_name_parses_back_in_any_case() {
        for activation in Activation::ALL {
            assert_eq!(activation.name().parse(), Ok(activation));
            assert_eq!(activation.name().to_uppercase().parse(), Ok(activation));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "rleu".parse::<Activation>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown activation \"rleu\": expected one of linear, sigmoid, tanh, relu, softmax, \
             arctan, gelu"
        );
    }

    #[test]
    fn a_gradient_of_another_shape_is_refused() {
        let z = Array2::<f64>::zeros((2, 3)).into_dyn();
        let dl_dy = Array2::<f64>::zeros((3, 2)).into_dyn();
        for activation in Activation::ALL {
            let error = activation.backward(&z, &dl_dy).unwrap_err();
            assert_eq!(
                error,
                ActivationError::Shape { activation, expected: vec![2, 3], got: vec![3, 2] }
            );
            assert_eq!(activation.backward_owned(&z, dl_dy.clone()).unwrap_err(), error);
        }
    }

    #[test]
    fn a_gradient_in_the_memory_of_the_other_has_the_same_bits() {
        let mut rng = Rng::new(0);
        // Both on one thread and on several, and in another order than that of memory.
        for shape in [(3, 5), (400, 300)] {
            let z: Array2<f32> = rng.normal_array(shape, 0.0, 1.0);
            let dl_dy: Array2<f32> = rng.normal_array(shape, 0.0, 1.0);
            let turned = dl_dy.t().as_standard_layout().into_owned().reversed_axes();
            for activation in Activation::ALL {
                let expected = activation.backward(&z, &dl_dy).unwrap();
                for dl_dy in [dl_dy.clone(), turned.clone()] {
                    assert_eq!(activation.backward_owned(&z, dl_dy).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn infinite_and_huge_inputs_give_finite_gradients() {
        let z = array![[-1e4, 1e4, -709.0, 709.0, 0.0_f32, -0.0]];
        let ones = Array2::ones(z.raw_dim());
        for activation in Activation::ALL {
            assert!(activation.forward(&z).iter().all(|y| y.is_finite()), "{activation}");
            let dl_dz = activation.backward(&z, &ones).unwrap();
            assert!(dl_dz.iter().all(|g| g.is_finite()), "{activation}");
        }
    }
}
