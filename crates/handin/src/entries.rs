//! The implementations that the course has graded, and the code here that answers each.

/// One implementation that the course's `generate_submission.py` collects.
#[derive(Debug)]
pub struct Entry {
    /// The heading that it stands under, as the course has it.
    pub section: &'static str,
    /// The course's name of it.
    pub name: &'static str,
    /// The items that answer it: `ReLU`, `ReLU::forward`, `Layer for Conv2D::forward`, and `Layer for
    /// Pool2D`, all that the block has. What they use of the files is shown with them.
    pub items: &'static [&'static str],
    /// The files that have them and the kernels below, relative to the root of the workspace.
    pub files: &'static [&'static str],
}

const ACTIVATIONS: &str = "Activation Implementations:";
const LAYERS: &str = "Layer Implementations:";
const LOSSES: &str = "Loss Function Implementations:";
const MODELS: &str = "Model Implementations:";

/// The loops over arrays, which all activations but softmax share.
const ELEMENT_WISE: &str = "crates/activations/src/element_wise.rs";

/// Its window is that of pooling.
const CONVOLUTION: &[&str] = &[
    "crates/cnn/src/conv2d.rs",
    "crates/cnn/src/conv2d_algorithm.rs",
    "crates/cnn/src/conv2d_kernel.rs",
    "crates/cnn/src/window.rs",
    "crates/cnn/src/pad.rs",
];

/// The 15 entries of the course, in its order.
///
/// The drawing of `W`, `WeightInit::sample`, is not among them: the course gives it to its students. Winograd's
/// algorithm is not part of the assignment either; it stands in the appendix.
pub static ENTRIES: [Entry; 15] = [
    Entry {
        section: ACTIVATIONS,
        name: "activations.Linear",
        items: &["Linear", "ElementWise for Linear::value", "ElementWise for Linear::gradient"],
        files: &["crates/activations/src/linear.rs", ELEMENT_WISE],
    },
    Entry {
        section: ACTIVATIONS,
        name: "activations.Sigmoid",
        items: &["Sigmoid", "ElementWise for Sigmoid::value", "ElementWise for Sigmoid::gradient"],
        files: &["crates/activations/src/sigmoid.rs", ELEMENT_WISE],
    },
    Entry {
        section: ACTIVATIONS,
        name: "activations.ReLU",
        items: &["ReLU", "ElementWise for ReLU::value", "ElementWise for ReLU::gradient"],
        files: &["crates/activations/src/relu.rs", ELEMENT_WISE],
    },
    Entry {
        section: ACTIVATIONS,
        name: "activations.SoftMax",
        items: &["SoftMax", "SoftMax::forward", "SoftMax::backward"],
        files: &["crates/activations/src/softmax.rs"],
    },
    Entry {
        section: LAYERS,
        name: "layers.FullyConnected",
        items: &[
            "FullyConnectedConfig",
            "FullyConnectedConfig::new",
            "FullyConnectedConfig::build",
            "LayerConfig for FullyConnectedConfig::shapes",
            "FullyConnected",
            "Layer for FullyConnected",
            "fully_connected_backward",
        ],
        files: &["crates/layers/src/fully_connected.rs"],
    },
    Entry {
        section: LAYERS,
        name: "layers.Pool2D",
        items: &[
            "Pool2DConfig",
            "Pool2DConfig::new",
            "Pool2DConfig::build",
            "LayerConfig for Pool2DConfig::shapes",
            "Pool2D",
            "Layer for Pool2D",
            // Nothing that is graded uses it, only the obvious versions: it completes the window.
            "Window::input_col",
        ],
        files: &[
            "crates/cnn/src/pool2d.rs",
            "crates/cnn/src/pool2d_kernel.rs",
            "crates/cnn/src/window.rs",
            "crates/cnn/src/pad.rs",
        ],
    },
    Entry {
        section: LAYERS,
        name: "layers.Conv2D.__init__",
        items: &["Conv2DConfig", "Conv2DConfig::new", "Conv2D"],
        files: CONVOLUTION,
    },
    Entry {
        section: LAYERS,
        name: "layers.Conv2D._init_parameters",
        items: &["Conv2DConfig::build", "LayerConfig for Conv2DConfig::shapes"],
        files: CONVOLUTION,
    },
    Entry {
        section: LAYERS,
        name: "layers.Conv2D.forward",
        items: &["Layer for Conv2D::forward"],
        files: CONVOLUTION,
    },
    Entry {
        section: LAYERS,
        name: "layers.Conv2D.backward",
        items: &["Layer for Conv2D::backward", "Layer for Conv2D::backward_parameters"],
        files: CONVOLUTION,
    },
    Entry {
        section: LOSSES,
        name: "losses.CrossEntropy",
        items: &["CrossEntropy", "CrossEntropy::forward", "CrossEntropy::backward"],
        files: &["crates/losses/src/cross_entropy.rs"],
    },
    Entry {
        section: LOSSES,
        name: "losses.L2",
        items: &["L2", "L2::forward", "L2::backward"],
        files: &["crates/losses/src/l2.rs"],
    },
    Entry {
        section: MODELS,
        name: "models.NeuralNetwork.forward",
        items: &["NeuralNetwork", "NeuralNetwork::forward"],
        files: &["crates/network/src/network.rs"],
    },
    Entry {
        section: MODELS,
        name: "models.NeuralNetwork.backward",
        items: &["NeuralNetwork::backward"],
        files: &["crates/network/src/network.rs"],
    },
    Entry {
        section: MODELS,
        name: "models.NeuralNetwork.predict",
        items: &["NeuralNetwork::predict"],
        files: &["crates/network/src/network.rs"],
    },
];
