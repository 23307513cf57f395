//! Widgets to try out: the numbers of a worked example in the hands of a small script.
//!
//! A widget stands beside figures that show the same without scripts and on paper, so there it is
//! absent. Its inputs are those of the worked example, its script computes each step for itself, and
//! the audit compares what it then shows with `Convolution::outputs` and `Logits::outputs`.

use activations::SoftMax;
use cnn::{Conv2DGradients, Pad, Window, conv2d_backward, conv2d_forward};
use ndarray::{Array2, Array4, ArrayView2, array};
use serde::{Deserialize, Serialize};

use crate::tensor::Tensors;

/// The content of the element that a widget's script fills: its inputs.
///
/// # Errors
/// If there is no such widget, or the worked example lacks an input.
pub fn body(name: &str, tensors: &Tensors) -> Result<String, String> {
    let inputs = match name {
        "convolution" => serde_json::to_string(&Convolution::examples(tensors)?),
        "softmax" => serde_json::to_string(&Logits::example(tensors)?),
        _ => return Err(format!("there is no widget `{name}`; there are convolution and softmax")),
    };
    let inputs = inputs.map_err(|error| format!("the inputs of {name}: {error}"))?;
    // JSON has `<` only within strings, where this means the same.
    let inputs = inputs.replace('<', "\\u003c");
    Ok(format!("<script type=\"application/json\">{inputs}</script>"))
}

/// Rows of a matrix.
pub(crate) type Rows = Vec<Vec<f64>>;

/// A convolution of one image `x` of one channel with one filter `w` and the bias `b`; `g` is `dL/dZ`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Convolution {
    /// The name by which the reader chooses it.
    pub(crate) name: String,
    pub(crate) stride: usize,
    /// Rows and columns of zeros on each side.
    pub(crate) pad: (usize, usize),
    pub(crate) x: Rows,
    pub(crate) w: Rows,
    pub(crate) b: f64,
    pub(crate) g: Rows,
}

/// The pre-activation of a [`Convolution`] and the gradients of its parameters and input, by the crate `cnn`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Convolved {
    pub(crate) z: Rows,
    pub(crate) dw: Rows,
    pub(crate) db: f64,
    pub(crate) dx: Rows,
}

impl Convolution {
    /// The worked examples of question 6.2 that have one channel. An error says that one lacks an array or
    /// was computed with another stride or padding.
    fn examples(tensors: &Tensors) -> Result<Vec<Self>, String> {
        let example = |example: &str, name: &str, stride, pad| {
            let get = |array: &str| tensors.get(&format!("{example}.{array}"));
            let matrix = |array| get(array)?.rows();
            let b = get("b")?.as_number().ok_or_else(|| format!("`{example}.b` is no number"))?;
            let (x, w, g) = (matrix("x")?, matrix("w")?, matrix("g")?);
            let convolution = Self { name: name.to_owned(), stride, pad, x, w, b, g };
            let (z, recorded) = (convolution.outputs().z, matrix("z")?);
            match z == recorded {
                true => Ok(convolution),
                false => Err(format!("with {name}, `{example}.z` is {z:?} and not {recorded:?}")),
            }
        };
        Ok(vec![
            example("convolution", "stride 1, no padding", 1, (0, 0))?,
            example("convolution-stride", "stride 2, padding 1", 2, (1, 1))?,
        ])
    }

    /// Its results, by the implementation that the chapter shows.
    pub(crate) fn outputs(&self) -> Convolved {
        let size = |rows: &Rows| (rows.len(), rows[0].len());
        let (rows_pad, cols_pad) = self.pad;
        let pad = Pad::Cells(rows_pad, cols_pad);
        let window = Window::new("Conv2D", size(&self.x), size(&self.w), self.stride, pad)
            .expect("the filters of the examples fit into their images");
        let image = |cells: &Rows| {
            let (rows, cols) = size(cells);
            Array4::from_shape_fn((1, rows, cols, 1), |(_, row, col, _)| cells[row][col])
        };
        let (kernel_rows, kernel_cols) = size(&self.w);
        let w = Array4::from_shape_fn((kernel_rows, kernel_cols, 1, 1), |(i, j, ..)| self.w[i][j]);
        let (x, g) = (image(&self.x), image(&self.g));
        let z = conv2d_forward(x.view(), w.view(), array![[self.b]].view(), window);
        let Conv2DGradients { dl_dx, dl_dw, dl_db } =
            conv2d_backward(x.view(), w.view(), g.view(), window);
        Convolved {
            z: rows(z.slice(ndarray::s![0, .., .., 0])),
            dw: rows(dl_dw.slice(ndarray::s![.., .., 0, 0])),
            db: dl_db[[0, 0]],
            dx: rows(dl_dx.slice(ndarray::s![0, .., .., 0])),
        }
    }
}

/// The logits of one example, and the upstream gradient of their probabilities, `dL/dσ`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Logits {
    pub(crate) s: Vec<f64>,
    pub(crate) g: Vec<f64>,
}

/// The results of [`Logits`], by the crate `activations`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Probabilities {
    /// `σ(s / T)`.
    pub(crate) sigma: Vec<f64>,
    /// `∂σᵢ/∂sⱼ`.
    pub(crate) jacobian: Rows,
    /// `dL/ds`.
    pub(crate) ds: Vec<f64>,
}

