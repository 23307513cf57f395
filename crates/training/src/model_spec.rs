//! The description of a model: all of it but its weights.

use layers::LayerConfig;
use ndarray::{ArrayView3, ArrayViewMut3, Axis};
use serde::{Deserialize, Serialize};

use crate::{LayerSpec, TrainingError};

/// The description of a model that classifies images: with it, weights alone make the network.
///
/// A byte becomes the network's input as `(byte / 255 - mean) / std` of its channel. The last layer
/// gives logits, one for each class; the loss is the cross-entropy of their softmax.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// The name of the model.
    pub name: String,
    /// Rows, columns and channels of an image.
    pub input_shape: [usize; 3],
    /// The name of each class.
    pub class_names: Vec<String>,
    /// The mean of each channel, of pixels from 0 to 1.
    pub mean: Vec<f64>,
    /// The standard deviation of each channel, above 0.
    pub std: Vec<f64>,
    /// The layers in order.
    pub layers: Vec<LayerSpec>,
}

impl ModelSpec {
    /// The scaling of pixels, after a check of all that concerns no layer.
    pub(crate) fn pixel_scaling(&self) -> Result<PixelScaling, TrainingError> {
        let Self { name, input_shape, class_names, mean, std, .. } = self;
        let channels = input_shape[2];
        // Smaller ones would not be normal numbers in the precision of the network.
        let is_normal = |std: &f64| std.is_finite() && *std >= f64::from(f32::MIN_POSITIVE);
        if !input_shape.contains(&0)
            && class_names.len() >= 2
            && (mean.len(), std.len()) == (channels, channels)
            && mean.iter().all(|mean| mean.is_finite())
            && std.iter().all(is_normal)
        {
            return Ok(PixelScaling::new(mean, std));
        }
        Err(TrainingError::Refused(format!(
            "model {name:?}: expected images of at least one row, column and channel, two classes or more, \
             and a finite mean and a standard deviation above 0 for each channel, but got images of shape \
             {input_shape:?}, {} classes, means {mean:?} and standard deviations {std:?}",
            class_names.len()
        )))
    }

    pub(crate) fn layer_configs(&self) -> Vec<Box<dyn LayerConfig<f32>>> {
        self.layers.iter().map(LayerSpec::config).collect()
    }
}

/// `(byte / 255 - mean) / std` for each channel, as a table of the 256 bytes.
#[derive(Clone, Debug)]
pub(crate) struct PixelScaling(Vec<[f32; 256]>);

impl PixelScaling {
    /// One mean and one standard deviation for each channel.
    fn new(mean: &[f64], std: &[f64]) -> Self {
        let table = |(&mean, &std): (&f64, &f64)| {
            std::array::from_fn(|byte| ((byte as f64 / 255.0 - mean) / std) as f32)
        };
        Self(mean.iter().zip(std).map(table).collect())
    }

    /// Scales one image, of shape `(rows, cols, channels)`.
    pub(crate) fn scale(&self, image: ArrayView3<'_, u8>, mut out: ArrayViewMut3<'_, f32>) {
        for (channel, table) in self.0.iter().enumerate() {
            let mut out = out.index_axis_mut(Axis(2), channel);
            let image = image.index_axis(Axis(2), channel);
            out.zip_mut_with(&image, |x, &byte| *x = table[usize::from(byte)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    #[test]
    fn each_channel_has_its_own_mean_and_deviation() {
        let scaling = PixelScaling::new(&[0.0, 0.5], &[1.0, 0.25]);
        let mut out = Array3::zeros((1, 2, 2));
        scaling.scale(array![[[0, 0], [255, 255]]].view(), out.view_mut());
        // (0 - 0.5) / 0.25 = -2 and (1 - 0.5) / 0.25 = 2.
        assert_eq!(out, array![[[0.0, -2.0], [1.0, 2.0]]]);
    }
}
