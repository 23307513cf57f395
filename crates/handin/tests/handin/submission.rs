//! The submission of this workspace: complete, and refused as soon as it is not.

use std::collections::BTreeSet;
use std::fs;

use handin::{ENTRIES, GatheredEntry, gather};
use tempfile::TempDir;

use crate::root;

/// A copy of the files that the entries are gathered from, one of them changed.
fn copy(changed: &str, change: impl Fn(&str) -> String) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ENTRIES.iter().flat_map(|entry| entry.files) {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let text = if *file == changed { change(&text) } else { text };
        system::for_tests::write(folder.path(), file, text);
    }
    folder
}

/// The code of the entry of this name.
fn code(submission: &[GatheredEntry], name: &str) -> String {
    let entry = submission.iter().find(|gathered| gathered.entry.name == name).unwrap();
    entry.listings.iter().map(|listing| listing.code.as_str()).collect()
}

fn refusal(folder: &TempDir) -> String {
    format!("{:#}", gather(folder.path()).unwrap_err())
}

#[test]
fn every_entry_has_the_code_that_answers_it() {
    let submission = gather(&root()).unwrap();
    assert_eq!(submission.len(), 15);
    for (name, expected) in [
        ("activations.Linear", &["fn value<", "fn gradient<", "map(z, Self::value)"][..]),
        ("activations.Sigmoid", &["fn value<", "fn gradient<", "(-z.abs()).exp()"]),
        ("activations.ReLU", &["fn value<", "fn gradient<", "fn derivative"]),
        ("activations.SoftMax", &["fold_axis(Axis(1)", "y * (&dl_dy - &dot)"]),
        ("layers.FullyConnected", &["matmul(x, w) + b", "matmul(x.t(), dl_dz)", "fn build<"]),
        ("layers.Pool2D", &["fn max_pool_backward", "fn average_pool_forward", "fn output_size"]),
        ("layers.Conv2D.__init__", &["pub struct Conv2DConfig", "pub struct Conv2D<T>"]),
        ("layers.Conv2D._init_parameters", &["self.weight_init.sample", "with(\"W\", w)"]),
        ("layers.Conv2D.forward", &["fn forward(&mut self", "fn im2col", "add_matmul(z, columns"]),
        ("layers.Conv2D.backward", &["fn backward(&mut self", "fn col2im", "columns.t(), dl_dz"]),
        ("losses.CrossEntropy", &["at_least_tiny(p).ln()", "-y / (m * at_least_tiny(p))"]),
        ("losses.L2", &["(&difference * &difference).sum()", "(&output - &target) / m"]),
        ("models.NeuralNetwork.forward", &["layer.forward(out)"]),
        ("models.NeuralNetwork.backward", &["layer.backward(dl_dy)", ".rev()"]),
        ("models.NeuralNetwork.predict", &["layer.predict(", "Activation::SoftMax.forward"]),
    ] {
        let code = code(&submission, name);
        for expected in expected {
            assert!(code.contains(expected), "{name}: {expected}");
        }
        for hidden in ["#[cfg(test)]", "#[test]", "ANCHOR"] {
            assert!(!code.contains(hidden), "{name}: {hidden}");
        }
        // What is shown is Rust: a block that was opened is closed.
        let file = syn::parse_file(&code).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!file.items.is_empty(), "{name}");
    }
    // Each line stands in its file, and what an earlier entry shows is not repeated.
    let mut shown = BTreeSet::new();
    for listing in submission.iter().flat_map(|entry| &entry.listings) {
        let text = fs::read_to_string(root().join(listing.file)).unwrap();
        let lines: BTreeSet<&str> = text.lines().collect();
        assert!(listing.code.lines().all(|line| lines.contains(line)), "{}", listing.file);
        for pieces in &listing.lines {
            assert!(shown.insert((listing.file, pieces)), "{}: {pieces:?}", listing.file);
        }
    }
}

#[test]
fn an_item_that_is_not_there_is_an_error_that_names_it() {
    for (file, there, gone, expected) in [
        (
            "crates/activations/src/relu.rs",
            "fn gradient<",
            "fn gradients<",
            "the entry activations.ReLU lacks `ElementWise for ReLU::gradient`: it is not in \
             crates/activations/src/relu.rs; write it, or",
        ),
        (
            "crates/cnn/src/pool2d.rs",
            "Layer<T> for Pool2D<",
            "Gone<T> for Pool2D<",
            "the entry layers.Pool2D lacks `Layer for Pool2D`: it is not in crates/cnn/src/pool2d.rs",
        ),
    ] {
        let error = refusal(&copy(file, |text| text.replace(there, gone)));
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_kernel_that_an_item_calls_is_shown_with_it_whatever_its_name() {
    let split = "let difference = minus(target);";
    let folder = copy("crates/losses/src/l2.rs", |text| {
        text.replace("let difference = &output - &target;", split)
            + "\nfn minus() { other(1) }\n\nfn other() {}\n\nfn unused() {}\n"
    });
    let code = code(&gather(folder.path()).unwrap(), "losses.L2");
    assert!(code.contains(split) && code.ends_with("other(1) }\n\nfn other() {}\n"), "{code}");
}

#[test]
fn a_file_that_is_gone_or_is_no_rust_is_an_error() {
    let network = "crates/network/src/network.rs";
    let folder = copy(network, |_| "fn one() {}\nfn (\n".to_owned());
    let error = refusal(&folder);
    assert!(error.starts_with("crates/network/src/network.rs:2: not Rust"), "{error}");
    fs::remove_file(folder.path().join(network)).unwrap();
    let error = refusal(&folder);
    assert!(error.starts_with("cannot read") && error.contains("network.rs: "), "{error}");
}
