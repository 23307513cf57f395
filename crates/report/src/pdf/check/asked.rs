//! What the assignment asks to see in each question: derivation, code, output of tests, plots. The other
//! checks hold of whatever a chapter has; these fail if it lacks something.

use super::{pages_of, squeezed_body};
use crate::pdf::chapter::{Chapter, Role};
use crate::pdf::read::{Pdf, squeezed};

/// Something that has to be on the pages of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The number of the question.
    pub question: &'static str,
    /// How it is seen.
    pub shown: Shown,
}

/// How it is seen that something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The equation, figure or table of this id.
    Numbered(&'static str),
    /// Code of this file.
    Code(&'static str),
    /// These words.
    Words(&'static str),
}

const fn numbered(question: &'static str, id: &'static str) -> Asked {
    Asked { question, shown: Shown::Numbered(id) }
}

const fn code(question: &'static str, file: &'static str) -> Asked {
    Asked { question, shown: Shown::Code(file) }
}

const fn words(question: &'static str, words: &'static str) -> Asked {
    Asked { question, shown: Shown::Words(words) }
}

/// The deliverables of the questions, as the assignment lists them.
pub const ASKED: [Asked; 56] = [
    numbered("4.1", "eq:relu-backward"),
    code("4.1", "crates/activations/src/relu.rs"),
    words("4.1", "test_forward (tests.test_activations.TestReLU) ... ok"),
    words("4.1", "test_backward (tests.test_activations.TestReLU) ... ok"),
    numbered("4.2", "eq:fully-connected-dw"),
    numbered("4.2", "eq:fully-connected-db"),
    numbered("4.2", "eq:fully-connected-dx"),
    code("4.2", "crates/layers/src/fully_connected.rs"),
    words("4.2", "test_forward (tests.test_layers.TestFullyConnected) ... ok"),
    words("4.2", "test_backward (tests.test_layers.TestFullyConnected) ... ok"),
    words("4.2", "test_init_params (tests.test_layers.TestFullyConnected) ... ok"),
    numbered("4.3", "eq:softmax-jacobian"),
    code("4.3", "crates/activations/src/softmax.rs"),
    words("4.3", "test_forward (tests.test_activations.TestSoftMax) ... ok"),
    words("4.3", "test_backward (tests.test_activations.TestSoftMax) ... ok"),
    numbered("4.4", "eq:cross-entropy-backward"),
    code("4.4", "crates/losses/src/cross_entropy.rs"),
    words("4.4", "test_forward (tests.test_losses.TestCrossEntropy) ... ok"),
    words("4.4", "test_backward (tests.test_losses.TestCrossEntropy) ... ok"),
    code("5", "crates/ffnn/src/network.rs"),
    numbered("5", "fig:iris-loss"),
    words("5", "test error"),
    words("5", "learning rate"),
    words("5", "hidden units"),
    code("6.1", "crates/einsum/src/by_einsum.rs"),
    words("6.1", "trace"),
    words("6.1", "matrix"),
    words("6.1", "outer"),
    numbered("6.2", "eq:conv-a"),
    numbered("6.2", "eq:conv-b"),
    numbered("6.2", "eq:conv-c"),
    numbered("6.2", "eq:conv2d-db"),
    numbered("6.2", "eq:conv2d-dw"),
    numbered("6.2", "eq:conv2d-dx"),
    code("6.2", "crates/cnn/src/conv2d.rs"),
    code("6.2", "crates/cnn/src/conv2d_kernel.rs"),
    words("6.2", "test_forward (tests.test_layers.TestConv2D) ... ok"),
    words("6.2", "test_backward (tests.test_layers.TestConv2D) ... ok"),
    words("6.3", "In plain words"),
    numbered("6.3", "eq:max-pool-backward"),
    numbered("6.3", "eq:average-pool-backward"),
    code("6.3", "crates/cnn/src/pool2d.rs"),
    code("6.3", "crates/cnn/src/pool2d_kernel.rs"),
    words("6.3", "test_forward (tests.test_layers.TestPool2D) ... ok"),
    words("6.3", "test_backward (tests.test_layers.TestPool2D) ... ok"),
    code("7.1", "crates/kaggle/src/recipes.rs"),
    code("7.1", "crates/training/src/run.rs"),
    numbered("7.1", "fig:mlp-loss"),
    numbered("7.1", "fig:mlp-accuracy"),
    numbered("7.1", "tbl:mlp-epochs"),
    code("7.2", "crates/kaggle/src/recipe.rs"),
    code("7.2", "crates/kaggle/src/recipes.rs"),
    numbered("7.2", "fig:cnn-loss"),
    numbered("7.2", "fig:cnn-accuracy"),
    numbered("7.2", "tbl:cnn-network"),
    numbered("7.2", "tbl:cnn-ablation"),
];

pub(super) fn check(chapters: &[Chapter], pdf: &Pdf, asked: &[Asked]) -> Vec<String> {
    asked.iter().filter_map(|asked| missing(chapters, pdf, *asked)).collect()
}

/// What is said if it is not there.
fn missing(chapters: &[Chapter], pdf: &Pdf, Asked { question, shown }: Asked) -> Option<String> {
    let is_asked = |chapter: &Chapter| {
        chapter.role == Role::Question && chapter.listed.name.split(' ').next() == Some(question)
    };
    let pages = chapters.iter().position(is_asked).and_then(|at| pages_of(chapters, at, pdf));
    let Some(range) = pages else {
        return Some(format!("question {question} of the assignment has no pages"));
    };
    let text = || -> String {
        let pages = &pdf.pages[range.start - 1..range.end - 1];
        pages.iter().map(squeezed_body).collect()
    };
    let has = |words: &str| text().contains(&squeezed([words]));
    match shown {
        Shown::Numbered(id) => match pdf.destinations.get(id) {
            Some(spot) if range.contains(&spot.page) => None,
            Some(spot) => {
                Some(format!("question {question} needs `{id}`, which is on page {}", spot.page))
            }
            None => Some(format!(
                "question {question} needs `{id}`, which is nowhere or which nothing refers to"
            )),
        },
        Shown::Code(file) if !has(file) => {
            Some(format!("question {question} shows no code of {file}"))
        }
        Shown::Words(words) if !has(words) => {
            Some(format!("question {question} does not say \"{words}\""))
        }
        Shown::Code(_) | Shown::Words(_) => None,
    }
}
