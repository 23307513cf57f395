//! Initial weights.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use activations::Activation;
use ndarray::{ArrayD, Axis, IxDyn};
use numerics::{Rng, Scalar};
use serde::{Deserialize, Serialize};

use crate::{LayerError, checked_size};

/// A weight initialiser. `g` below is the [`gain`] of the layer's activation.
///
/// Sources: Glorot and Bengio (2010) for Xavier, He et al. (2015) for He, Martens (2010) for
/// sparse, Zagoruyko and Komodakis, "DiracNets", arXiv 1706.00388 (2017) for Dirac.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WeightInit {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// All the same number.
    Constant(f64),
    /// 1 on the diagonal of a matrix, 0 elsewhere.
    Identity,
    /// Uniform in `[low, high)`.
    Uniform {
        /// The smallest value.
        low: f64,
        /// The bound above all values.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normal with mean 0, then for each output unit of a matrix a fraction of its incoming
    /// weights, rounded up, is set to 0.
    Sparse {
        /// The fraction of zeros, in `[0, 1]`.
        sparsity: f64,
        /// The standard deviation of the rest.
        std: f64,
    },
    /// Uniform in `±g √(3 / fan_in)`.
    HeUniform,
    /// Normal with standard deviation `g / √fan_in`.
    HeNormal,
    /// Uniform in `±g √(6 / (fan_in + fan_out))`.
    #[default]
    XavierUniform,
    /// Normal with standard deviation `g √(2 / (fan_in + fan_out))`.
    XavierNormal,
    /// The identity for a convolution whose kernel has a centre, which needs at least as many filters
    /// as channels: filter `f < n_in` is 1 at the centre of channel `f` and 0 elsewhere, so that it
    /// passes the channel through. The filters after these are uniform in `±1/√fan_in`, whatever the
    /// activation.
    ///
    /// That is PyTorch's default for a convolution, He's uniform bound `g √(3 / fan_in)` with the gain
    /// of a leaky ReLU of slope `a = √5`: `g = √(2 / (1 + a²)) = √(1/3)`, and `√(1/3) √(3 / fan_in) =
    /// 1/√fan_in`.
    Dirac,
}

// ANCHOR: gain
/// The factor by which an activation shrinks a signal near 0, undone: `√2` for ReLU, which drops
/// half of it, `5/3` for tanh, 1 for the rest.
///
/// The numbers are those that PyTorch documents for `torch.nn.init.calculate_gain`; it has none for
/// arctan and softmax, which get 1, and for GELU. As ReLU's √2 does, GELU's keeps the mean square
/// of a standard normal signal: `1 / √E[(z Φ(z))²]`, where the expectation is
/// `1/3 + 1/(2 √3 π) = 0.4252`.
pub fn gain(activation: Activation) -> f64 {
    match activation {
        Activation::ReLU => std::f64::consts::SQRT_2,
        Activation::TanH => 5.0 / 3.0,
        Activation::GELU => (1.0 / 3.0 + 1.0 / (2.0 * 3.0_f64.sqrt() * PI)).sqrt().recip(),
        Activation::Linear | Activation::Sigmoid | Activation::SoftMax | Activation::ArcTan => 1.0,
    }
}
// ANCHOR_END: gain

impl WeightInit {
    /// Every initialiser, those with numbers at the course's defaults.
    pub const ALL: [Self; 12] = [
        Self::Zeros,
        Self::Ones,
        Self::Constant(0.5),
        Self::Identity,
        Self::Uniform { low: -1.0, high: 1.0 },
        Self::Normal { mean: 0.0, std: 1.0 },
        Self::Sparse { sparsity: 0.1, std: 0.01 },
        Self::HeUniform,
        Self::HeNormal,
        Self::XavierUniform,
        Self::XavierNormal,
        Self::Dirac,
    ];

