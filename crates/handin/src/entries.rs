//! What the course has graded, and the code here that answers it.

/// A section of the submission.
#[derive(Debug)]
pub struct Section {
    /// Its heading, as the course has it.
    pub title: &'static str,
    /// Its entries, in the course's order.
    pub entries: &'static [Entry],
}

/// One implementation that the course's `generate_submission.py` collects.
#[derive(Debug)]
pub struct Entry {
    /// The course's name of it.
    pub name: &'static str,
    /// The code of it.
    pub sources: &'static [Source],
    /// Earlier entries that show code which this one uses too.
    pub builds_on: &'static [&'static str],
}

/// Items of one file.
#[derive(Debug)]
pub struct Source {
    /// The file, relative to the root of the workspace.
    pub file: &'static str,
    /// The items: `derivative`, `ReLU::forward`, `Layer for Conv2D::forward`.
    pub items: &'static [&'static str],
}

/// The 15 entries of the course. Each has the public item and the kernels below it that do the
/// arithmetic; `cargo xtask submission` fails if one calls a function of its file that is not shown.
pub const SECTIONS: [Section; 4] = [
    Section { title: "Activation Implementations:", entries: &ACTIVATIONS },
    Section { title: "Layer Implementations:", entries: &LAYERS },
    Section { title: "Loss Function Implementations:", entries: &LOSSES },
    Section { title: "Model Implementations:", entries: &MODELS },
];

/// The loops over arrays, which all activations but softmax share.
const ELEMENT_WISE: Source =
    Source { file: "crates/activations/src/element_wise.rs", items: &["ElementWise"] };

const ACTIVATIONS: [Entry; 4] = [
    Entry {
        name: "activations.Linear",
        sources: &[
            Source {
                file: "crates/activations/src/linear.rs",
                items: &[
                    "Linear",
                    "ElementWise for Linear::value",
                    "ElementWise for Linear::gradient",
                ],
            },
            ELEMENT_WISE,
        ],
        builds_on: &[],
    },
    Entry {
        name: "activations.Sigmoid",
        sources: &[Source {
            file: "crates/activations/src/sigmoid.rs",
            items: &[
                "Sigmoid",
                "ElementWise for Sigmoid::value",
                "ElementWise for Sigmoid::gradient",
            ],
        }],
        builds_on: &["activations.Linear"],
    },
    Entry {
        name: "activations.ReLU",
        sources: &[Source {
            file: "crates/activations/src/relu.rs",
            items: &[
                "ReLU",
                "ElementWise for ReLU::value",
                "ElementWise for ReLU::gradient",
                "derivative",
            ],
        }],
        builds_on: &["activations.Linear"],
    },
    Entry {
        name: "activations.SoftMax",
        sources: &[Source {
            file: "crates/activations/src/softmax.rs",
            items: &[
                "SoftMax",
                "SoftMax::forward",
                "SoftMax::backward",
                "forward",
                "backward",
                "rows_of",
                "shaped_like",
            ],
        }],
        builds_on: &[],
    },
];

