//! Several pictures as one PNG.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ndarray::ArrayView3;

use crate::ExperimentError;

/// An image of red, green, blue and opacity, transparent where no picture was put.
pub(crate) struct Sprite {
    rows: usize,
    cols: usize,
    rgba: Vec<u8>,
}

impl Sprite {
    /// An image of this size, in pixels.
    pub(crate) fn new(rows: usize, cols: usize) -> Self {
        Self { rows, cols, rgba: vec![0; 4 * rows * cols] }
    }

    /// Puts a picture of shape `(rows, cols, 1)` (grey) or `(rows, cols, 3)` where it fits.
    pub(crate) fn put(&mut self, row: usize, col: usize, picture: &ArrayView3<'_, u8>) {
        let (rows, cols, channels) = picture.dim();
        for r in 0..rows {
            for c in 0..cols {
                let at = 4 * ((row + r) * self.cols + col + c);
                // A grey picture has its one channel three times.
                for channel in 0..3 {
                    self.rgba[at + channel] = picture[[r, c, channel.min(channels - 1)]];
                }
                self.rgba[at + 3] = u8::MAX;
            }
        }
    }

    /// The image as `data:image/png;base64,...`.
    pub(crate) fn to_data_uri(&self) -> Result<String, ExperimentError> {
        let what = || format!("an image of {} x {} pixels", self.rows, self.cols);
        let png = self.to_png().map_err(|error| ExperimentError::plot(what(), error))?;
        Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
    }

    fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let side = |length: usize| u32::try_from(length).map_err(std::io::Error::other);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.cols)?, side(self.rows)?);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.rgba)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use ndarray::Array4;

    use super::*;

    /// The pixels of the first picture in a drawing, of shape `(1, rows, cols, 4)`.
    pub(crate) fn decode(svg: &str) -> Array4<u8> {
        let data = svg.split_once("data:image/png;base64,").unwrap().1.split_once('"').unwrap().0;
        let bytes = STANDARD.decode(data).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgba, png::BitDepth::Eight));
        let (rows, cols) = (info.height as usize, info.width as usize);
        Array4::from_shape_vec((1, rows, cols, 4), pixels).unwrap()
    }
}
