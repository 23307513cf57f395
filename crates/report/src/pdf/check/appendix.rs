//! The appendix: every file complete, the graded ones among them, each crate on pages of its own.

use super::{pages_of, squeezed_body};
use crate::pdf::chapter::{Chapter, Listing, Role, plain};
use crate::pdf::read::{Pdf, squeezed};

/// What the course grades, by the name that its own submission script has, with the file and the line
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
    ("models.NeuralNetwork.forward", "crates/ffnn/src/network.rs", "pub fn forward("),
    ("models.NeuralNetwork.backward", "crates/ffnn/src/network.rs", "pub fn backward("),
    ("models.NeuralNetwork.predict", "crates/ffnn/src/network.rs", "pub fn predict("),
];

pub(super) fn check(chapters: &[Chapter], pdf: &Pdf) -> Vec<String> {
    let Some(index) = chapters.iter().position(|chapter| chapter.role == Role::Appendix) else {
        return vec!["the book has no appendix with its code".to_owned()];
    };
    let Some(range) = pages_of(chapters, index, pdf) else {
        return vec!["the appendix has no pages".to_owned()];
    };
    let mut problems = Vec::new();
    let pages = &pdf.pages[range.start - 1..range.end - 1];
    let text: String = pages.iter().map(squeezed_body).collect();
    let listings = chapters[index].listings();
    let mut rest = text.as_str();
    let mut printed = Vec::new();
    for listing in &listings {
        match find(rest, listing) {
            Ok(after) => {
                rest = after;
                printed.push(listing);
            }
            Err(problem) => problems.push(problem),
        }
    }
    for (name, file, line) in GRADED {
        let begins = |listing: &&&Listing| listing.name == file && listing.code.contains(line);
        if !printed.iter().any(|listing| begins(&listing)) {
            problems.push(format!("the appendix lacks {name}: `{line}` in {file}"));
        }
    }
    for section in &chapters[index].sections {
        let name = plain(&section.html);
        let page = pdf.destinations.get(&section.id).and_then(|spot| pdf.pages.get(spot.page - 1));
        if !page.is_some_and(|page| squeezed_body(page).starts_with(&squeezed([name.as_str()]))) {
            problems.push(format!("{name} does not begin at the top of a page"));
        }
    }
    problems
}

/// The text after a file's name and code, or the first line of it that is not there.
fn find<'a>(text: &'a str, listing: &Listing) -> Result<&'a str, String> {
    let Listing { name, code } = listing;
    let heading = squeezed([name.as_str()]);
    let begins = |(at, _): &(usize, &str)| {
        let first = squeezed([code.lines().next().unwrap_or_default()]);
        text[at + heading.len()..].starts_with(&first)
    };
    let mut places = text.match_indices(&heading);
    // Where the file's name stands in other code, the file does not begin.
    let Some((at, _)) = places.clone().find(begins).or_else(|| places.next()) else {
        return Err(format!("the appendix lacks {name}, or it is out of order"));
    };
    let mut rest = &text[at + heading.len()..];
    for line in code.lines() {
        rest = rest.strip_prefix(squeezed([line]).as_str()).ok_or_else(|| {
            format!("the appendix lacks, in its place, the line `{}` of {name}", line.trim())
        })?;
    }
    Ok(rest)
}