    /// The name of the initialiser: the course's, and `"dirac"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Ones => "ones",
            Self::Constant(_) => "constant",
            Self::Identity => "identity",
            Self::Uniform { .. } => "uniform",
            Self::Normal { .. } => "normal",
            Self::Sparse { .. } => "sparse",
            Self::HeUniform => "he_uniform",
            Self::HeNormal => "he_normal",
            Self::XavierUniform => "xavier_uniform",
            Self::XavierNormal => "xavier_normal",
            Self::Dirac => "dirac",
        }
    }

    /// Weights of this shape, the last two axes being `n_in` and `n_out`.
    ///
    /// # Errors
    /// [`LayerError::Size`], in the name of `layer`, if they are too many; [`LayerError::Configuration`]
    /// if a number of the initialiser is out of range, it is `Identity` or `Sparse` and the shape is not that
    /// of a matrix, or it is `Dirac` and the shape is not that of a kernel of odd sides with at least as many
    /// filters as channels.
    ///
    /// # Panics
    /// If the shape has fewer than two axes.
    pub fn sample<T: Scalar>(
        self,
        layer: &'static str,
        shape: &[usize],
        activation: Activation,
        rng: &mut Rng,
    ) -> Result<ArrayD<T>, LayerError> {
        checked_size(layer, "W", shape)?;
        let require = |valid: bool, what, expected: &str, got: String| {
            if valid { Ok(()) } else { Err(LayerError::configuration(layer, what, expected, got)) }
        };
        let require_shape = |valid: bool, expected: &str| {
            let expected = format!("{expected} for the initialiser {self}");
            require(valid, "the shape of the weights", &expected, format!("{shape:?}"))
        };
        let [kernel @ .., n_in, n_out] = shape else { panic!("weights have at least two axes") };
        // The numbers of weights that lead into one output unit, and out of one input unit.
        let area: usize = kernel.iter().product();
        let (fan_in, fan_sum) = ((area * n_in) as f64, (area * (n_in + n_out)) as f64);
        let (g, dim) = (gain(activation), IxDyn(shape));
        let within = |bound: f64, rng: &mut Rng| rng.uniform_array(IxDyn(shape), -bound, bound);
        Ok(match self {
            Self::Zeros => ArrayD::zeros(dim),
            Self::Ones => ArrayD::ones(dim),
            Self::Constant(value) => {
                let (what, got) = ("the constant of its weights", value.to_string());
                require(value.is_finite(), what, "finite", got)?;
                ArrayD::from_elem(dim, T::of(value))
            }
            Self::Identity => {
                require_shape(shape.len() == 2, "a matrix")?;
                ArrayD::from_shape_fn(dim, |at| T::of(if at[0] == at[1] { 1.0 } else { 0.0 }))
            }
            Self::Uniform { low, high } => {
                let valid = low.is_finite() && high.is_finite() && low <= high;
                let (what, got) = ("the range of its weights", format!("[{low}, {high})"));
                require(valid, what, "finite, low <= high", got)?;
                rng.uniform_array(dim, low, high)
            }
            Self::Normal { mean, std } => {
                let valid = mean.is_finite() && std.is_finite() && std >= 0.0;
                let got = format!("mean {mean}, std {std}");
                require(valid, "the distribution of its weights", "finite with std >= 0", got)?;
                rng.normal_array(dim, mean, std)
            }
            Self::Sparse { sparsity, std } => {
                require_shape(shape.len() == 2, "a matrix")?;
                let valid = (0.0..=1.0).contains(&sparsity) && std.is_finite() && std >= 0.0;
                let got = format!("sparsity {sparsity}, std {std}");
                require(valid, "the sparsity of its weights", "in [0, 1] with std >= 0", got)?;
                sparse(dim, sparsity, std, rng)
            }
            // ANCHOR: random
            Self::HeUniform => within(g * (3.0 / fan_in).sqrt(), rng),
            Self::HeNormal => rng.normal_array(dim, 0.0, g / fan_in.sqrt()),
            Self::XavierUniform => within(g * (6.0 / fan_sum).sqrt(), rng),
            Self::XavierNormal => rng.normal_array(dim, 0.0, g * (2.0 / fan_sum).sqrt()),
            // ANCHOR_END: random
            Self::Dirac => {
                let valid = matches!(*shape, [k1, k2, n_in, n_out]
                    if k1 % 2 == 1 && k2 % 2 == 1 && n_out >= n_in);
                let kernel =
                    "(kernel_rows, kernel_cols, n_in, n_out) with odd sides and n_out >= n_in";
                require_shape(valid, kernel)?;
                dirac(dim, fan_in.sqrt().recip(), rng)
            }
        })
    }
}

