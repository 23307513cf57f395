//! Deliverables of each question of the assignment. The other checks hold of whatever a chapter has; these fail
//! if it lacks something.

use std::collections::BTreeMap;

use super::Placed;
use crate::pdf::layout::Role;
use crate::pdf::read::{Pdf, squeezed};
use crate::references::Label;

/// The deliverables as the assignment lists them, each in a line after its question: an equation, figure or
/// table by its id, code by its file, else words.
pub const ASKED: &str = "\
4.1 eq:relu-backward
4.1 crates/activations/src/relu.rs
4.1 test_forward (tests.test_activations.TestReLU) ... ok
4.1 test_backward (tests.test_activations.TestReLU) ... ok
4.2 eq:fully-connected-dw
4.2 eq:fully-connected-db
4.2 eq:fully-connected-dx
4.2 crates/layers/src/fully_connected.rs
4.2 test_forward (tests.test_layers.TestFullyConnected) ... ok
4.2 test_backward (tests.test_layers.TestFullyConnected) ... ok
4.2 test_init_params (tests.test_layers.TestFullyConnected) ... ok
4.3 eq:softmax-jacobian
4.3 crates/activations/src/softmax.rs
4.3 test_forward (tests.test_activations.TestSoftMax) ... ok
4.3 test_backward (tests.test_activations.TestSoftMax) ... ok
4.4 eq:cross-entropy-backward
4.4 crates/losses/src/cross_entropy.rs
4.4 test_forward (tests.test_losses.TestCrossEntropy) ... ok
4.4 test_backward (tests.test_losses.TestCrossEntropy) ... ok
5 crates/network/src/network.rs
5 fig:iris-loss
5 test error
5 learning rate
5 hidden units
6.1 crates/einsum/src/by_einsum.rs
6.1 trace
6.1 matrix
6.1 outer
6.2 eq:conv-a
6.2 eq:conv-b
6.2 eq:conv-c
6.2 eq:conv2d-db
6.2 eq:conv2d-dw
6.2 eq:conv2d-dx
6.2 crates/cnn/src/conv2d.rs
6.2 crates/cnn/src/conv2d_kernel.rs
6.2 test_forward (tests.test_layers.TestConv2D) ... ok
6.2 test_backward (tests.test_layers.TestConv2D) ... ok
6.3 In plain words
6.3 eq:max-pool-backward
6.3 eq:average-pool-backward
6.3 crates/cnn/src/pool2d.rs
6.3 crates/cnn/src/pool2d_kernel.rs
6.3 test_forward (tests.test_layers.TestPool2D) ... ok
6.3 test_backward (tests.test_layers.TestPool2D) ... ok
7.1 crates/kaggle/src/recipes.rs
7.1 crates/training/src/run.rs
7.1 fig:mlp-loss
7.1 fig:mlp-accuracy
7.1 tbl:mlp-epochs
7.2 crates/kaggle/src/recipe.rs
7.2 crates/kaggle/src/recipes.rs
7.2 fig:cnn-loss
7.2 fig:cnn-accuracy
7.2 tbl:cnn-network
7.2 tbl:cnn-ablation
";

/// The questions of such lines, each with its deliverables.
pub fn questions(asked: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut questions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (question, deliverable) in asked.lines().filter_map(|line| line.split_once(' ')) {
        questions.entry(question).or_default().push(deliverable);
    }
    questions
}

pub(super) fn check(placed: &[Placed<'_>], pdf: &Pdf, asked: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (question, asked) in questions(asked) {
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
