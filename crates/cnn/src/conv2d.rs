//! The convolutional layer.

use activations::Activation;
use layers::{
    Layer, LayerConfig, LayerError, LayerShapes, LayerState, Parameters, WeightInit, checked_size,
};
use ndarray::{Array4, ArrayD, CowArray, Ix2, Ix4};
use numerics::{Rng, Scalar, recycle};
use serde::{Deserialize, Serialize};

use crate::{
    Conv2DAlgorithm, Pad, Window, conv2d_algorithm, conv2d_backward_bias, conv2d_backward_data,
    conv2d_backward_weights, conv2d_forward,
};

/// Declares a [`Conv2D`] layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2DConfig {
    /// The number of filters, at least 1.
    pub n_out: usize,
    /// Rows and columns of a filter.
    pub kernel_shape: (usize, usize),
    /// The distance between neighbouring windows, at least 1.
    pub stride: usize,
    /// Zero padding; "same" by default.
    pub pad: Pad,
    /// The activation; linear by default.
    pub activation: Activation,
    /// How `W` is drawn; Xavier uniform by default. `b` starts at zero.
    pub weight_init: WeightInit,
    /// Whether there is a bias `b`; true by default.
    #[serde(default = "yes", skip_serializing_if = "bool::clone")]
    pub bias: bool,
}

/// What a configuration means that does not mention a bias.
fn yes() -> bool {
    true
}

impl Conv2DConfig {
    /// `n_out` filters of this shape with a bias, stride 1, padding "same", linear, Xavier-uniform
    /// weights.
    #[must_use]
    pub fn new(n_out: usize, kernel_shape: (usize, usize)) -> Self {
        Self {
            n_out,
            kernel_shape,
            stride: 1,
            pad: Pad::Same,
            activation: Activation::default(),
            weight_init: WeightInit::default(),
            bias: true,
        }
    }

    // ANCHOR: init
    /// The layer for images of shape `[rows, cols, n_in]`.
    ///
    /// # Errors
    /// [`LayerError::Configuration`] if the shape has not three axes of at least 1, `n_out` is 0, the
    /// window does not fit (see [`Window::new`]), or the initialiser is invalid; [`LayerError::Size`] if
    /// an array would be too large.
    pub fn build<T: Scalar>(
        &self,
        input_shape: &[usize],
        rng: &mut Rng,
    ) -> Result<Conv2D<T>, LayerError> {
        let shapes = LayerConfig::<T>::shapes(self, input_shape)?;
        let (window, n_in) = self.window(input_shape)?;
        let shape = [self.kernel_shape.0, self.kernel_shape.1, n_in, self.n_out];
        let w = self.weight_init.sample(KIND, &shape, self.activation, rng)?;
        let b = self.bias.then(|| ("b", ArrayD::zeros(vec![1, self.n_out])));
        let parameters = Parameters::new([("W", w)].into_iter().chain(b));
        let state = LayerState::new(shapes, self.activation, parameters);
        Ok(Conv2D { state, window, cache: None })
    }
    // ANCHOR_END: init

    /// The window over images of this shape, and the number of their channels.
    fn window(&self, input_shape: &[usize]) -> Result<(Window, usize), LayerError> {
        let [rows, cols, n_in] = image_shape(KIND, input_shape)?;
        let window = Window::new(KIND, (rows, cols), self.kernel_shape, self.stride, self.pad)?;
        Ok((window, n_in))
    }
}

/// Rows, columns and channels of an image, all at least 1.
pub(crate) fn image_shape(
    layer: &'static str,
    input_shape: &[usize],
) -> Result<[usize; 3], LayerError> {
    match input_shape {
        &[rows, cols, channels] if rows > 0 && cols > 0 && channels > 0 => {
            checked_size(layer, "an input example", input_shape)?;
            Ok([rows, cols, channels])
        }
        _ => Err(LayerError::Configuration {
            layer,
            what: "the shape of an example",
            expected: "[rows, cols, channels], each at least 1".to_owned(),
            got: format!("{input_shape:?}"),
        }),
    }
}

