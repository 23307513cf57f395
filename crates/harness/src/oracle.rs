//! What the course does not test, against the same independent oracle: extreme inputs, every form of
//! padding, ties, gradients of the parameters, the fused loss, the optimiser and whole networks.
//!
//! The configuration of each entry stands in the manifest of the fixtures.

mod manifest;
mod network;
mod sgd;
mod training;

use std::path::Path;

use numerics::Scalar;

use manifest::Config;

use crate::course::{
    self, Entry, Pass, Rule, Tally, activation_pass, bound, layer_pass, loss_pass,
};
use crate::npz::Npz;
use crate::{Check, HarnessError, Kind, LayerClass, Outcome, Subject};

/// The further fixtures of a subject, in groups that begin with `extra`, or `extra_f4` for `f32`.
#[must_use]
pub fn checks<T: Scalar>(subject: &Subject<T>) -> Vec<Check> {
    let prefix = if T::DTYPE == "f8" { "extra" } else { "extra_f4" };
    if let Some(check) = training::check(subject, prefix) {
        return vec![check];
    }
    if let Subject::Network(implementation) = subject {
        return network::checks::<T>(implementation);
    }
    let Some((file, class)) = file_and_class(subject) else { return vec![] };
    let group = format!("{prefix}.{}.{class}", course::module(subject));
    let passes: &[Pass] = match subject {
        Subject::Layer(LayerClass::FullyConnected | LayerClass::Conv2D, _) => {
            &[Pass::Forward, Pass::Backward, Pass::Gradients]
        }
        Subject::Layer(LayerClass::BatchNorm, _) => {
            &[Pass::Forward, Pass::Backward, Pass::Gradients, Pass::Predict]
        }
        Subject::Layer(LayerClass::Dropout, _) => &[Pass::Forward, Pass::Backward, Pass::Predict],
        _ => &[Pass::Forward, Pass::Backward],
    };
    let check = |&pass: &Pass| {
        let subject = subject.clone();
        Check::new(subject.question(), Kind::Oracle, &group, pass.test_name(), move |context| {
            course::outcome(run(&subject, &context.fixtures, file, pass))
        })
    };
    passes.iter().map(check).collect()
}

/// What is no [`Subject`]: the optimiser, with the parameter after each of several steps.
#[must_use]
pub fn free_checks() -> Vec<Check> {
    fn check<T: Scalar>(group: &'static str) -> Check {
        Check::new("5", Kind::Oracle, group, "test_update", |context| {
            course::outcome(sgd::run::<T>(&context.fixtures))
        })
    }
    vec![
        check::<f64>("extra.test_optimizers.TestSgd"),
        check::<f32>("extra_f4.test_optimizers.TestSgd"),
    ]
}

/// The file with the entries of a subject, and the name of the test class.
fn file_and_class<T: Scalar>(subject: &Subject<T>) -> Option<(&'static str, String)> {
    let file = match subject {
        Subject::Activation(activations::Activation::GELU, _) => "GELU",
        Subject::Activation(..) => {
            return Some(("Activations", format!("Test{}", subject.name())));
        }
        Subject::Layer(LayerClass::FullyConnected, _) => "FullyConnected",
        Subject::Layer(LayerClass::Conv2D, _) => "Conv2DPads",
        Subject::Layer(LayerClass::Pool2D, _) => "Pool2DPads",
        Subject::Layer(LayerClass::BatchNorm, _) => "BatchNorm",
        Subject::Layer(LayerClass::Dropout, _) => "Dropout",
        Subject::Layer(LayerClass::GlobalAveragePool2D, _) => "GlobalAveragePool2D",
        Subject::Layer(LayerClass::Flatten, _) => return None,
        Subject::Loss(losses::Loss::L2, _) => "L2",
        Subject::Loss(losses::Loss::SoftmaxCrossEntropy, _) => "SoftMaxCrossEntropy",
        Subject::Loss(losses::Loss::CrossEntropy, _) => return None,
        Subject::Network(_) | Subject::Einsum(_) => return None,
        Subject::Sgd(_)
        | Subject::Muon(_)
        | Subject::Schedule(_)
        | Subject::Smoothing(_)
        | Subject::Whitening(_) => return None,
    };
    Some((file, format!("Test{file}")))
}