impl Logits {
    /// The worked example of question 4.3.
    fn example(tensors: &Tensors) -> Result<Self, String> {
        Ok(Self { s: tensors.get("softmax.s")?.values, g: tensors.get("softmax.g")?.values })
    }

    /// The results at a temperature, by the implementation that the chapter shows.
    pub(crate) fn outputs(&self, temperature: f64) -> Probabilities {
        let classes = self.s.len();
        let z = Array2::from_shape_fn((1, classes), |(_, j)| self.s[j] / temperature);
        let backward = |g: &dyn Fn(usize) -> f64| {
            let g = Array2::from_shape_fn((1, classes), |(_, j)| g(j));
            (SoftMax::backward(&z, &g) / temperature).into_raw_vec_and_offset().0
        };
        // Row i of the Jacobian is the gradient of the i-th probability.
        let row = |i| backward(&|j| f64::from(u8::from(i == j)));
        Probabilities {
            sigma: SoftMax::forward(&z).into_raw_vec_and_offset().0,
            jacobian: (0..classes).map(row).collect(),
            ds: backward(&|j| self.g[j]),
        }
    }
}

fn rows(matrix: ArrayView2<'_, f64>) -> Rows {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json() -> serde_json::Value {
        let strided =
            [1.0, 0.0, 2.0, 1.0, 0.0, 3.0, 1.0, 0.0, 2.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 2.0];
        serde_json::json!({
            "convolution.x": { "shape": [3, 3], "values": [1, 2, 0, 0, 1, 3, 2, 1, 1] },
            "convolution.w": { "shape": [2, 2], "values": [1, 0, -1, 2] },
            "convolution.b": { "shape": [], "values": [0.5] },
            "convolution.g": { "shape": [2, 2], "values": [1, 0, 0, 2] },
            "convolution.z": { "shape": [2, 2], "values": [3.5, 7.5, 0.5, 2.5] },
            "convolution-stride.x": { "shape": [4, 4], "values": strided },
            "convolution-stride.w": { "shape": [3, 3], "values": [1, 0, 1, 0, 2, 0, -1, 0, 1] },
            "convolution-stride.b": { "shape": [], "values": [0.5] },
            "convolution-stride.g": { "shape": [2, 2], "values": [1, 2, 0, -1] },
            // Corner (0, 0) lies on the padding: 2·1 + 1·3 + 0.5. Corner (1, 1) does not:
            // 1·3 + 1·0 + 2·0 - 1·0 + 1·2 + 0.5.
            "convolution-stride.z": { "shape": [2, 2], "values": [5.5, 1.5, 7.5, 5.5] },
        })
    }

    #[test]
    fn the_convolution_is_that_of_the_chapter() {
        let tensors = serde_json::from_value(json()).unwrap();
        let outputs = Convolution::examples(&tensors).unwrap()[0].outputs();
        assert_eq!(outputs.dw, [[3.0, 8.0], [2.0, 3.0]]);
        assert_eq!(outputs.db, 3.0);
        assert_eq!(outputs.dx, [[1.0, 0.0, 0.0], [-1.0, 4.0, 0.0], [0.0, -2.0, 4.0]]);
        let body = body("convolution", &tensors).unwrap();
        assert!(body.contains("\"x\":[[1.0,2.0,0.0],[0.0,1.0,3.0],[2.0,1.0,1.0]]"), "{body}");
    }

    #[test]
    fn the_probabilities_are_those_of_the_chapter() {
        let logits = Logits { s: [1.0, 2.0, 5.0].map(f64::ln).to_vec(), g: vec![0.0, 0.0, 8.0] };
        let (outputs, warm) = (logits.outputs(1.0), logits.outputs(2.0));
        // At twice the temperature the logits are the square roots' logarithms, and slopes halve.
        let sum = 1.0 + 2.0_f64.sqrt() + 5.0_f64.sqrt();
        let slope = warm.sigma[0] * (1.0 - warm.sigma[0]) / 2.0;
        for (numbers, expected) in [
            (&outputs.sigma[..], &[0.125, 0.25, 0.625][..]),
            (&outputs.ds, &[-0.625, -1.25, 1.875]),
            (&outputs.jacobian[1], &[-2.0 / 64.0, 12.0 / 64.0, -10.0 / 64.0]),
            (&warm.sigma, &[1.0 / sum, 2.0_f64.sqrt() / sum, 5.0_f64.sqrt() / sum]),
            (&warm.jacobian[0][..1], &[slope]),
        ] {
            let close = numbers.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15);
            assert!(close && numbers.len() == expected.len(), "{numbers:?}, not {expected:?}");
        }
    }

    #[test]
    fn inputs_that_are_missing_or_of_another_stride_are_refused() {
        let mut other = json();
        other["convolution-stride.z"]["values"][3] = 6.into();
        let other: Tensors = serde_json::from_value(other).unwrap();
        for (name, expected) in [
            ("convolution", "with stride 2, padding 1, `convolution-stride.z` is"),
            ("softmax", "softmax.s"),
            ("pooling", "there is no widget `pooling`; there are convolution and softmax"),
        ] {
            let error = body(name, &other).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
