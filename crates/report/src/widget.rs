//! Widgets to try out: the numbers of a worked example in the hands of a small script.
//!
//! A widget stands beside figures that show the same without scripts and on paper, so there it is
//! absent. Its inputs are those of the worked example, its script computes each step for itself, and
//! the audit compares what it then shows with the results of the crates.

use activations::SoftMax;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::tensor::Tensors;

/// The content of the element that a widget's script fills: its inputs.
///
/// # Errors
/// If there is no such widget, or the worked example lacks an input.
pub fn body(name: &str, tensors: &Tensors) -> Result<String, String> {
    let inputs = match name {
        "convolution" => serde_json::to_string(&[
            Convolution::example(tensors, name, "stride 1, no padding", 1, (0, 0))?,
            Convolution::example(tensors, "convolution-stride", "stride 2, padding 1", 2, (1, 1))?,
        ]),
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

/// A worked example of question 6.2: a convolution of one image `x` of one channel with one filter `w` and the
/// bias `b`; `g` is `dL/dZ`. The results by the crate `cnn`, the pre-activation `z` and the gradients, are for the
/// audit; the script has its own.
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
    pub(crate) z: Rows,
    pub(crate) dw: Rows,
    pub(crate) db: f64,
    pub(crate) dx: Rows,
}

impl Convolution {
    fn example(
        tensors: &Tensors,
        example: &str,
        name: &str,
        stride: usize,
        pad: (usize, usize),
    ) -> Result<Self, String> {
        let matrix = |array: &str| tensors.matrix(&format!("{example}.{array}"));
        let number = |array: &str| tensors.number(&format!("{example}.{array}"));
        let (x, w, b, g) = (matrix("x")?, matrix("w")?, number("b")?, matrix("g")?);
        let (z, dw, db, dx) = (matrix("z")?, matrix("dw")?, number("db")?, matrix("dx")?);
        Ok(Self { name: name.to_owned(), stride, pad, x, w, b, g, z, dw, db, dx })
    }
}

/// The logits of one example, and the upstream gradient of their probabilities, `dL/dσ`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Logits {
    pub(crate) s: Vec<f64>,
    pub(crate) g: Vec<f64>,
}

impl Logits {
    /// The worked example of question 4.3.
    fn example(tensors: &Tensors) -> Result<Self, String> {
        Ok(Self { s: tensors.get("softmax.s")?.values, g: tensors.get("softmax.g")?.values })
    }

    /// The table at a temperature, by the implementation that the chapter shows: for each class the
    /// probability `σᵢ(s / T)` and the derivatives `∂σᵢ/∂sⱼ`, and below these `dL/ds`.
    pub(crate) fn table(&self, temperature: f64) -> Rows {
        let classes = self.s.len();
        let z = Array2::from_shape_fn((1, classes), |(_, j)| self.s[j] / temperature);
        let backward = |g: &dyn Fn(usize) -> f64| {
            let g = Array2::from_shape_fn((1, classes), |(_, j)| g(j));
            (SoftMax::backward(&z, &g) / temperature).into_raw_vec_and_offset().0
        };
        // Row i of the Jacobian is the gradient of the i-th probability.
        let slopes = |i| backward(&|j| f64::from(u8::from(i == j)));
        let sigma = SoftMax::forward(&z);
        let rows = sigma.iter().enumerate().map(|(i, sigma)| [vec![*sigma], slopes(i)].concat());
        rows.chain([backward(&|j| self.g[j])]).collect()
    }
}