const LAYERS: [Entry; 6] = [
    Entry {
        name: "layers.FullyConnected",
        sources: &[Source {
            file: "crates/layers/src/fully_connected.rs",
            items: &[
                "FullyConnectedConfig",
                "FullyConnectedConfig::new",
                "FullyConnectedConfig::build",
                "LayerConfig for FullyConnectedConfig::shapes",
                "FullyConnected",
                "KIND",
                "Cache",
                "Layer for FullyConnected::state",
                "Layer for FullyConnected::state_mut",
                "Layer for FullyConnected::forward",
                "Layer for FullyConnected::backward",
                "Layer for FullyConnected::backward_parameters",
                "FullyConnected::bias",
                "FullyConnected::cached",
                "FullyConnected::dl_dz",
                "FullyConnected::fill_gradients",
                "Layer for FullyConnected::predict",
                "Layer for FullyConnected::clear_cache",
                "fully_connected_forward",
                "FullyConnectedGradients",
                "fully_connected_backward",
                "backward_data",
                "backward_weights",
                "backward_bias",
            ],
        }],
        builds_on: &[],
    },
    Entry {
        name: "layers.Pool2D",
        sources: &[
            Source {
                file: "crates/cnn/src/pool2d.rs",
                items: &[
                    "PoolMode",
                    "Pool2DConfig",
                    "Pool2DConfig::new",
                    "Pool2DConfig::build",
                    "Pool2DConfig::window",
                    "LayerConfig for Pool2DConfig::shapes",
                    "Pool2D",
                    "KIND",
                    "Cache",
                    "Layer for Pool2D::state",
                    "Layer for Pool2D::state_mut",
                    "Layer for Pool2D::forward",
                    "Layer for Pool2D::backward",
                    "Layer for Pool2D::predict",
                    "Layer for Pool2D::clear_cache",
                ],
            },
            Source {
                file: "crates/cnn/src/pool2d_kernel.rs",
                items: &[
                    "max_pool_forward",
                    "max_pool_backward",
                    "average_pool_forward",
                    "average_pool_backward",
                    "MOST_CELLS",
                    "cells",
                    "for_each_cell",
                    "padded",
                    "outputs",
                    "inputs",
                    "contiguous",
                    "all",
                    "images_per_task",
                ],
            },
            Source { file: "crates/cnn/src/conv2d.rs", items: &["image_shape"] },
            Source {
                file: "crates/cnn/src/window.rs",
                items: &[
                    "Window",
                    "Window::new",
                    "Window::input",
                    "Window::kernel",
                    "Window::output",
                    "Window::padded",
                    "Window::stride",
                    "Window::pad",
                    "Window::input_row",
                    "Window::input_col",
                    "Window::visible_cols",
                    "output_size",
                ],
            },
            Source { file: "crates/cnn/src/pad.rs", items: &["Pad", "Pad::cells"] },
        ],
        builds_on: &[],
    },
    Entry {
        name: "layers.Conv2D.__init__",
        sources: &[Source {
            file: "crates/cnn/src/conv2d.rs",
            items: &["Conv2DConfig", "Conv2DConfig::new", "Conv2D", "KIND", "Cache"],
        }],
        builds_on: &["layers.Pool2D"],
    },
    Entry {
        name: "layers.Conv2D._init_parameters",
        // How `W` is drawn is `WeightInit::sample`, which the course gives its students.
        sources: &[Source {
            file: "crates/cnn/src/conv2d.rs",
            items: &[
                "Conv2DConfig::build",
                "Conv2DConfig::window",
                "LayerConfig for Conv2DConfig::shapes",
            ],
        }],
        builds_on: &["layers.Pool2D", "layers.Conv2D.__init__"],
    },
    Entry {
        name: "layers.Conv2D.forward",
        sources: &[
            Source {
                file: "crates/cnn/src/conv2d.rs",
                items: &["Layer for Conv2D::forward", "Conv2D::bias"],
            },
            // The other algorithm is not part of the assignment, and stands in the appendix.
            Source {
                file: "crates/cnn/src/conv2d_algorithm.rs",
                items: &[
                    "conv2d_forward",
                    "Conv2DAlgorithm",
                    "FEWEST_CHANNELS",
                    "FEWEST_FILTERS",
                    "conv2d_algorithm",
                    "assert_shapes",
                ],
            },
            Source {
                file: "crates/cnn/src/conv2d_kernel.rs",
                items: &[
                    "BLOCK_BYTES",
                    "im2col_forward",
                    "weight_matrix",
                    "Blocks",
                    "Blocks::new",
                    "Blocks::output_shape",
                    "Blocks::total_lines",
                    "Blocks::lines",
                    "Blocks::output_line",
                    "Blocks::image",
                    "Blocks::patch",
                    "Blocks::im2col",
                    "Blocks::for_each_run",
                ],
            },
        ],
        builds_on: &["layers.Pool2D", "layers.Conv2D.__init__"],
    },
    Entry {
        name: "layers.Conv2D.backward",
        sources: &[
            Source {
                file: "crates/cnn/src/conv2d.rs",
                items: &[
                    "Layer for Conv2D::backward",
                    "Layer for Conv2D::backward_parameters",
                    "Conv2D::cached",
                    "Conv2D::dl_dz",
                    "Conv2D::fill_gradients",
                ],
            },
            Source {
                file: "crates/cnn/src/conv2d_algorithm.rs",
                items: &["conv2d_backward_data", "conv2d_backward_weights", "conv2d_backward_bias"],
            },
            Source {
                file: "crates/cnn/src/conv2d_kernel.rs",
                items: &[
                    "PARTIAL_SUMS",
                    "im2col_backward_data",
                    "im2col_backward_weights",
                    "Blocks::gradient_matrix",
                    "Blocks::col2im",
                    "Blocks::backward_data",
                    "Blocks::backward_weights",
                ],
            },
        ],
        builds_on: &["layers.Conv2D.__init__", "layers.Conv2D.forward"],
    },
];

