//! The functions that students write, and hints for each.

use std::fs;
use std::path::Path;

/// A function that is left to the student.
#[derive(Debug)]
pub struct Graded {
    /// The name that students know it by.
    pub name: &'static str,
    /// The file, relative to the root of the workspace, and the item in it.
    pub file: &'static str,
    /// Its name, as in [`Entry::items`](crate::Entry::items); a constant is left empty.
    pub item: &'static str,
    /// The course's entry that it belongs to; the einsum exercises belong to none.
    pub entry: Option<&'static str>,
    /// The shapes: the first hint.
    pub shape: &'static str,
    /// The equation: the second hint.
    pub equation: &'static str,
    /// The third hint: the chapter of the book that derives it, and the name of the equation there.
    pub page: (&'static str, &'static str),
}

impl Graded {
    /// The question that it belongs to.
    pub fn question(&self) -> &'static str {
        match self.file {
            SIGMOID | RELU => "4.1",
            FULLY_CONNECTED => "4.2",
            SOFTMAX => "4.3",
            CROSS_ENTROPY | L2 => "4.4",
            NETWORK => "5",
            EINSUM => "6.1",
            CONV2D | CONVOLUTION => "6.2",
            _ => "6.3",
        }
    }
}

/// The functions that are still to be written in the starter at `root`, each with its file and line.
pub(crate) fn unwritten(root: &Path) -> Vec<String> {
    let place = |graded: &Graded| {
        let text = fs::read_to_string(root.join(graded.file)).ok()?;
        let unwritten = format!("\"{} is not written yet", graded.name);
        let index = text.lines().position(|line| line.contains(&unwritten))?;
        Some(format!("{} ({}:{})", graded.name, graded.file, index + 1))
    };
    GRADED.iter().filter_map(place).collect()
}

const SIGMOID: &str = "crates/activations/src/sigmoid.rs";
const RELU: &str = "crates/activations/src/relu.rs";
const SOFTMAX: &str = "crates/activations/src/softmax.rs";
const FULLY_CONNECTED: &str = "crates/layers/src/fully_connected.rs";
const CONV2D: &str = "crates/cnn/src/conv2d.rs";
const CONVOLUTION: &str = "crates/cnn/src/conv2d_algorithm.rs";
const POOLING: &str = "crates/cnn/src/pool2d_kernel.rs";
const CROSS_ENTROPY: &str = "crates/losses/src/cross_entropy.rs";
const L2: &str = "crates/losses/src/l2.rs";
const NETWORK: &str = "crates/network/src/network.rs";
const EINSUM: &str = "crates/einsum/src/by_einsum.rs";

