//! From bytes to the numbers that a network takes.

use ndarray::{ArrayView3, ArrayViewMut3, Axis};

/// `(byte / 255 - mean) / std` for each channel, as a table of the 256 bytes.
#[derive(Clone, Debug)]
pub(crate) struct PixelScaling {
    tables: Vec<[f32; 256]>,
}

impl PixelScaling {
    /// One mean and one standard deviation for each channel.
    pub(crate) fn new(mean: &[f64], std: &[f64]) -> Self {
        let table = |(&mean, &std): (&f64, &f64)| {
            std::array::from_fn(|byte| ((byte as f64 / 255.0 - mean) / std) as f32)
        };
        Self { tables: mean.iter().zip(std).map(table).collect() }
    }

    /// Scales one image, of shape `(rows, cols, channels)`.
    pub(crate) fn scale(&self, image: ArrayView3<'_, u8>, mut out: ArrayViewMut3<'_, f32>) {
        for (channel, table) in self.tables.iter().enumerate() {
            out.index_axis_mut(Axis(2), channel).zip_mut_with(
                &image.index_axis(Axis(2), channel),
                |x, &byte| {
                    *x = table[usize::from(byte)];
                },
            );
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
