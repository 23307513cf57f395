//! The rooms are complete, and every check of them can fail.

mod activations;
mod layers;
mod losses;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{ArrayD, Axis};

use super::all;
use crate::{Check, Context, Kind, rooms};

/// Which result is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Forward,
    Backward,
    Gradients,
    OutputShape,
}

/// Ten times the largest bound of the checks of formulas.
const LITTLE: f64 = 1e-11;

impl Target {
    /// The last element of a result off by a little, since the first one may be the only one that is right; or
    /// the output with all columns twice.
    fn tamper(self, result: Self, mut array: ArrayD<f64>) -> ArrayD<f64> {
        if result == self
            && let Some(last) = array.iter_mut().last()
        {
            *last += LITTLE;
        }
        match (self, result) {
            (Self::OutputShape, Self::Forward) => ndarray::concatenate![Axis(1), array, array],
            _ => array,
        }
    }
}

/// How often it was called before, for what answers differently each time.
fn calls() -> f64 {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed) as f64
}

/// The elements as they lie in memory, whatever the order of the axes.
fn in_order_of_memory(array: &ArrayD<f64>) -> ArrayD<f64> {
    let elements = array.as_slice_memory_order().map(<[f64]>::to_vec);
    ArrayD::from_shape_vec(array.raw_dim(), elements.unwrap_or_default()).unwrap_or(array.clone())
}

fn context() -> Context {
    Context { seed: 1, unshrunk: true, ..Context::default() }
}

/// The names of the checks of this kind that fail where a result of an activation, a layer or a loss is off.
fn caught(kind: Kind, target: Target) -> BTreeSet<String> {
    let layers = rooms::layers().map(|room| room.checks_of(layers::wrong("", Some(target))));
    let checks = layers.into_iter().chain(activations::off(target)).chain(losses::off(target));
    let failing = checks.flatten().filter(|c| c.kind == kind && !c.outcome(&context()).passed());
    failing.map(|check| check.id().replace("formulas.", "").replace("adjoint.", "")).collect()
}

fn names(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

pub(crate) fn every_formula_sees_a_small_error_in_what_it_is_of() {
    let of_outputs = "relu-forward softmax-plain softmax-forward gelu-forward fully-connected-index \
        fully-connected-forward fully-connected-composed fully-connected-without-bias flatten-backward \
        conv-plain conv2d-forward conv2d-composed conv2d-without-bias im2col max-pool-forward \
        average-pool-forward global-average-pool-forward batch-norm-forward batch-norm-predict \
        batch-norm-without-scale dropout-mask dropout-forward dropout-predict cross-entropy l2 \
        softmax-cross-entropy softmax-cross-entropy-composed";
    assert_eq!(caught(Kind::Formula, Target::Forward), names(of_outputs));
    let of_inputs = "linear-backward sigmoid-backward tanh-backward relu-backward softmax-jacobian \
        softmax-backward arctan-backward gelu-backward fully-connected-dx fully-connected-composed \
        fully-connected-without-bias flatten-backward conv-c conv2d-dx conv2d-composed \
        conv2d-without-bias im2col-backward max-pool-backward average-pool-backward \
        global-average-pool-backward batch-norm-dx batch-norm-scale batch-norm-without-scale dropout-backward \
        cross-entropy-backward l2-backward softmax-cross-entropy-backward";
    assert_eq!(caught(Kind::Formula, Target::Backward), names(of_inputs));
    let of_parameters = "fully-connected-dw fully-connected-db fully-connected-composed \
        fully-connected-without-bias conv-a conv-b conv2d-db conv2d-dw conv2d-composed \
        conv2d-without-bias im2col-backward batch-norm-dgamma batch-norm-dbeta batch-norm-scale \
        batch-norm-without-scale";
    assert_eq!(caught(Kind::Formula, Target::Gradients), names(of_parameters));
    assert!(caught(Kind::Formula, Target::OutputShape).contains("conv2d-output-size"));
}

pub(crate) fn a_small_error_in_either_pass_breaks_the_equality_of_adjoints() {
    let of_outputs = "FullyConnected.in_x FullyConnected.in_w FullyConnected.in_b Flatten.in_x \
        Conv2D.in_x Conv2D.in_w Conv2D.in_b Pool2D.average_in_x GlobalAveragePool2D.in_x \
        Dropout.in_x_with_the_mask_fixed";
    assert_eq!(caught(Kind::Adjoint, Target::Forward), names(of_outputs));
    let of_inputs = "FullyConnected.in_x Flatten.in_x Conv2D.in_x Pool2D.average_in_x \
        Pool2D.max_in_x_with_winners_fixed GlobalAveragePool2D.in_x Dropout.in_x_with_the_mask_fixed";
    assert_eq!(caught(Kind::Adjoint, Target::Backward), names(of_inputs));
    let of_parameters = "FullyConnected.in_w FullyConnected.in_b Conv2D.in_w Conv2D.in_b";
    assert_eq!(caught(Kind::Adjoint, Target::Gradients), names(of_parameters));
}

pub(crate) fn a_small_error_in_any_result_breaks_a_proof() {
    let linear = "FullyConnected Flatten Conv2D GlobalAveragePool2D Pool2D Dropout";
    let named = |layers: &str| {
        let name = |layer: &str| match layer {
            "Pool2D" => "proofs.Pool2D.average_on_all_basis_vectors".to_owned(),
            "Dropout" => "proofs.Dropout.on_all_basis_vectors_with_the_mask_fixed".to_owned(),
            _ => format!("proofs.{layer}.on_all_basis_vectors"),
        };
        layers.split(' ').map(name).collect::<BTreeSet<_>>()
    };
    assert_eq!(caught(Kind::Proof, Target::Forward), named(linear));
    assert_eq!(caught(Kind::Proof, Target::Backward), named(linear));
    assert_eq!(caught(Kind::Proof, Target::Gradients), named("FullyConnected Conv2D"));
}

pub(crate) fn every_claim_can_be_broken() {
    // A claim that several activations make, say, is one function: breaking it once is enough.
    let claims = |family: &'static str, checks: &[Check], only_failing: bool| {
        let own = checks.iter().filter(|check| check.kind == Kind::Property);
        let own = own.filter(|check| !only_failing || !check.outcome(&context()).passed());
        own.map(|check| (family, check.name.clone())).collect::<Vec<_>>()
    };
    let mut broken = BTreeSet::new();
    for (family, wrong) in
        [("activation", activations::all()), ("layer", layers::all()), ("loss", losses::all())]
    {
        broken.extend(wrong.iter().flat_map(|checks| claims(family, checks, true)));
    }
    let mut made = BTreeSet::new();
    for room in all() {
        made.extend(claims(room.family, &(room.checks)(), false));
        for bug in room.bugs {
            broken.extend(claims(room.family, &(room.checks_with)(bug.id), true));
        }
    }
    assert_eq!(made.difference(&broken).collect::<Vec<_>>(), Vec::<&(&str, String)>::new());
}