// ANCHOR: dirac
/// The identity in the first `n_in` filters, numbers from `[-bound, bound)` in the rest.
fn dirac<T: Scalar>(shape: IxDyn, bound: f64, rng: &mut Rng) -> ArrayD<T> {
    let (row, col, n_in) = (shape[0] / 2, shape[1] / 2, shape[2]);
    ArrayD::from_shape_fn(shape, |index| match (index[0], index[1], index[2], index[3]) {
        (i, j, c, f) if f < n_in => T::of(if (i, j, c) == (row, col, f) { 1.0 } else { 0.0 }),
        _ => T::of(bound * (2.0 * rng.uniform() - 1.0)),
    })
}
// ANCHOR_END: dirac

fn sparse<T: Scalar>(shape: IxDyn, sparsity: f64, std: f64, rng: &mut Rng) -> ArrayD<T> {
    let mut w: ArrayD<T> = rng.normal_array(shape, 0.0, std);
    let fan_in = w.len_of(Axis(0));
    let zeros = (sparsity * fan_in as f64).ceil() as usize;
    for mut incoming in w.axis_iter_mut(Axis(1)) {
        let mut order: Vec<usize> = (0..fan_in).collect();
        rng.shuffle(&mut order);
        for &i in &order[..zeros] {
            incoming[i] = T::zero();
        }
    }
    w
}

impl fmt::Display for WeightInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for WeightInit {
    type Err = LayerError;

    /// Parses one of the names; initialisers with numbers get the course's defaults.
    fn from_str(name: &str) -> Result<Self, LayerError> {
        Self::ALL.into_iter().find(|init| init.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            LayerError::UnknownWeightInit { known, got: name.to_owned() }
        })
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;

    use super::*;

    fn sample(init: WeightInit, shape: &[usize], activation: Activation) -> ArrayD<f64> {
        init.sample("Test", shape, activation, &mut Rng::new(4)).unwrap()
    }

    #[test]
    fn the_spread_of_random_weights_is_the_documented_one() {
        // 60,000 weights: five standard errors of a deviation are 1.5 %. The fans of a kernel count its area.
        let (matrix, kernel) = ([200, 300], [4, 5, 50, 60]);
        let xavier = (2.0_f64 / 500.0).sqrt();
        let he = (1.0_f64 / 200.0).sqrt();
        for (init, shape, activation, std) in [
            (WeightInit::XavierUniform, &matrix[..], Activation::Linear, xavier),
            (WeightInit::XavierUniform, &kernel, Activation::Linear, (2.0_f64 / 2200.0).sqrt()),
            (WeightInit::XavierNormal, &matrix, Activation::TanH, xavier * 5.0 / 3.0),
            (WeightInit::HeUniform, &matrix, Activation::ReLU, he * 2.0_f64.sqrt()),
            (WeightInit::HeNormal, &matrix, Activation::ReLU, he * 2.0_f64.sqrt()),
            (WeightInit::HeNormal, &kernel, Activation::Sigmoid, 1000.0_f64.sqrt().recip()),
            (WeightInit::Normal { mean: 0.0, std: 0.3 }, &matrix, Activation::ReLU, 0.3),
        ] {
            let w = sample(init, shape, activation);
            assert_abs_diff_eq!(w.std(0.0) / std, 1.0, epsilon = 0.015);
            assert_abs_diff_eq!(w.mean().unwrap() / std, 0.0, epsilon = 0.021);
        }
    }

