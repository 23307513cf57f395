//! The filters of a network's first layer as pictures.

use ndarray::{ArrayView3, ArrayViewD, Axis, Ix4, s};

use crate::ExperimentError;
use crate::image_grid::{GridCell, ImageGrid};

/// The most filters that are shown, and the most bytes that all of them have together.
const MOST: usize = 55;
const MOST_BYTES: usize = 60_000;
const COLUMNS: usize = 11;

/// The first-layer filters as a grid of pictures.
///
/// All are scaled by one factor, so that they can be compared: the weight 0 is the middle grey, the
/// largest absolute value of all of them is black or white (or, with three channels, the darkest or
/// brightest red, green or blue). If there are many, the first are shown.
///
/// # Shapes
/// `w` `(kernel_rows, kernel_cols, 1 or 3, n_out)` of a convolution, or `(rows * cols * channels,
/// n_out)` of a fully-connected layer on images of shape `image` = `[rows, cols, channels]`.
///
/// # Errors
/// If the weights are of no such shape, or not finite.
pub(crate) fn filter_grid(
    w: ArrayViewD<'_, f32>,
    image: [usize; 3],
) -> Result<ImageGrid, ExperimentError> {
    let failed = |reason: String| Err(ExperimentError::plot("the filters", reason));
    let [rows, cols, channels] = image;
    let shape = match *w.shape() {
        // A row of weights belongs to a pixel's channel, in the order in which Flatten reads.
        [_, n_out] => vec![rows, cols, channels, n_out],
        ref other => other.to_vec(),
    };
    let four_axes = w.to_shape(shape).ok().map(|w| w.into_owned().into_dimensionality::<Ix4>());
    let Some(Ok(w)) = four_axes.filter(|w| matches!(w, Ok(w) if !w.is_empty())) else {
        return failed(format!("weights of shape {:?} are no pictures", w.shape()));
    };
    if w.iter().any(|value| !value.is_finite()) {
        return failed("a weight is not finite".to_owned());
    }
    let (rows, cols, channels, n_out) = w.dim();
    let room = MOST_BYTES / (rows * cols * channels);
    let shown = n_out.min(MOST).min(room.max(1));
    let w = w.slice(s![.., .., .., ..shown]);
    let largest = w.iter().map(|value| f64::from(value.abs())).fold(0.0, f64::max);
    let scale = if largest > 0.0 { 127.5 / largest } else { 0.0 };
    // From 0 to 255, since |value| <= largest.
    let byte = |value: f32| (127.5 + scale * f64::from(value)).round() as u8;
    let cell = |filter: ArrayView3<'_, f32>| GridCell { picture: filter.mapv(byte), caption: None };
    let cells: Vec<_> = w.axis_iter(Axis(3)).map(cell).collect();
    let title = match shown == n_out {
        true => format!("The {n_out} filters of the first layer"),
        false => format!("The first {shown} of {n_out} filters of the first layer"),
    };
    let description = format!(
        "filters of {rows} x {cols} pixels; middle grey is the weight 0, and the extremes of \
         brightness are the weights -{largest:.3} and {largest:.3}"
    );
    Ok(ImageGrid::new(title, description, COLUMNS, &cells))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array4};

    use super::*;
    use crate::picture::tests::decode;

    #[test]
    fn filters_are_scaled_together_around_the_middle_grey() {
        let mut w = Array4::<f32>::zeros((3, 3, 3, 2));
        w[[0, 0, 0, 0]] = 0.5;
        w[[0, 1, 1, 0]] = -0.25;
        w[[2, 2, 2, 1]] = -1.0;
        let svg = filter_grid(w.view().into_dyn(), [32, 32, 3]).unwrap().to_svg().unwrap();
        assert!(svg.contains("The 2 filters of the first layer</title>"), "{svg}");
        assert!(svg.contains("the weights -1.000 and 1.000"), "{svg}");
        let pictures = decode(&svg);
        let rgb = |picture: usize, row, col| pictures[picture].slice(s![row, col, ..]).to_vec();
        // 127.5 + 127.5 / 2 = 191.25 and 127.5 - 127.5 / 4 = 95.6; half a grey rounds up.
        assert_eq!(rgb(0, 0, 0), [191, 128, 128]);
        assert_eq!(rgb(0, 0, 1), [128, 96, 128]);
        assert_eq!(rgb(1, 2, 2), [128, 128, 0]);
    }

    #[test]
    fn the_columns_of_a_fully_connected_layer_are_pictures_and_of_many_the_first_are_shown() {
        // Unit 1 has its weight at row 1, column 2 of an image of 2 x 3 pixels.
        let mut w = Array::<f32, _>::zeros((6, 256));
        w[[5, 1]] = 2.0;
        let svg = filter_grid(w.view().into_dyn(), [2, 3, 1]).unwrap().to_svg().unwrap();
        let pictures = decode(&svg);
        assert_eq!((pictures[0][[1, 2, 0]], pictures[1][[1, 2, 0]]), (128, 255));
        assert!(svg.contains("The first 55 of 256 filters"));
        assert_eq!(svg.matches("<rect").count(), 55);
        let w = Array::linspace(-1.0_f32, 1.0, 784 * 256);
        let w = w.into_shape_with_order((784, 256)).unwrap();
        let svg = filter_grid(w.view().into_dyn(), [28, 28, 1]).unwrap().to_svg().unwrap();
        assert!(svg.matches("<rect").count() == 55 && svg.len() < 120_000, "{}", svg.len());
    }

    #[test]
    fn weights_that_are_no_pictures_are_refused() {
        for (w, expected) in [
            (Array::zeros(vec![783, 8]), "weights of shape [783, 8] are no pictures"),
            (Array::zeros(vec![3, 3, 8]), "weights of shape [3, 3, 8] are no pictures"),
            (Array::from_elem(vec![3, 3, 1, 8], f32::NAN), "not finite"),
        ] {
            let Err(error) = filter_grid(w.view(), [28, 28, 1]) else { panic!("{expected}") };
            let error = error.to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