impl<T: Scalar> LayerConfig<T> for Conv2DConfig {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        let n_out = self.n_out;
        if n_out == 0 {
            return Err(LayerError::Configuration {
                layer: KIND,
                what: "n_out",
                expected: "at least 1".to_owned(),
                got: "0".to_owned(),
            });
        }
        let (window, n_in) = self.window(input_shape)?;
        let ((k1, k2), (r1, r2)) = (self.kernel_shape, window.output());
        let shapes = LayerShapes::new(KIND, input_shape, &[r1, r2, n_out])?;
        let shapes = shapes.weight("W", &[k1, k2, n_in, n_out])?;
        checked_size(KIND, "the patches of one row of an output", &[r2, k1, k2, n_in])?;
        if self.bias { shapes.offset("b", &[1, n_out]) } else { Ok(shapes) }
    }

    fn build_boxed(
        &self,
        input_shape: &[usize],
        rng: &mut Rng,
    ) -> Result<Box<dyn Layer<T>>, LayerError> {
        Ok(Box::new(self.build(input_shape, rng)?))
    }
}

/// `Y = σ(X ⋆ W + b)`: every filter slides over every image (strictly, this is cross-correlation).
///
/// Each weight's gradient is the sum of `dL/dZ` times the input it met; each input's gradient is the
/// sum of `dL/dZ` times the weights it met; `dL/db` sums `dL/dZ` over images and cells. Declared without
/// a bias, the layer has the parameter `W` alone.
///
/// # Shapes
/// `x: (m, rows, cols, n_in)`, `y: (m, output_rows, output_cols, n_out)`,
/// `W: (kernel_rows, kernel_cols, n_in, n_out)`, `b: (1, n_out)`.
///
/// Question 6.2.
#[derive(Clone, Debug)]
pub struct Conv2D<T> {
    state: LayerState<T>,
    window: Window,
    cache: Option<Cache<T>>,
}

impl<T: Scalar> Conv2D<T> {
    /// The kernel that computes it.
    #[must_use]
    pub fn algorithm(&self) -> Conv2DAlgorithm {
        let (.., channels, filters) = self.parameters().kernel("W").dim();
        conv2d_algorithm::<T>(self.window, channels, filters)
    }

    /// `b`, zeros if there is none.
    fn bias(&self) -> CowArray<'_, T, Ix2> {
        self.parameters().row_or("b", self.n_out(), T::zero())
    }

    fn cached(&self) -> Result<&Cache<T>, LayerError> {
        self.cache.as_ref().ok_or(LayerError::BackwardBeforeForward { layer: KIND })
    }

    /// `dL/dZ`, from `dL/dY`.
    fn dl_dz(&self, dl_dy: ArrayD<T>) -> Result<Array4<T>, LayerError> {
        let Cache { x, z } = self.cached()?;
        self.state.check_gradient(&[&[x.dim().0], self.output_shape()].concat(), &dl_dy)?;
        let dl_dy = dl_dy.into_dimensionality::<Ix4>().expect("check_gradient found four axes");
        Ok(match z {
            None => dl_dy,
            Some(z) => self.activation().backward_owned(z, dl_dy)?,
        })
    }

    /// Sets the gradients of the parameters, from `dL/dZ`.
    fn fill_gradients(&mut self, dl_dz: &Array4<T>) -> Result<(), LayerError> {
        let x = self.cached()?.x.view();
        let dl_dw = conv2d_backward_weights(x, dl_dz.view(), self.window);
        let mut gradients = vec![("W", dl_dw.into_dyn())];
        if self.parameters().get("b").is_some() {
            gradients.push(("b", conv2d_backward_bias(dl_dz.view()).into_dyn()));
        }
        self.state.set_gradients(Parameters::new(gradients))
    }
}

const KIND: &str = "Conv2D";

/// What backward needs of the forward pass.
#[derive(Clone, Debug)]
struct Cache<T> {
    x: Array4<T>,
    /// What the activation was applied to; not kept if that is linear.
    z: Option<Array4<T>>,
}

impl<T: Scalar> Layer<T> for Conv2D<T> {
    fn state(&self) -> &LayerState<T> {
        &self.state
    }

    fn state_mut(&mut self) -> &mut LayerState<T> {
        &mut self.state
    }

