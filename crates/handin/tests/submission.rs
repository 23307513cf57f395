//! The submission of this workspace: complete, and refused as soon as it is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use handin::entries::{Source, entries};
use handin::{HandinError, Submission, latex, markdown, root_above};
use tempfile::TempDir;

fn root() -> PathBuf {
    root_above(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A copy of the files that the entries are gathered from.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for source in entries().flat_map(|entry| entry.sources) {
        let path = folder.path().join(source.file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(root().join(source.file), path).unwrap();
    }
    folder
}

fn code(submission: &Submission, name: &str) -> String {
    let entry = submission.entries().find(|entry| entry.name == name).unwrap();
    entry.listings.iter().map(|listing| listing.code.as_str()).collect()
}

#[test]
fn every_entry_has_the_code_that_answers_it() {
    let submission = Submission::gather(&root()).unwrap();
    assert_eq!(submission.entries().count(), 15);
    for (name, expected) in [
        ("activations.Linear", &["fn value<", "fn gradient<", "map(z, Self::value)"][..]),
        ("activations.Sigmoid", &["fn value<", "fn gradient<", "(-z.abs()).exp()"]),
        ("activations.ReLU", &["fn value<", "fn gradient<", "fn derivative"]),
        ("activations.SoftMax", &["fold_axis(Axis(1)", "y * (&dl_dy - &dot)"]),
        ("layers.FullyConnected", &["matmul(x, w) + b", "matmul(x.t(), dl_dz)", "fn build<"]),
        ("layers.Pool2D", &["fn max_pool_backward", "fn average_pool_forward", "fn output_size"]),
        ("layers.Conv2D.__init__", &["pub struct Conv2DConfig", "pub struct Conv2D<T>"]),
        ("layers.Conv2D._init_parameters", &["self.weight_init.sample", "ArrayD::zeros"]),
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
}

#[test]
fn every_shown_line_stands_in_its_file() {
    for entry in Submission::gather(&root()).unwrap().entries() {
        for listing in &entry.listings {
            let text = fs::read_to_string(root().join(listing.file)).unwrap();
            let lines: BTreeSet<&str> = text.lines().collect();
            for line in listing.code.lines() {
                assert!(lines.contains(line), "{}: {line}", listing.file);
            }
        }
    }
}

/// Renames the definition of an item in a copy of the sources, as if it were not written yet.
fn rename(root: &Path, source: &Source, item: &str) -> bool {
    let path = root.join(source.file);
    let text = fs::read_to_string(&path).unwrap();
    let (owner, name) = item.rsplit_once("::").unwrap_or(("", item));
    // The first after the head of the block; of a trait's block if it is a trait's method.
    let head = match owner.split_once(" for ") {
        Some((of_trait, ty)) => text
            .find(&format!("{of_trait}<T> for {ty}"))
            .or_else(|| text.find(&format!("{of_trait} for {ty}"))),
        None if owner.is_empty() => Some(0),
        None => text
            .find(&format!("\nimpl {owner}"))
            .or_else(|| text.find(&format!("\nimpl<T: Scalar> {owner}"))),
    };
    let Some(head) = head else { return false };
    let found = ["fn ", "struct ", "enum ", "const ", "trait "].iter().find_map(|keyword| {
        ["(", "<", " {", ";", ":"].iter().find_map(|after| {
            let definition = format!("{keyword}{name}{after}");
            let indent = if owner.is_empty() { "\n" } else { "\n    " };
            ["", "pub ", "pub(crate) "].iter().find_map(|before| {
                let at = text[head..].find(&format!("{indent}{before}{definition}"))? + head;
                Some(at + indent.len() + before.len() + keyword.len())
            })
        })
    });
    let Some(at) = found else { return false };
    fs::write(&path, format!("{}gone_{}", &text[..at], &text[at..])).unwrap();
    true
}

#[test]
fn each_item_that_is_not_there_is_an_error_that_names_it() {
    let mut renamed = 0;
    for entry in entries() {
        for source in entry.sources {
            for item in source.items {
                let folder = copy();
                assert!(rename(folder.path(), source, item), "{}: {item}", source.file);
                renamed += 1;
                match Submission::gather(folder.path()).unwrap_err() {
                    HandinError::MissingItem { item: missing, file, .. } => {
                        assert_eq!((&*missing, &*file), (*item, source.file), "{}", entry.name);
                    }
                    other => panic!("{}: {item}: {other}", entry.name),
                }
            }
        }
    }
    assert!(renamed > 90, "only {renamed} items were tried");
}

#[test]
fn near_names_are_told_and_a_missing_block_lacks_its_methods() {
    let folder = copy();
    let path = folder.path().join("crates/activations/src/relu.rs");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("fn derivative<", "fn derivatives<")).unwrap();
    let error = Submission::gather(folder.path()).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "the entry activations.ReLU lacks `derivative`: it is not in \
             crates/activations/src/relu.rs (there are derivatives"
        ),
        "{error}"
    );
    fs::write(&path, text.replace("for ReLU", "for Relu")).unwrap();
    let error = Submission::gather(folder.path()).unwrap_err().to_string();
    assert!(error.contains("lacks `ElementWise for ReLU::value`"), "{error}");
}

#[test]
fn a_kernel_that_is_called_and_not_shown_is_an_error() {
    let folder = copy();
    let path = folder.path().join("crates/losses/src/l2.rs");
    let text = fs::read_to_string(&path).unwrap();
    let split =
        text.replace("let difference = &output - &target;", "let difference = minus(target);");
    fs::write(&path, split + "\nfn minus() {}\n").unwrap();
    let error = Submission::gather(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("the entry losses.L2 is not complete: `L2::forward` uses `minus`"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_gone_or_is_no_rust_is_an_error() {
    let folder = copy();
    let path = folder.path().join("crates/ffnn/src/network.rs");
    fs::write(&path, "fn one() {}\nfn (\n").unwrap();
    let error = Submission::gather(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("crates/ffnn/src/network.rs:2: not Rust"), "{error}");
    fs::remove_file(&path).unwrap();
    let error = Submission::gather(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("cannot read") && error.contains("network.rs"), "{error}");
}

#[test]
fn both_formats_have_the_headings_and_all_entries() {
    let submission = Submission::gather(&root()).unwrap();
    let headings = ["Activation", "Layer", "Loss Function", "Model"];
    let (markdown, latex) = (markdown(&submission, 3), latex(&submission, 3).unwrap());
    for heading in headings {
        assert!(markdown.contains(&format!("### {heading} Implementations:\n")), "{heading}");
        let heading = format!("\\subsubsection{{{heading} Implementations:}}\n");
        assert!(latex.contains(&heading), "{heading}");
    }
    assert_eq!(markdown.matches("Implementation of `").count(), 15);
    assert_eq!(latex.matches("\\handinEntry{Implementation of ").count(), 15);
    assert!(latex.is_ascii());
}
