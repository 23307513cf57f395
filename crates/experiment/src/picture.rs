//! A picture as it stands in a drawing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ndarray::ArrayView3;

use crate::ExperimentError;

/// A picture of shape `(rows, cols, 1)` (grey) or `(rows, cols, 3)`, as `data:image/png;base64,...`.
pub(crate) fn data_uri(picture: ArrayView3<'_, u8>) -> Result<String, ExperimentError> {
    let png = to_png(picture).map_err(|error| {
        ExperimentError::plot(format!("a picture of shape {:?}", picture.shape()), error)
    })?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

fn to_png(picture: ArrayView3<'_, u8>) -> Result<Vec<u8>, png::EncodingError> {
    let (rows, cols, channels) = picture.dim();
    let side = |length: usize| u32::try_from(length).map_err(std::io::Error::other);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(cols)?, side(rows)?);
    encoder.set_color(if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.iter().copied().collect::<Vec<_>>())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use ndarray::Array3;

    use super::*;

    /// The pictures in a drawing, in order.
    pub(crate) fn decode(svg: &str) -> Vec<Array3<u8>> {
        let picture = |data: &str| {
            let bytes = STANDARD.decode(data.split_once('"').unwrap().0).unwrap();
            let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            let (rows, cols) = (info.height as usize, info.width as usize);
            Array3::from_shape_vec((rows, cols, info.color_type.samples()), pixels).unwrap()
        };
        svg.split("data:image/png;base64,").skip(1).map(picture).collect()
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for shape in [(2, 2, 2), (0, 2, 3)] {
            let error = data_uri(Array3::zeros(shape).view()).unwrap_err().to_string();
            assert!(error.starts_with("cannot draw a picture of shape ["), "{error}");
        }
    }
}
