//! Deliverables of each question of the assignment, and what the course grades. The other checks hold
//! of whatever a chapter has; these fail if it lacks something.

use Asked::{Code, Numbered, Words};

use super::Placed;
use crate::pdf::layout::Role;
use crate::pdf::read::{Pdf, squeezed};

/// Deliverable on the pages of a question: derivation, code, output of tests, a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The equation, figure or table of this id.
    Numbered(&'static str),
    /// Code of this file.
    Code(&'static str),
    /// These words.
    Words(&'static str),
}

/// The questions and their deliverables, as the assignment lists them.
pub const ASKED: [(&str, &[Asked]); 10] = [
    (
        "4.1",
        &[
            Numbered("eq:relu-backward"),
            Code("crates/activations/src/relu.rs"),
            Words("test_forward (tests.test_activations.TestReLU) ... ok"),
            Words("test_backward (tests.test_activations.TestReLU) ... ok"),
        ],
    ),
    (
        "4.2",
        &[
            Numbered("eq:fully-connected-dw"),
            Numbered("eq:fully-connected-db"),
            Numbered("eq:fully-connected-dx"),
            Code("crates/layers/src/fully_connected.rs"),
            Words("test_forward (tests.test_layers.TestFullyConnected) ... ok"),
            Words("test_backward (tests.test_layers.TestFullyConnected) ... ok"),
            Words("test_init_params (tests.test_layers.TestFullyConnected) ... ok"),
        ],
    ),
    (
        "4.3",
        &[
            Numbered("eq:softmax-jacobian"),
            Code("crates/activations/src/softmax.rs"),
            Words("test_forward (tests.test_activations.TestSoftMax) ... ok"),
            Words("test_backward (tests.test_activations.TestSoftMax) ... ok"),
        ],
    ),
    (
        "4.4",
        &[
            Numbered("eq:cross-entropy-backward"),
            Code("crates/losses/src/cross_entropy.rs"),
            Words("test_forward (tests.test_losses.TestCrossEntropy) ... ok"),
            Words("test_backward (tests.test_losses.TestCrossEntropy) ... ok"),
        ],
    ),
    (
        "5",
        &[
            Code("crates/network/src/network.rs"),
            Numbered("fig:iris-loss"),
            Words("test error"),
            Words("learning rate"),
            Words("hidden units"),
        ],
    ),
    (
        "6.1",
        &[Code("crates/einsum/src/by_einsum.rs"), Words("trace"), Words("matrix"), Words("outer")],
    ),
    (
        "6.2",
        &[
            Numbered("eq:conv-a"),
            Numbered("eq:conv-b"),
            Numbered("eq:conv-c"),
            Numbered("eq:conv2d-db"),
            Numbered("eq:conv2d-dw"),
            Numbered("eq:conv2d-dx"),
            Code("crates/cnn/src/conv2d.rs"),
            Code("crates/cnn/src/conv2d_kernel.rs"),
            Words("test_forward (tests.test_layers.TestConv2D) ... ok"),
            Words("test_backward (tests.test_layers.TestConv2D) ... ok"),
        ],
    ),
    (
        "6.3",
        &[
            Words("In plain words"),
            Numbered("eq:max-pool-backward"),
            Numbered("eq:average-pool-backward"),
            Code("crates/cnn/src/pool2d.rs"),
            Code("crates/cnn/src/pool2d_kernel.rs"),
            Words("test_forward (tests.test_layers.TestPool2D) ... ok"),
            Words("test_backward (tests.test_layers.TestPool2D) ... ok"),
        ],
    ),
    (
        "7.1",
        &[
            Code("crates/kaggle/src/recipes.rs"),
            Code("crates/training/src/run.rs"),
            Numbered("fig:mlp-loss"),
            Numbered("fig:mlp-accuracy"),
            Numbered("tbl:mlp-epochs"),
        ],
    ),
    (
        "7.2",
        &[
            Code("crates/kaggle/src/recipe.rs"),
            Code("crates/kaggle/src/recipes.rs"),
            Numbered("fig:cnn-loss"),
            Numbered("fig:cnn-accuracy"),
            Numbered("tbl:cnn-network"),
            Numbered("tbl:cnn-ablation"),
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

pub(super) fn check(
    placed: &[Placed<'_>],
    pdf: &Pdf,
    asked: &[(&'static str, &'static [Asked])],
) -> Vec<String> {
    let mut problems = Vec::new();
    for (question, asked) in asked {
        let is_asked = |placed: &&Placed<'_>| {
            let chapter = placed.chapter;
            let number = chapter.name.split(' ').next();
            chapter.role == Role::Question && number == Some(question) && !placed.pages.is_empty()
        };
        match placed.iter().find(is_asked) {
            Some(placed) => problems
                .extend(asked.iter().filter_map(|asked| missing(question, placed, pdf, *asked))),
            None => problems.push(format!("question {question} of the assignment has no pages")),
        }
    }
    problems
}

/// The problem, if a deliverable is not there.
fn missing(question: &str, placed: &Placed<'_>, pdf: &Pdf, asked: Asked) -> Option<String> {
    let has = |words: &str| placed.text.contains(&squeezed([words]));
    match asked {
        Numbered(id) => match pdf.destinations.get(id) {
            Some(spot) if placed.numbers.contains(&spot.page) => None,
            Some(spot) => {
                Some(format!("question {question} needs `{id}`, which is on page {}", spot.page))
            }
            None => Some(format!(
                "question {question} needs `{id}`, which is nowhere or which nothing refers to"
            )),
        },
        Code(file) => (!has(file)).then(|| format!("question {question} shows no code of {file}")),
        Words(words) => {
            (!has(words)).then(|| format!("question {question} does not say \"{words}\""))
        }
    }
}