/// The list in CONTRIBUTING.md, for each class of layers that there is.
pub(crate) fn every_layer_has_all_that_a_layer_needs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read =
        |path: &str| fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut classes = BTreeSet::new();
    for folder in ["crates/layers/src", "crates/cnn/src"] {
        for file in fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            let code = if path.is_file() { fs::read_to_string(path).unwrap() } else { continue };
            // Whitening is no layer; it names itself in errors as layers do.
            if code.contains("impl<T: Scalar> Layer<T> for") {
                let kind = code.split("const KIND: &str = \"").nth(1).unwrap();
                classes.insert(kind.split('"').next().unwrap().to_owned());
            }
        }
    }
    let rooms = rooms::layers();
    let own: BTreeSet<_> = rooms.iter().map(|room| room.name.to_owned()).collect();
    assert_eq!(classes, own, "a layer and its room in crates/harness/src/rooms.rs");
    let (manifest, specs) =
        (read("fixtures/manifest.toml"), read("crates/training/src/layer_spec.rs"));
    let chapters: String = fs::read_dir(root.join("book/src"))
        .unwrap()
        .filter_map(|file| fs::read_to_string(file.unwrap().path()).ok())
        .collect();
    for room in all().iter().filter(|room| room.family == "layer") {
        let layer = rooms.iter().find(|layer| layer.name == room.name).unwrap();
        let (name, kind) = (layer.name, layer.kind);
        assert!(specs.contains(&format!("rename = \"{kind}\"")), "{name} in layer_spec.rs");
        assert!(manifest.contains(&format!("kind = \"{kind}\"")), "{name} in the fixtures");
        let checks = (room.checks)();
        let of = |kind| checks.iter().filter(move |check| check.kind == kind);
        assert!(of(Kind::Gradient).count() == 1 && !(layer.invalid)().is_empty(), "{name}");
        assert!(!room.bugs.is_empty() && !(layer.table)().is_empty(), "{name}");
        assert!(of(Kind::Formula).count() > 0, "formulas of {name}");
        for formula in of(Kind::Formula) {
            let equation = format!("{{#eq:{}", formula.name);
            assert!(chapters.contains(&equation), "{equation} .result}} of {name} in the book");
        }
    }
}