const LOSSES: [Entry; 2] = [
    Entry {
        name: "losses.CrossEntropy",
        sources: &[Source {
            file: "crates/losses/src/cross_entropy.rs",
            items: &[
                "CrossEntropy",
                "CrossEntropy::forward",
                "CrossEntropy::backward",
                "at_least_tiny",
            ],
        }],
        builds_on: &[],
    },
    Entry {
        name: "losses.L2",
        sources: &[Source {
            file: "crates/losses/src/l2.rs",
            items: &["L2", "L2::forward", "L2::backward"],
        }],
        builds_on: &[],
    },
];

const MODELS: [Entry; 3] = [
    Entry {
        name: "models.NeuralNetwork.forward",
        sources: &[Source {
            file: "crates/ffnn/src/network.rs",
            items: &["NeuralNetwork", "NeuralNetwork::forward", "at", "matrix"],
        }],
        builds_on: &[],
    },
    Entry {
        name: "models.NeuralNetwork.backward",
        sources: &[Source {
            file: "crates/ffnn/src/network.rs",
            items: &["NeuralNetwork::backward", "NeuralNetwork::backward_to"],
        }],
        builds_on: &["models.NeuralNetwork.forward"],
    },
    Entry {
        name: "models.NeuralNetwork.predict",
        sources: &[Source {
            file: "crates/ffnn/src/network.rs",
            items: &["NeuralNetwork::predict", "NeuralNetwork::infer"],
        }],
        builds_on: &["models.NeuralNetwork.forward"],
    },
];

/// All entries, in order.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    const ALL: &[Section] = &SECTIONS;
    ALL.iter().flat_map(|section| section.entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the course's `generate_submission.py` collects, in its order.
    const COURSE: [&str; 15] = [
        "activations.Linear",
        "activations.Sigmoid",
        "activations.ReLU",
        "activations.SoftMax",
        "layers.FullyConnected",
        "layers.Pool2D",
        "layers.Conv2D.__init__",
        "layers.Conv2D._init_parameters",
        "layers.Conv2D.forward",
        "layers.Conv2D.backward",
        "losses.CrossEntropy",
        "losses.L2",
        "models.NeuralNetwork.forward",
        "models.NeuralNetwork.backward",
        "models.NeuralNetwork.predict",
    ];

    #[test]
    fn the_entries_are_those_of_the_course_in_its_order() {
        assert_eq!(entries().map(|entry| entry.name).collect::<Vec<_>>(), COURSE);
    }

    #[test]
    fn an_entry_builds_on_earlier_ones_and_lists_no_item_twice() {
        for (index, entry) in entries().enumerate() {
            for on in entry.builds_on {
                assert!(COURSE[..index].contains(on), "{}: {on}", entry.name);
            }
            for source in entry.sources {
                for (index, item) in source.items.iter().enumerate() {
                    assert!(!source.items[..index].contains(item), "{}: {item}", entry.name);
                }
            }
        }
    }
}