/// All of them, in the order of the questions.
pub static GRADED: [Graded; 31] = [
    Graded {
        name: "ReLU::value",
        file: RELU,
        item: "ElementWise for ReLU::value",
        entry: Some("activations.ReLU"),
        shape: "One number in, one number out: the loops over arrays are in element_wise.rs.",
        equation: "σ(z) = 0 if z < 0, and z otherwise. The checks beyond the assignment want NaN to stay NaN, so \
                   think about what a comparison with NaN gives.",
        page: ("q4-1-relu.md", "relu-forward"),
    },
    Graded {
        name: "ReLU::gradient",
        file: RELU,
        item: "ElementWise for ReLU::gradient",
        entry: Some("activations.ReLU"),
        shape: "z and dL/dy are one number each, and so is the result dL/dz.",
        equation: "dL/dz = dL/dy σ'(z), with σ'(z) = 0 for z < 0 and 1 for z > 0. At z = 0 the assignment's formula \
                   takes the branch \"otherwise\".",
        page: ("q4-1-relu.md", "relu-backward"),
    },
    Graded {
        name: "Sigmoid::value",
        file: SIGMOID,
        item: "ElementWise for Sigmoid::value",
        entry: Some("activations.Sigmoid"),
        shape: "One number in, one number out: the loops over arrays are in element_wise.rs.",
        equation: "σ(z) = 1 / (1 + e⁻ᶻ). For z = -1000 the power overflows: multiply both sides of the fraction by eᶻ \
                   there.",
        page: ("q4-1-relu.md", "sigmoid-backward"),
    },
    Graded {
        name: "Sigmoid::gradient",
        file: SIGMOID,
        item: "ElementWise for Sigmoid::gradient",
        entry: Some("activations.Sigmoid"),
        shape: "z and dL/dy are one number each, and so is the result dL/dz.",
        equation: "dL/dz = dL/dy σ(z) (1 - σ(z)). To keep the digits for large z, write 1 - σ(z) as σ(-z).",
        page: ("q4-1-relu.md", "sigmoid-backward"),
    },
    Graded {
        name: "FullyConnectedConfig::build",
        file: FULLY_CONNECTED,
        item: "FullyConnectedConfig::build",
        entry: Some("layers.FullyConnected"),
        shape: "W is (n_in, n_out), with n_in = input_shape[0]; b is (1, n_out).",
        equation: "Ask `LayerConfig::<T>::shapes(self, input_shape)` for the shapes, which refuses what is not valid; \
                   draw W by `self.weight_init.sample(KIND, &shape, self.activation, rng)`; `LayerState::new(shapes, \
                   self.activation)` has zeros for all parameters, and `.with(\"W\", w)` sets one. The cache is None.",
        page: ("q4-2-fully-connected.md", "fully-connected-forward"),
    },
    Graded {
        name: "fully_connected_forward",
        file: FULLY_CONNECTED,
        item: "fully_connected_forward",
        entry: Some("layers.FullyConnected"),
        shape: "(m, n_in) times (n_in, n_out), plus (1, n_out), gives (m, n_out).",
        equation: "Z = X W + b. `numerics::matmul` multiplies; ndarray adds a row to every row of a matrix.",
        page: ("q4-2-fully-connected.md", "fully-connected-forward"),
    },
    Graded {
        name: "fully_connected::backward_data",
        file: FULLY_CONNECTED,
        item: "backward_data",
        entry: Some("layers.FullyConnected"),
        shape: "dL/dX has the shape of X, (m, n_in), from W of shape (n_in, n_out) and dL/dZ of shape (m, n_out).",
        equation: "dL/dX = dL/dZ Wᵀ. `w.t()` is the transpose.",
        page: ("q4-2-fully-connected.md", "fully-connected-dx"),
    },
    Graded {
        name: "fully_connected::backward_weights",
        file: FULLY_CONNECTED,
        item: "backward_weights",
        entry: Some("layers.FullyConnected"),
        shape: "dL/dW has the shape of W, (n_in, n_out), from X of shape (m, n_in) and dL/dZ of shape (m, n_out).",
        equation: "dL/dW = Xᵀ dL/dZ, the sum over the examples. It is not divided by m: the loss has done so.",
        page: ("q4-2-fully-connected.md", "fully-connected-dw"),
    },
    Graded {
        name: "fully_connected::backward_bias",
        file: FULLY_CONNECTED,
        item: "backward_bias",
        entry: Some("layers.FullyConnected"),
        shape: "dL/db has the shape of b, (1, n_out), from dL/dZ of shape (m, n_out).",
        equation: "dL/db is the sum of the rows of dL/dZ. `sum_axis` drops the axis; `insert_axis` puts it back.",
        page: ("q4-2-fully-connected.md", "fully-connected-db"),
    },
    Graded {
        name: "SoftMax::forward",
        file: SOFTMAX,
        item: "forward",
        entry: Some("activations.SoftMax"),
        shape: "Each row of (m, k) becomes a distribution: m maxima and m sums, each to be set against a row of k.",
        equation: "σ(z)ᵢ = e^(zᵢ - max) / Σⱼ e^(zⱼ - max), row by row. `fold_axis` finds the maxima, `insert_axis` makes \
                   a column of them.",
        page: ("q4-3-softmax.md", "softmax-forward"),
    },
    Graded {
        name: "SoftMax::backward",
        file: SOFTMAX,
        item: "backward",
        entry: Some("activations.SoftMax"),
        shape: "Z, dL/dY and the result dL/dZ are (m, k). The Jacobian of a row is (k, k), and need not be formed.",
        equation: "∂σᵢ/∂zⱼ = σᵢ (δᵢⱼ - σⱼ), so dL/dZ = Y ⊙ (dL/dY - rowsum(dL/dY ⊙ Y)).",
        page: ("q4-3-softmax.md", "softmax-backward"),
    },
    Graded {
        name: "CrossEntropy::forward",
        file: CROSS_ENTROPY,
        item: "CrossEntropy::forward",
        entry: Some("losses.CrossEntropy"),
        shape: "Target and output are (m, k); the loss is one number.",
        equation: "L = -(1/m) Σ Y ln Ŷ. Where Ŷ is 0 its logarithm is infinite: take a tiny number in its place.",
        page: ("q4-4-cross-entropy.md", "cross-entropy"),
    },
    Graded {
        name: "CrossEntropy::backward",
        file: CROSS_ENTROPY,
        item: "CrossEntropy::backward",
        entry: Some("losses.CrossEntropy"),
        shape: "Target, output and the result dL/dŶ are (m, k).",
        equation: "dL/dŶ = -Y / (m Ŷ), element by element, with the same tiny number in place of 0.",
        page: ("q4-4-cross-entropy.md", "cross-entropy-backward"),
    },
    Graded {
        name: "L2::forward",
        file: L2,
        item: "L2::forward",
        entry: Some("losses.L2"),
        shape: "Target and output are (m, k); the loss is one number.",
        equation: "L = (1/(2 m)) Σ (Ŷ - Y)².",
        page: ("q4-4-cross-entropy.md", "l2"),
    },
    Graded {
        name: "L2::backward",
        file: L2,
        item: "L2::backward",
        entry: Some("losses.L2"),
        shape: "Target, output and the result dL/dŶ are (m, k).",
        equation: "dL/dŶ = (Ŷ - Y) / m.",
        page: ("q4-4-cross-entropy.md", "l2-backward"),
    },
    Graded {
        name: "NeuralNetwork::forward",
        file: NETWORK,
        item: "NeuralNetwork::forward",
        entry: Some("models.NeuralNetwork.forward"),
        shape: "The output of a layer is the input of the next; what comes out of the last is (m, k), and \
                `into_dimensionality` says so to the compiler.",
        equation: "h⁰ = X and hˡ = φˡ(hˡ⁻¹): `layer.forward(...)` for each layer of `self.pass(0)`.",
        page: ("background/fully-connected.md", "layer"),
    },
    Graded {
        name: "NeuralNetwork::backward",
        file: NETWORK,
        item: "NeuralNetwork::backward",
        entry: Some("models.NeuralNetwork.backward"),
        shape: "dL/dY of a layer is dL/dX of the one behind it; the first that is needed is dL/dŶ, (m, k).",
        equation: "The loss and its gradient come from `self.loss`, the rest by `layer.backward(...)` for each layer of \
                   `self.pass(self.first)`, from the last to the first.",
        page: ("background/neural-networks.md", "gradient-descent"),
    },
    Graded {
        name: "NeuralNetwork::infer",
        file: NETWORK,
        item: "NeuralNetwork::infer",
        entry: Some("models.NeuralNetwork.predict"),
        shape: "As of NeuralNetwork::forward, from X of shape (m, ...) to (m, k).",
        equation: "As NeuralNetwork::forward, by `layer.predict`, which takes a reference and leaves the cache alone.",
        page: ("background/fully-connected.md", "layer"),
    },
    Graded {
        name: "NeuralNetwork::predict",
        file: NETWORK,
        item: "NeuralNetwork::predict",
        entry: Some("models.NeuralNetwork.predict"),
        shape: "From X of shape (m, ...) to (m, k).",
        equation: "What `infer` gives; but where the softmax belongs to the loss (Loss::SoftmaxCrossEntropy) that is \
                   logits, and the prediction is their softmax.",
        page: ("q4-4-cross-entropy.md", "softmax-cross-entropy"),
    },
    Graded {
        name: "einsum::trace",
        file: EINSUM,
        item: "trace",
        entry: None,
        shape: "From (n, n) to a single number: `contract` gives an array without axes, of which `[[]]` is the element.",
        equation: "tr A = Σᵢ A[i, i]: write the string into TRACE, and `contract(TRACE, &[&a])`.",
        page: ("q6-1-einsum.md", "einsum-trace"),
    },
    Graded {
        name: "einsum::matrix_vector",
        file: EINSUM,
        item: "matrix_vector",
        entry: None,
        shape: "From (n, k) and (k) to (n).",
        equation: "(A b)[i] = Σⱼ A[i, j] b[j]: a letter that is not in the output is summed over.",
        page: ("q6-1-einsum.md", "einsum"),
    },
    Graded {
        name: "einsum::outer_product",
        file: EINSUM,
        item: "outer_product",
        entry: None,
        shape: "From (n) and (k) to (n, k).",
        equation: "(a bᵀ)[i, j] = a[i] b[j]: both letters are in the output.",
        page: ("q6-1-einsum.md", "einsum-outer-product"),
    },
    Graded {
        name: "Conv2DConfig::build",
        file: CONV2D,
        item: "Conv2DConfig::build",
        entry: Some("layers.Conv2D._init_parameters"),
        shape: "W is (kernel_rows, kernel_cols, n_in, n_out); b is (1, n_out).",
        equation: "As FullyConnectedConfig::build. `self.window(input_shape)` gives the window and n_in; the layer keeps \
                   the window.",
        page: ("q6-2-convolution.md", "conv2d-output-size"),
    },
    Graded {
        name: "conv2d_forward",
        file: CONVOLUTION,
        item: "conv2d_forward",
        entry: Some("layers.Conv2D.forward"),
        shape: "X (m, rows, cols, n_in) and W (k1, k2, n_in, n_out) give Z (m, r1, r2, n_out), with (r1, r2) = \
                window.output.",
        equation: "Z[n, r, q, f] = b[f] + Σ W[i, j, c, f] X[n, r s + i - p1, q s + j - p2, c] over i, j and c. \
                   `window.input_row(r, i)` and `input_col(q, j)` give the cell, or None on the padding.",
        page: ("q6-2-convolution.md", "conv2d-forward"),
    },
    Graded {
        name: "conv2d_backward_data",
        file: CONVOLUTION,
        item: "conv2d_backward_data",
        entry: Some("layers.Conv2D.backward"),
        shape: "dL/dX has the shape of X, (m, rows, cols, n_in), with (rows, cols) = window.input.",
        equation: "Each product of forward sends dL/dZ[n, r, q, f] W[i, j, c, f] back to its cell of X; cells that several \
                   windows see add up.",
        page: ("q6-2-convolution.md", "conv2d-dx"),
    },
    Graded {
        name: "conv2d_backward_weights",
        file: CONVOLUTION,
        item: "conv2d_backward_weights",
        entry: Some("layers.Conv2D.backward"),
        shape: "dL/dW has the shape of W, (k1, k2, n_in, n_out), with (k1, k2) = window.kernel.",
        equation: "dL/dW[i, j, c, f] = Σ dL/dZ[n, r, q, f] X[n, r s + i - p1, q s + j - p2, c] over n, r and q.",
        page: ("q6-2-convolution.md", "conv2d-dw"),
    },
    Graded {
        name: "conv2d_backward_bias",
        file: CONVOLUTION,
        item: "conv2d_backward_bias",
        entry: Some("layers.Conv2D.backward"),
        shape: "dL/db has the shape of b, (1, n_out), from dL/dZ of shape (m, r1, r2, n_out).",
        equation: "dL/db[0, f] = Σ dL/dZ[n, r, q, f] over n, r and q.",
        page: ("q6-2-convolution.md", "conv2d-db"),
    },
    Graded {
        name: "max_pool_forward",
        file: POOLING,
        item: "max_pool_forward",
        entry: Some("layers.Pool2D"),
        shape: "X (m, rows, cols, n) gives the maxima and their places, both (m, r1, r2, n). A place is i k2 + j.",
        equation: "Y[n, r, q, c] = max over (i, j) of X[n, r s + i - p1, q s + j - p2, c], with 0 on the padding. On ties \
                   the first place counts. Start from the first cell, not from 0.",
        page: ("q6-3-pooling.md", "max-pool-forward"),
    },
    Graded {
        name: "max_pool_backward",
        file: POOLING,
        item: "max_pool_backward",
        entry: Some("layers.Pool2D"),
        shape: "dL/dY and the places are (m, r1, r2, n); dL/dX is (m, rows, cols, n), with (rows, cols) = window.input.",
        equation: "dL/dY[n, r, q, c] is added to the cell of dL/dX whose place won; on the padding it is lost.",
        page: ("q6-3-pooling.md", "max-pool-backward"),
    },
    Graded {
        name: "average_pool_forward",
        file: POOLING,
        item: "average_pool_forward",
        entry: Some("layers.Pool2D"),
        shape: "X (m, rows, cols, n) gives Y (m, r1, r2, n), with (r1, r2) = window.output.",
        equation: "Y[n, r, q, c] = Σ X[n, r s + i - p1, q s + j - p2, c] / (k1 k2) over i and j; the divisor counts the \
                   padding too.",
        page: ("q6-3-pooling.md", "average-pool-forward"),
    },
    Graded {
        name: "average_pool_backward",
        file: POOLING,
        item: "average_pool_backward",
        entry: Some("layers.Pool2D"),
        shape: "dL/dY is (m, r1, r2, n); dL/dX is (m, rows, cols, n), with (rows, cols) = window.input.",
        equation: "dL/dY[n, r, q, c] / (k1 k2) is added to every cell of its window; on the padding it is lost.",
        page: ("q6-3-pooling.md", "average-pool-backward"),
    },
];