fn run<T: Scalar>(
    subject: &Subject<T>,
    fixtures: &Path,
    file: &str,
    pass: Pass,
) -> Result<Outcome, HarnessError> {
    let configs = manifest::entries(fixtures, &format!("fixtures/extra/{file}.npz"))?;
    let mut npz = Npz::open(&fixtures.join("extra").join(file).with_extension("npz"))?;
    manifest::check_count(&npz, configs.len())?;
    let mut tally = Tally::new(npz.file(), Rule::Relative(bound::<T>()));
    for (index, config) in configs.iter().enumerate() {
        let entry = &mut Entry::new(&mut npz, index);
        match (subject, config) {
            (Subject::Activation(own, activation), Config::Activation { activation: of }) => {
                // All activations share a file.
                if own == of {
                    activation_pass(activation.as_ref(), entry, pass, &mut tally)?;
                }
            }
            (Subject::Loss(_, loss), Config::L2 | Config::SoftmaxCrossEntropy) => {
                loss_pass(loss.as_ref(), entry, pass, &mut tally)?;
            }
            (Subject::Layer(class, layer), config) if config.class() == Some(*class) => {
                layer_pass(layer.as_ref(), |x| config.spec(x), entry, pass, &mut tally)?;
            }
            _ => return Err(manifest::unexpected(fixtures, file, index)),
        }
    }
    Ok(tally.outcome())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    fn context() -> Context {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        Context { fixtures, course_data: None, seed: 0, case: None }
    }

    fn assert_all_pass(checks: Vec<Check>) -> usize {
        let mut cases = 0;
        for check in checks {
            let outcome = check.outcome(&context());
            assert!(outcome.passed(), "{}: {}", check.id(), outcome.detail);
            cases += outcome.cases;
        }
        cases
    }

    #[test]
    fn the_real_implementations_agree_with_every_entry() {
        // Of 13 + 4 activations, 12 fully-connected layers, 19 convolutions, 16 poolings, 4 global
        // ones, 4 batch normalisations, 6 dropouts, 3 + 7 losses:
        // output and dL/dX; dW and db of 31 layers; dγ, dβ and the prediction of 4; the prediction of 6.
        let layers_and_losses = 2 * (17 + 12 + 19 + 16 + 4 + 4 + 6 + 10) + 2 * 31 + 3 * 4 + 6;
        // 10 optimisers; Muon of 7 parameters; 12 smoothed targets, each with loss and gradient.
        let expected = layers_and_losses + 10 + 7 + 3 * 12;
        let wide = Subject::<f64>::all_real();
        // A schedule has one precision, and so have the two networks of three layers with parameters:
        // outputs; dW and db; losses, W and b.
        let once = 13 + 2 + 2 * 6 + 2 * 7;
        assert_eq!(assert_all_pass(wide.iter().flat_map(checks).collect()), expected + once);
        let narrow = Subject::<f32>::all_real();
        assert_eq!(assert_all_pass(narrow.iter().flat_map(checks).collect()), expected);
    }

    #[test]
    fn the_optimizer_agrees_with_every_step() {
        assert_eq!(assert_all_pass(free_checks()), 2 * 5);
    }

    #[test]
    fn without_the_manifest_nothing_passes() {
        let nowhere = tempfile::tempdir().unwrap();
        let context = Context { fixtures: nowhere.path().to_owned(), ..context() };
        for check in Subject::<f64>::all_real().iter().flat_map(checks) {
            let outcome = check.outcome(&context);
            assert!(outcome.detail.contains("manifest.toml: cannot be read"), "{outcome:?}");
        }
    }
}
