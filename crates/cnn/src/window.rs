//! The geometry that convolution and pooling share.

use layers::{LayerError, checked_size};
use numerics::{MOST_ELEMENTS, element_count};

use crate::Pad;

/// A window that slides over a zero-padded image: which input cells each output cell sees.
///
/// Output cell `(r, q)` sees the input cells `(r stride + i - pad_rows, q stride + j - pad_cols)` for
/// all `(i, j)` of the kernel; cells outside the image are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// Rows and columns of the input image.
    pub input: (usize, usize),
    /// Rows and columns of the kernel.
    pub kernel: (usize, usize),
    /// The distance between neighbouring windows.
    pub stride: usize,
    /// Padded rows and columns on each side.
    pub pad: (usize, usize),
    /// Rows and columns of the output image.
    pub output: (usize, usize),
}

impl Window {
    /// A window of `kernel` over images of `input` rows and columns.
    ///
    /// # Errors
    /// [`LayerError::Configuration`], in the name of `layer`, if a side of kernel or input is 0, the
    /// stride is 0, the kernel is larger than the padded input, or that has more than [`MOST_ELEMENTS`]
    /// cells.
    pub fn new(
        layer: &'static str,
        input: (usize, usize),
        kernel: (usize, usize),
        stride: usize,
        pad: Pad,
    ) -> Result<Self, LayerError> {
        let invalid = |what, expected: String, got: String| {
            Err(LayerError::configuration(layer, what, expected, got))
        };
        let side = |(rows, cols): (usize, usize)| format!("{rows}x{cols}");
        if input.0 == 0 || input.1 == 0 {
            return invalid("the input image", "at least 1x1".into(), side(input));
        }
        if kernel.0 == 0 || kernel.1 == 0 {
            return invalid("kernel_shape", "at least 1x1".into(), side(kernel));
        }
        if stride == 0 {
            return invalid("stride", "at least 1".into(), "0".into());
        }
        let pad = pad.cells(kernel);
        let padded = |input: usize, pad: usize| pad.saturating_mul(2).saturating_add(input);
        let (rows, cols) = (padded(input.0, pad.0), padded(input.1, pad.1));
        if element_count(&[rows, cols]).is_none() {
            let expected =
                format!("so small that the padded image has at most {MOST_ELEMENTS} cells");
            return invalid("pad", expected, format!("{} around {}", side(pad), side(input)));
        }
        if kernel.0 > rows || kernel.1 > cols {
            let expected = format!("at most the padded input, {rows}x{cols}");
            return invalid("kernel_shape", expected, side(kernel));
        }
        let output = (output_size(rows, kernel.0, stride), output_size(cols, kernel.1, stride));
        Ok(Self { input, kernel, stride, pad, output })
    }

    /// Rows and columns of the input image with its padding.
    pub fn padded(&self) -> (usize, usize) {
        (self.input.0 + 2 * self.pad.0, self.input.1 + 2 * self.pad.1)
    }

    /// The input row that row `i` of the kernel sees from output row `r`, unless it is padding.
    pub fn input_row(&self, r: usize, i: usize) -> Option<usize> {
        (r * self.stride + i).checked_sub(self.pad.0).filter(|&row| row < self.input.0)
    }

    /// The input column that column `j` of the kernel sees from output column `q`, unless it is
    /// padding.
    pub fn input_col(&self, q: usize, j: usize) -> Option<usize> {
        (q * self.stride + j).checked_sub(self.pad.1).filter(|&col| col < self.input.1)
    }

    /// The run of kernel columns that see the image, not its padding, from output column `q`: the
    /// first of them, the input column it sees, and their number, which can be 0.
    pub fn visible_cols(&self, q: usize) -> (usize, usize, usize) {
        let left = q * self.stride;
        let first = self.pad.1.saturating_sub(left).min(self.kernel.1);
        let col = (left + first).saturating_sub(self.pad.1).min(self.input.1);
        let count = (self.kernel.1 - first).min(self.input.1 - col);
        (first, col, count)
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
        _ => {
            let (what, got) = ("the shape of an example", format!("{input_shape:?}"));
            let expected = "[rows, cols, channels], each at least 1";
            Err(LayerError::configuration(layer, what, expected, got))
        }
    }
}

// ANCHOR: output_size
/// The number of windows along an axis: `floor((padded - kernel) / stride) + 1`.
fn output_size(padded: usize, kernel: usize, stride: usize) -> usize {
    (padded - kernel) / stride + 1
}
// ANCHOR_END: output_size

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_slide_is_refused() {
        let too_wide =
            "Conv2D: pad must be so small that the padded image has at most 1073741824 cells";
        let too_large = "Conv2D: kernel_shape must be at most the padded input, 6x6, but is 7x3";
        for (input, kernel, stride, pad, expected) in [
            ((4, 4), (3, 3), 0, Pad::Same, "Conv2D: stride must be at least 1, but is 0"),
            ((4, 4), (7, 3), 1, Pad::Cells(1, 1), too_large),
            ((4, 4), (0, 3), 1, Pad::Same, "Conv2D: kernel_shape must be at least 1x1, but is 0x3"),
            ((4, 0), (1, 1), 1, Pad::Valid, "Conv2D: the input image must be at least 1x1"),
            ((4, 4), (1, 1), 1, Pad::Cells(usize::MAX, 0), too_wide),
            ((4, 4), (1, 1), 1, Pad::Cells(0, 1 << 60), too_wide),
            ((4, 4), (1, 1), 1, Pad::Cells(1 << 15, 1 << 15), too_wide),
            ((4, 4), (usize::MAX, 3), 1, Pad::Same, too_wide),
        ] {
            let error = Window::new("Conv2D", input, kernel, stride, pad).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