    #[test]
    fn the_gains_of_relu_and_gelu_keep_the_mean_square_of_a_normal_signal() {
        // The trapezoidal rule, on both sides of ReLU's kink; beyond 12 the density is below 1e-31. Convention
        // gives tanh a little more than keeps it, and the sigmoid less.
        let z = ndarray::Array1::linspace(-12.0, 12.0, 24_001);
        for (activation, kept) in [
            (Activation::ReLU, 1.0),
            (Activation::GELU, 1.0),
            (Activation::TanH, 1.095_262_473),
            (Activation::Sigmoid, 0.293_379_036),
        ] {
            let y = activation.forward(&z);
            let density = z.mapv(|z: f64| (-0.5 * z * z).exp() / (2.0 * PI).sqrt());
            let mean_square = 1e-3 * (&y * &y * density).sum();
            assert_abs_diff_eq!(gain(activation).powi(2) * mean_square, kept, epsilon = 1e-9);
        }
    }

    #[test]
    fn what_is_not_drawn_is_known() {
        let sparse = WeightInit::Sparse { sparsity: 0.25, std: 1.0 };
        for incoming in sample(sparse, &[10, 4], Activation::Linear).axis_iter(Axis(1)) {
            assert_eq!(incoming.iter().filter(|w| **w == 0.0).count(), 3);
        }
        for (init, [on, off]) in [
            (WeightInit::Zeros, [0.0, 0.0]),
            (WeightInit::Ones, [1.0, 1.0]),
            (WeightInit::Constant(0.25), [0.25, 0.25]),
            (WeightInit::Identity, [1.0, 0.0]),
        ] {
            let w = sample(init, &[2, 3], Activation::Linear);
            assert_eq!(w, ndarray::array![[on, off, off], [off, on, off]].into_dyn());
        }
    }

    #[test]
    fn dirac_draws_the_filters_after_the_channels_from_the_range_of_pytorch() {
        // 5,940 numbers, uniform in ±1/√30: their standard deviation is 1/√90, and the mean of their
        // squares varies by √(4/5) / √5940 of itself, so that 0.03 of the deviation is five times that.
        let w = sample(WeightInit::Dirac, &[3, 5, 2, 200], Activation::ReLU);
        let drawn = w.slice_axis(Axis(3), (2..).into());
        assert_abs_diff_eq!(drawn.std(0.0) * 90.0_f64.sqrt(), 1.0, epsilon = 0.03);
        assert!(drawn.iter().any(|w| w.abs() > 0.99 * 30.0_f64.sqrt().recip()));
    }

    #[test]
    fn numbers_and_shapes_that_do_not_suit_are_refused() {
        let dirac = "the shape of the weights must be (kernel_rows, kernel_cols, n_in, n_out) with odd sides and \
                     n_out >= n_in for the initialiser dirac, but is";
        use WeightInit::{Constant, Dirac, Identity, Normal, Sparse, Uniform};
        for (init, shape, expected) in [
            (Constant(f64::NAN), &[2, 2][..], "the constant of its weights must be finite"),
            (Uniform { low: 1.0, high: 0.0 }, &[2, 2], "the range of its weights"),
            (Normal { mean: 0.0, std: -1.0 }, &[2, 2], "the distribution of its weights"),
            (Sparse { sparsity: 1.5, std: 1.0 }, &[2, 2], "the sparsity of its weights"),
            (Identity, &[3, 3, 1, 2], "the shape of the weights must be a matrix"),
            (Dirac, &[2, 3, 1, 1], dirac),
            (Dirac, &[3, 4, 1, 1], dirac),
            (Dirac, &[3, 3, 2, 1], dirac),
            (Dirac, &[3, 3], dirac),
            (Dirac, &[0, 0, 1, 1], dirac),
        ] {
            let drawn = init.sample::<f32>("L", shape, Activation::Linear, &mut Rng::new(0));
            let error = drawn.unwrap_err().to_string();
            assert!(error.starts_with(&format!("L: {expected}")), "{error}");
        }
    }

    #[test]
    fn names_stand_for_the_defaults_of_the_course_and_unknown_ones_list_the_known() {
        for init in WeightInit::ALL {
            assert_eq!(init.to_string().parse(), Ok(init));
        }
        assert_eq!("constant".parse(), Ok(WeightInit::Constant(0.5)));
        let error = "xavier".parse::<WeightInit>().unwrap_err().to_string();
        assert!(error.contains("xavier_uniform"), "{error}");
    }
}
