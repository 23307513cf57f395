//! Whether a page is HTML by the letter: what the parser of the standard would have to repair.

use std::collections::BTreeMap;

use html5ever::tendril::TendrilSink;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::RcDom;

/// The parse errors of a page, each once with how often it occurs.
#[must_use]
pub fn errors(page: &str) -> Vec<String> {
    let options = ParseOpts {
        tokenizer: TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() },
        tree_builder: TreeBuilderOpts { exact_errors: true, ..TreeBuilderOpts::default() },
    };
    let document = parse_document(RcDom::default(), options).one(page);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for error in document.errors.borrow().iter() {
        *counts.entry(error.to_string()).or_default() += 1;
    }
    let line = |(error, count)| format!("the page is not valid HTML: {error} ({count} times)");
    counts.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> String {
        format!("<!DOCTYPE html><html><head><title>a</title></head><body>{body}</body></html>")
    }

    #[test]
    fn what_the_standard_allows_has_no_errors() {
        let body =
            "<p>a<svg viewBox=\"0 0 1 1\"><use href=\"#x\"/></svg><math><mi>x</mi></math></p>";
        assert_eq!(errors(&page(body)), [""; 0]);
    }

    #[test]
    fn what_has_to_be_repaired_is_an_error() {
        for body in [
            "<p><b>a</p></b>",
            "<ul><li>a</li></li></ul>",
            "<p id=a id=b>a</p>",
            "<table><p>a</p></table>",
            "<p>a &nosuch; b</p>",
            "<div>a",
        ] {
            let errors = errors(&page(body));
            assert!(!errors.is_empty(), "{body}");
            assert!(errors[0].starts_with("the page is not valid HTML: "), "{errors:?}");
        }
        assert!(!errors("<p>no doctype</p>").is_empty());
    }
}
