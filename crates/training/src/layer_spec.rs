//! The layers of a model, as a file states them.

use cnn::{
    Conv2DAlgorithm, Conv2DConfig, GlobalAveragePool2DConfig, Pool2DConfig, Window,
    conv2d_algorithm,
};
use layers::{BatchNormConfig, DropoutConfig, FlattenConfig, FullyConnectedConfig, LayerConfig};
use numerics::Scalar;
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

/// Of a layer without a field, any is unknown; serde would pass over it.
fn no_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoFields {}
    NoFields::deserialize(deserializer).map(|NoFields {}| ())
}

impl LayerSpec {
    /// The configuration of the layer.
    pub fn config<T: Scalar>(&self) -> Box<dyn LayerConfig<T>> {
        match self.clone() {
            Self::FullyConnected(config) => Box::new(config),
            Self::Flatten => Box::new(FlattenConfig),
            Self::BatchNorm(config) => Box::new(config),
            Self::Dropout(config) => Box::new(config),
            Self::Conv2D(config) => Box::new(config),
            Self::Pool2D(config) => Box::new(config),
            Self::GlobalAveragePool2D => Box::new(GlobalAveragePool2DConfig),
        }
    }

    /// The algorithm of a convolution of images of this shape in `f32`; nothing for other layers, and
    /// if the layer cannot be built for them.
    pub fn algorithm(&self, input_shape: &[usize]) -> Option<Conv2DAlgorithm> {
        let Self::Conv2D(Conv2DConfig { n_out, kernel_shape, stride, pad, .. }) = self else {
            return None;
        };
        let &[rows, cols, channels] = input_shape else { return None };
        let window = Window::new("Conv2D", (rows, cols), *kernel_shape, *stride, *pad).ok()?;
        Some(conv2d_algorithm::<f32>(window, channels, *n_out))
    }
}
