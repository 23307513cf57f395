//! The layers of a model, as a file states them.

use cnn::{
    Conv2DAlgorithm, Conv2DConfig, GlobalAveragePool2DConfig, Pool2DConfig, Window,
    conv2d_algorithm,
};
use layers::{
    BatchNormConfig, DropoutConfig, FlattenConfig, FullyConnectedConfig, Layer, LayerConfig,
    LayerError, LayerShapes,
};
use numerics::{Rng, Scalar};
use serde::{Deserialize, Deserializer, Serialize};

/// Declares a layer of any kind; in a file, `layer` names the kind.
///
/// A new kind of layer is one more variant here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", deny_unknown_fields)]
pub enum LayerSpec {
    /// See [`FullyConnectedConfig`].
    #[serde(rename = "fully_connected")]
    FullyConnected(FullyConnectedConfig),
    /// See [`FlattenConfig`].
    #[serde(rename = "flatten", deserialize_with = "no_fields")]
    Flatten,
    /// See [`BatchNormConfig`].
    #[serde(rename = "batch_norm")]
    BatchNorm(BatchNormConfig),
    /// See [`DropoutConfig`].
    #[serde(rename = "dropout")]
    Dropout(DropoutConfig),
    /// See [`Conv2DConfig`].
    #[serde(rename = "conv2d")]
    Conv2D(Conv2DConfig),
    /// See [`Pool2DConfig`].
    #[serde(rename = "pool2d")]
    Pool2D(Pool2DConfig),
    /// See [`GlobalAveragePool2DConfig`].
    #[serde(rename = "global_average_pool2d", deserialize_with = "no_fields")]
    GlobalAveragePool2D,
}

/// Serde takes any fields for a variant without some.
fn no_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoFields {}

    NoFields::deserialize(deserializer).map(|NoFields {}| ())
}

impl LayerSpec {
    fn config<T: Scalar>(&self) -> &dyn LayerConfig<T> {
        match self {
            Self::FullyConnected(config) => config,
            Self::Flatten => &FlattenConfig,
            Self::BatchNorm(config) => config,
            Self::Dropout(config) => config,
            Self::Conv2D(config) => config,
            Self::Pool2D(config) => config,
            Self::GlobalAveragePool2D => &GlobalAveragePool2DConfig,
        }
    }

    /// The algorithm of a convolution of images of this shape in `f32`; nothing for other layers, and
    /// if the layer cannot be built for them.
    #[must_use]
    pub fn algorithm(&self, input_shape: &[usize]) -> Option<Conv2DAlgorithm> {
        let Self::Conv2D(Conv2DConfig { n_out, kernel_shape, stride, pad, .. }) = self else {
            return None;
        };
        let &[rows, cols, channels] = input_shape else { return None };
        let window = Window::new("Conv2D", (rows, cols), *kernel_shape, *stride, *pad).ok()?;
        Some(conv2d_algorithm::<f32>(window, channels, *n_out))
    }
}

impl<T: Scalar> LayerConfig<T> for LayerSpec {
    fn shapes(&self, input_shape: &[usize]) -> Result<LayerShapes, LayerError> {
        self.config::<T>().shapes(input_shape)
    }

    fn build_boxed(
        &self,
        input_shape: &[usize],
        rng: &mut Rng,
    ) -> Result<Box<dyn Layer<T>>, LayerError> {
        self.config().build_boxed(input_shape, rng)
    }
}

#[cfg(test)]
mod tests {
    use cnn::PoolMode;

    use super::*;

    #[test]
    fn every_kind_survives_a_file() {
        let specs = vec![
            LayerSpec::Conv2D(Conv2DConfig::new(4, (3, 3))),
            LayerSpec::BatchNorm(BatchNormConfig::default()),
            LayerSpec::Pool2D(Pool2DConfig::new(PoolMode::Max, (2, 2), 2)),
            LayerSpec::Dropout(DropoutConfig { rate: 0.25 }),
            LayerSpec::GlobalAveragePool2D,
            LayerSpec::Flatten,
            LayerSpec::FullyConnected(FullyConnectedConfig::new(3)),
        ];
        let text = serde_json::to_string(&specs).unwrap();
        assert!(text.contains(r#"{"layer":"flatten"}"#), "{text}");
        assert_eq!(serde_json::from_str::<Vec<LayerSpec>>(&text).unwrap(), specs);
    }

    #[test]
    fn a_convolution_says_how_it_is_computed() {
        let convolution = LayerSpec::Conv2D(Conv2DConfig::new(64, (3, 3)));
        assert_eq!(convolution.algorithm(&[16, 16, 64]), Some(Conv2DAlgorithm::Winograd));
        assert_eq!(convolution.algorithm(&[16, 16, 1]), Some(Conv2DAlgorithm::Im2col));
        assert_eq!(convolution.algorithm(&[16]), None);
        assert_eq!(LayerSpec::Flatten.algorithm(&[16, 16, 64]), None);
    }

    #[test]
    fn an_unknown_kind_is_refused_with_the_known_ones() {
        let error = serde_json::from_str::<LayerSpec>(r#"{"layer":"lstm"}"#).unwrap_err();
        assert!(error.to_string().contains("expected one of `fully_connected`, `flatten`"));
    }
}
