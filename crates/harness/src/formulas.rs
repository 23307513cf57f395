//! Every formula that the book derives, transcribed literally and compared with the implementation.
//!
//! A transcription is a loop for every index of the formula, or an einsum string; the index
//! arithmetic of windows is written out here too and shares no code with the layers. Random inputs
//! are drawn from `[-1, 1)` unless a formula says otherwise.
//!
//! # Bounds
//! With `u = 2⁻⁵³`, a sum of n terms of magnitude at most 1 is off by at most `n u · n`, in whatever
//! order it is taken. Shapes are drawn so that n is at most 64: two such sums differ by less than
//! `2 · 64² u = 9.1e-13`, which is the bound of sums, rounded up to 1e-12. Where a formula only moves
//! numbers or compares them, the bound is 0.

mod batch_norm;
mod conv2d;
mod conv2d_plain;
mod cycle;
mod dirac;
mod dropout;
mod einsum;
mod einsum_rule;
mod elementwise;
mod exponential;
mod flatten;
mod fully_connected;
mod gelu;
mod global_average_pool2d;
mod im2col;
mod label_smoothing;
mod losses;
pub(crate) mod muon;
mod network;
mod numeric_gradient;
mod pool2d;
mod sgd;
mod sgd_training;
mod softmax;
pub(crate) mod whitening;
pub(crate) mod winograd;

use crate::cases::{Case, Cases, Failure};
use crate::{Check, Kind, LayerClass, Subject};

/// Random cases of each formula.
const CASES: usize = 40;

/// Nothing is rounded.
const EXACT: f64 = 0.0;

/// Sums of at most 64 terms of magnitude at most 1.
const SUMS: f64 = 1e-12;

/// The transcriptions of what the subject computes.
#[must_use]
pub fn checks(subject: &Subject<f64>) -> Vec<Check> {
    match subject {
        Subject::Activation(activations::Activation::SoftMax, softmax) => softmax::checks(softmax),
        Subject::Activation(activations::Activation::GELU, gelu) => gelu::checks(gelu),
        Subject::Activation(activation, implementation) => {
            elementwise::checks(*activation, implementation)
        }
        Subject::Loss(loss, implementation) => losses::checks(*loss, implementation),
        Subject::Network(implementation) => network::checks(implementation),
        Subject::Einsum(implementation) => einsum_rule::checks(implementation),
        Subject::Layer(class, implementation) => match class {
            LayerClass::FullyConnected => fully_connected::checks(implementation),
            LayerClass::Flatten => flatten::checks(implementation),
            LayerClass::Conv2D => [
                conv2d_plain::checks(implementation),
                conv2d::checks(implementation),
                im2col::checks(implementation),
            ]
            .into_iter()
            .flatten()
            .collect(),
            LayerClass::Pool2D => pool2d::checks(implementation),
            LayerClass::BatchNorm => batch_norm::checks(implementation),
            LayerClass::Dropout => dropout::checks(implementation),
            LayerClass::GlobalAveragePool2D => global_average_pool2d::checks(implementation),
        },
        Subject::Sgd(implementation) => sgd_training::checks(implementation),
        Subject::Muon(implementation) => muon::checks(implementation),
        Subject::Schedule(implementation) => {
            let mut checks = cycle::checks(implementation);
            checks.push(exponential::check(implementation));
            checks
        }
        Subject::Smoothing(implementation) => label_smoothing::checks(implementation),
        Subject::Whitening(implementation) => whitening::checks(implementation),
    }
}

/// The transcriptions of what is no [`Subject`]: the chain rule of all element-wise activations,
/// gradient descent, the optimiser, the identity as initial weights, the numeric gradient, and the
/// algorithm that a convolution in `f64` does not choose.
#[must_use]
pub fn free_checks() -> Vec<Check> {
    let mut checks = elementwise::free_checks();
    checks.push(network::gradient_descent_check());
    checks.extend([sgd::check(), dirac::check(), numeric_gradient::check()]);
    checks.extend(winograd::checks());
    checks
}

fn formula(
    question: &'static str,
    name: &str,
    bound: f64,
    one: impl Fn(&mut Case) -> Result<(), Failure> + Send + Sync + 'static,
) -> Check {
    Cases { count: CASES, bound }.check(question, Kind::Formula, "formulas", name, one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tampered::{self, Target};

    #[test]
    fn the_implementations_compute_the_formulas() {
        tampered::assert_all_pass(Subject::all_real().iter().flat_map(checks).collect());
        tampered::assert_all_pass(free_checks());
    }

    #[test]
    fn every_check_of_an_output_sees_a_small_error_in_it() {
        let caught = tampered::caught(checks, tampered::all(Target::Forward));
        let names = caught.join(" ").replace("formulas.", "");
        assert_eq!(
            names,
            "relu-forward softmax-plain softmax-forward gelu-forward fully-connected-index fully-connected-forward fully-connected-composed fully-connected-without-bias \
             flatten-backward conv-plain conv2d-forward conv2d-composed conv2d-without-bias im2col max-pool-forward average-pool-forward \
             global-average-pool-forward batch-norm-forward batch-norm-predict batch-norm-without-scale \
             dropout-mask dropout-forward dropout-predict cross-entropy l2 softmax-cross-entropy softmax-cross-entropy-composed"
        );
    }

    #[test]
    fn every_check_of_a_gradient_sees_a_small_error_in_it() {
        let caught = tampered::caught(checks, tampered::all(Target::Backward));
        let names = caught.join(" ").replace("formulas.", "");
        assert_eq!(
            names,
            "linear-backward sigmoid-backward tanh-backward relu-backward softmax-jacobian \
             softmax-backward arctan-backward gelu-backward fully-connected-dx fully-connected-composed fully-connected-without-bias \
             flatten-backward conv-c conv2d-dx conv2d-composed conv2d-without-bias im2col-backward max-pool-backward average-pool-backward \
             global-average-pool-backward batch-norm-dx batch-norm-without-scale \
             dropout-backward cross-entropy-backward l2-backward softmax-cross-entropy-backward"
        );
        let caught = tampered::caught(checks, tampered::all(Target::Gradients));
        let names = caught.join(" ").replace("formulas.", "");
        assert_eq!(
            names,
            "fully-connected-dw fully-connected-db fully-connected-composed fully-connected-without-bias \
             conv-a conv-b conv2d-db conv2d-dw conv2d-composed conv2d-without-bias im2col-backward batch-norm-dgamma batch-norm-dbeta batch-norm-without-scale"
        );
    }

    #[test]
    fn an_output_of_another_size_is_seen() {
        let caught = tampered::caught(checks, tampered::all(Target::OutputShape));
        assert!(caught.contains(&"formulas.conv2d-output-size".to_owned()), "{caught:?}");
    }
}
