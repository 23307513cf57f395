//! Deliverables of each question of the assignment, and what the course grades. The other checks hold
//! of whatever a chapter has; these fail if it lacks something.

use super::Placed;
use crate::pdf::layout::Role;
use crate::pdf::read::{Pdf, squeezed};
use crate::references::Label;

/// A question and the deliverables on its pages: an equation, figure or table by its id, code by its
/// file, else words.
pub type Asked = (&'static str, &'static [&'static str]);

/// The questions and their deliverables, as the assignment lists them.
pub const ASKED: [Asked; 10] = [
    (
        "4.1",
        &[
            "eq:relu-backward",
            "crates/activations/src/relu.rs",
            "test_forward (tests.test_activations.TestReLU) ... ok",
            "test_backward (tests.test_activations.TestReLU) ... ok",
        ],
    ),
    (
        "4.2",
        &[
            "eq:fully-connected-dw",
            "eq:fully-connected-db",
            "eq:fully-connected-dx",
            "crates/layers/src/fully_connected.rs",
            "test_forward (tests.test_layers.TestFullyConnected) ... ok",
            "test_backward (tests.test_layers.TestFullyConnected) ... ok",
            "test_init_params (tests.test_layers.TestFullyConnected) ... ok",
        ],
    ),
    (
        "4.3",
        &[
            "eq:softmax-jacobian",
            "crates/activations/src/softmax.rs",
            "test_forward (tests.test_activations.TestSoftMax) ... ok",
            "test_backward (tests.test_activations.TestSoftMax) ... ok",
        ],
    ),
    (
        "4.4",
        &[
            "eq:cross-entropy-backward",
            "crates/losses/src/cross_entropy.rs",
            "test_forward (tests.test_losses.TestCrossEntropy) ... ok",
            "test_backward (tests.test_losses.TestCrossEntropy) ... ok",
        ],
    ),
    (
        "5",
        &[
            "crates/network/src/network.rs",
            "fig:iris-loss",
            "test error",
            "learning rate",
            "hidden units",
        ],
    ),
    ("6.1", &["crates/einsum/src/by_einsum.rs", "trace", "matrix", "outer"]),
    (
        "6.2",
        &[
            "eq:conv-a",
            "eq:conv-b",
            "eq:conv-c",
            "eq:conv2d-db",
            "eq:conv2d-dw",
            "eq:conv2d-dx",
            "crates/cnn/src/conv2d.rs",
            "crates/cnn/src/conv2d_kernel.rs",
            "test_forward (tests.test_layers.TestConv2D) ... ok",
            "test_backward (tests.test_layers.TestConv2D) ... ok",
        ],
    ),
    (
        "6.3",
        &[
            "In plain words",
            "eq:max-pool-backward",
            "eq:average-pool-backward",
            "crates/cnn/src/pool2d.rs",
            "crates/cnn/src/pool2d_kernel.rs",
            "test_forward (tests.test_layers.TestPool2D) ... ok",
            "test_backward (tests.test_layers.TestPool2D) ... ok",
        ],
    ),
    (
        "7.1",
        &[
            "crates/kaggle/src/recipes.rs",
            "crates/training/src/run.rs",
            "fig:mlp-loss",
            "fig:mlp-accuracy",
            "tbl:mlp-epochs",
        ],
    ),
    (
        "7.2",
        &[
            "crates/kaggle/src/recipe.rs",
            "crates/kaggle/src/recipes.rs",
            "fig:cnn-loss",
            "fig:cnn-accuracy",
            "tbl:cnn-network",
            "tbl:cnn-ablation",
        ],
    ),
];

/// Graded code, by the name that its own submission script has, with the file and the line
/// where it begins here.
pub const GRADED: [(&str, &str, &str); 17] = [
    ("activations.Linear", "crates/activations/src/linear.rs", "for Linear"),
    ("activations.Sigmoid", "crates/activations/src/sigmoid.rs", "for Sigmoid"),
    ("activations.ReLU", "crates/activations/src/relu.rs", "for ReLU"),
    ("activations.SoftMax", "crates/activations/src/softmax.rs", "impl SoftMax"),
    ("layers.FullyConnected", "crates/layers/src/fully_connected.rs", "for FullyConnected<T>"),
    ("layers.Pool2D", "crates/cnn/src/pool2d.rs", "for Pool2D<T>"),
    ("layers.Conv2D.__init__", "crates/cnn/src/conv2d.rs", "pub struct Conv2DConfig"),
    ("layers.Conv2D._init_parameters", "crates/cnn/src/conv2d.rs", "pub fn build<"),
    ("layers.Conv2D.forward", "crates/cnn/src/conv2d.rs", "fn forward("),
    ("layers.Conv2D.forward", "crates/cnn/src/conv2d_algorithm.rs", "pub fn conv2d_forward"),
    ("layers.Conv2D.backward", "crates/cnn/src/conv2d.rs", "fn backward("),
    ("layers.Conv2D.backward", "crates/cnn/src/conv2d_algorithm.rs", "pub fn conv2d_backward"),
    ("losses.CrossEntropy", "crates/losses/src/cross_entropy.rs", "impl CrossEntropy"),
    ("losses.L2", "crates/losses/src/l2.rs", "impl L2"),
    ("models.NeuralNetwork.forward", "crates/network/src/network.rs", "pub fn forward("),
    ("models.NeuralNetwork.backward", "crates/network/src/network.rs", "pub fn backward("),
    ("models.NeuralNetwork.predict", "crates/network/src/network.rs", "pub fn predict("),
];

pub(super) fn check(placed: &[Placed<'_>], pdf: &Pdf, asked: &[Asked]) -> Vec<String> {
    let mut problems = Vec::new();
    for (question, asked) in asked {
        let is_asked = |placed: &&Placed<'_>| {
            let chapter = placed.chapter;
            let number = chapter.name.split(' ').next();
            chapter.role == Role::Question && number == Some(question) && !placed.pages.is_empty()
        };
        match placed.iter().find(is_asked) {
            Some(placed) => {
                let missing = asked.iter().filter_map(|asked| missing(placed, pdf, asked));
                problems.extend(missing.map(|missing| format!("question {question} {missing}")));
            }
            None => problems.push(format!("question {question} of the assignment has no pages")),
        }
    }
    problems
}

/// The problem, if a deliverable is not there.
fn missing(placed: &Placed<'_>, pdf: &Pdf, asked: &str) -> Option<String> {
    if Label::parse(asked).is_ok() {
        return match pdf.destinations.get(asked) {
            Some(spot) if placed.numbers.contains(&spot.page) => None,
            Some(spot) => Some(format!("needs `{asked}`, which is on page {}", spot.page)),
            None => Some(format!("needs `{asked}`, which is nowhere or which nothing refers to")),
        };
    }
    (!placed.text.contains(&squeezed(asked))).then(|| match asked.starts_with("crates/") {
        true => format!("shows no code of {asked}"),
        false => format!("does not say \"{asked}\""),
    })
}