    // ANCHOR: forward
    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(&x)?;
        let x = x.into_dimensionality::<Ix4>().expect("check_input found four axes");
        let w = self.parameters().kernel("W");
        let z = conv2d_forward(x.view(), w, self.bias().view(), self.window);
        let (y, z) = match self.activation() {
            Activation::Linear => (z, None),
            activation => (activation.forward(&z), Some(z)),
        };
        if let Some(old) = self.cache.replace(Cache { x, z }) {
            recycle(old.x);
            if let Some(z) = old.z {
                recycle(z);
            }
        }
        Ok(y.into_dyn())
    }
    // ANCHOR_END: forward

    // ANCHOR: backward
    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let dl_dz = self.dl_dz(dl_dy)?;
        self.fill_gradients(&dl_dz)?;
        let w = self.parameters().kernel("W");
        let dl_dx = conv2d_backward_data(w, dl_dz.view(), self.window);
        recycle(dl_dz);
        Ok(dl_dx.into_dyn())
    }

    fn backward_parameters(&mut self, dl_dy: ArrayD<T>) -> Result<(), LayerError> {
        let dl_dz = self.dl_dz(dl_dy)?;
        self.fill_gradients(&dl_dz)?;
        recycle(dl_dz);
        Ok(())
    }
    // ANCHOR_END: backward

    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        self.state.check_input(x)?;
        let x = x.view().into_dimensionality::<Ix4>().expect("check_input found four axes");
        let (w, b) = (self.parameters().kernel("W"), self.bias());
        let z = conv2d_forward(x, w, b.view(), self.window);
        Ok(match self.activation() {
            Activation::Linear => z.into_dyn(),
            activation => {
                let y = activation.forward(&z);
                recycle(z);
                y.into_dyn()
            }
        })
    }

    fn clear_cache(&mut self) {
        self.cache = None;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Axis;

    use super::*;

    fn refused(config: Conv2DConfig, shape: &[usize]) -> String {
        config.build::<f64>(shape, &mut Rng::new(0)).unwrap_err().to_string()
    }

    #[test]
    fn a_layer_knows_its_shapes() {
        let config = Conv2DConfig { stride: 2, ..Conv2DConfig::new(7, (5, 3)) };
        let layer = config.build::<f64>(&[16, 13, 3], &mut Rng::new(0)).unwrap();
        assert_eq!(layer.output_shape(), [8, 7, 7]);
        assert_eq!((layer.n_in(), layer.n_out()), (3, 7));
        assert_eq!(layer.parameters()["W"].shape(), [5, 3, 3, 7]);
        assert_eq!(layer.gradients(), &layer.parameters().zeros_like());
        assert_eq!(layer.algorithm(), Conv2DAlgorithm::Im2col);
    }

    #[test]
    fn predict_equals_forward_and_needs_no_cache() {
        let config = Conv2DConfig { activation: Activation::TanH, ..Conv2DConfig::new(2, (3, 3)) };
        let mut layer = config.build::<f64>(&[5, 4, 3], &mut Rng::new(0)).unwrap();
        let x: ArrayD<f64> = Rng::new(1).uniform_array(vec![2, 5, 4, 3], -1.0, 1.0);
        let y = layer.predict(&x).unwrap();
        let dl_dy = ArrayD::ones(y.raw_dim());
        let error = layer.backward(dl_dy).unwrap_err();
        assert_eq!(error, LayerError::BackwardBeforeForward { layer: KIND });
        assert_eq!(layer.forward(x).unwrap(), y);
    }

    #[test]
    fn a_dirac_layer_is_the_identity_on_its_first_maps() {
        // 16 filters for 16 channels of 12 by 12 by Winograd's algorithm, which rounds; 5 by 3 by im2col.
        for (kernel, channels, filters, within) in
            [((3, 3), 16, 16, 1e-5), ((5, 3), 3, 3, 0.0), ((3, 3), 3, 7, 0.0), ((1, 1), 2, 2, 0.0)]
        {
            let weight_init = WeightInit::Dirac;
            let config = Conv2DConfig { weight_init, ..Conv2DConfig::new(filters, kernel) };
            let layer = config.build::<f32>(&[12, 12, channels], &mut Rng::new(0)).unwrap();
            let x: ArrayD<f32> = Rng::new(1).uniform_array(vec![2, 12, 12, channels], -1.0, 1.0);
            let y = layer.predict(&x).unwrap();
            let first = y.slice_axis(Axis(3), (..channels).into());
            let off = first.iter().zip(&x).map(|(y, x)| (y - x).abs()).fold(0.0, f32::max);
            assert!(off <= within, "{kernel:?}, {channels} channels, {filters} filters: {off}");
        }
        let even = Conv2DConfig { weight_init: WeightInit::Dirac, ..Conv2DConfig::new(4, (2, 2)) };
        assert!(refused(even, &[8, 8, 3]).contains("odd sides"));
    }

    #[test]
    fn without_a_bias_there_is_one_parameter() {
        // 16 channels of 8 by 8 go through Winograd's algorithm, 3 through im2col.
        for (channels, algorithm) in [(16, Conv2DAlgorithm::Winograd), (3, Conv2DAlgorithm::Im2col)]
        {
            let with = Conv2DConfig::new(8, (3, 3));
            let without = Conv2DConfig { bias: false, ..with.clone() };
            let shape = [8, 8, channels];
            let mut with = with.build::<f32>(&shape, &mut Rng::new(0)).unwrap();
            let mut without = without.build::<f32>(&shape, &mut Rng::new(0)).unwrap();
            assert_eq!(without.algorithm(), algorithm);
            assert_eq!(without.parameters().names().collect::<Vec<_>>(), ["W"]);
            // b starts at zero, so that both compute the same.
            let x: ArrayD<f32> = Rng::new(1).uniform_array(vec![2, 8, 8, channels], -1.0, 1.0);
            let y = with.forward(x.clone()).unwrap();
            assert_eq!(without.predict(&x).unwrap(), y);
            assert_eq!(without.forward(x).unwrap(), y);
            assert_eq!(without.backward(y.clone()).unwrap(), with.backward(y).unwrap());
            assert_eq!(without.gradients()["W"], with.gradients()["W"]);
            assert_eq!(without.gradients().names().collect::<Vec<_>>(), ["W"]);
        }
    }

    #[test]
    fn invalid_configurations_are_refused() {
        let image = [8, 8, 3];
        let config = Conv2DConfig::new(4, (3, 3));
        assert!(refused(config.clone(), &[8, 8]).contains("[rows, cols, channels]"));
        assert!(refused(config.clone(), &[8, 8, 0]).contains("each at least 1"));
        assert!(refused(Conv2DConfig { stride: 0, ..config.clone() }, &image).contains("stride"));
        assert!(refused(Conv2DConfig { n_out: 0, ..config.clone() }, &image).contains("n_out"));
        let wide = Conv2DConfig::new(1 << 40, (3, 3));
        assert!(refused(wide, &image).contains("an output example of shape [8, 8, 1099511627776]"));
        // A row of the output has 16 cells, whose patches of 8,192 by 8,192 cells are too much.
        let (stride, pad) = (1 << 10, Pad::Cells(12_000, 12_000));
        let deep = Conv2DConfig { stride, pad, ..Conv2DConfig::new(1, (1 << 13, 1 << 13)) };
        assert!(refused(deep, &image).contains("the patches of one row of an output of shape"));
        let big = Conv2DConfig { kernel_shape: (9, 9), pad: Pad::Valid, ..config };
        assert_eq!(
            refused(big, &image),
            "Conv2D: kernel_shape must be at most the padded input, 8x8, but is 9x9"
        );
    }

    #[test]
    fn images_that_do_not_fit_are_refused() {
        let config = Conv2DConfig::new(4, (3, 3));
        let mut layer = config.build::<f32>(&[8, 8, 3], &mut Rng::new(0)).unwrap();
        for shape in [vec![2, 8, 8, 1], vec![8, 8, 3], vec![0, 8, 8, 3], vec![1, 7, 8, 3]] {
            let error = layer.forward(ArrayD::zeros(shape.clone())).unwrap_err();
            let expected = LayerError::Input { layer: KIND, expected: vec![8, 8, 3], got: shape };
            assert_eq!(error, expected);
        }
    }
}
