//! A page of the finished book, as a browser reads it and as far as the checks concern it; and the SVG and
//! MathML in it, as trees.
//!
//! In a crate of its own because the parser is generic code, compiled where it is called, and slow unless it is optimised:
//! the pages have many megabytes.

use std::collections::{BTreeMap, BTreeSet};

use html5ever::tendril::TendrilSink;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

mod xml;

pub use xml::{Element, Node, escape};

/// The parts of a page that the checks of the book concern.
#[derive(Debug, Default)]
pub struct Page {
    /// The ids of its elements.
    pub ids: BTreeSet<String>,
    /// The targets that a reader can follow.
    pub links: Vec<String>,
    /// The files that a browser loads without being asked.
    pub loads: Vec<String>,
    /// Faults of the page in itself.
    pub faults: Vec<String>,
}

/// Marks that must not be left over in the text of a page, and their meaning.
const LEFTOVERS: [(&str, &str); 4] = [
    ("{{#", "a directive that was not expanded"),
    ("[@", "a reference that was not resolved"),
    ("??", "a reference that was not resolved"),
    ("$$", "a formula that was not rendered"),
];

impl Page {
    /// Reads a page. What the standard's parser has to repair is a fault of it.
    pub fn read(text: &str) -> Self {
        let options = ParseOpts {
            tokenizer: TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() },
            tree_builder: TreeBuilderOpts {
                exact_errors: true,
                // Otherwise what stands in for scripts would be text.
                scripting_enabled: false,
                ..TreeBuilderOpts::default()
            },
        };
        let document = parse_document(RcDom::default(), options).one(text);
        let mut page = Self::default();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for error in document.errors.borrow().iter() {
            *counts.entry(error.to_string()).or_default() += 1;
        }
        page.faults.extend(
            counts.into_iter().map(|(error, count)| {
                format!("the page is not valid HTML: {error} ({count} times)")
            }),
        );
        page.visit(&document.document, "");
        page
    }

    /// Takes what a node and all within it have; `verbatim` names the element whose text is no text.
    fn visit(&mut self, node: &Handle, verbatim: &str) {
        let mut inner = verbatim;
        match &node.data {
            NodeData::Element { name, attrs, .. } => {
                let element = &*name.local;
                for attribute in attrs.borrow().iter() {
                    self.attribute(element, &attribute.name.local, &attribute.value);
                }
                let has_alt = |name: &str, value: &str| name == "alt" && !value.trim().is_empty();
                if element == "img"
                    && !attrs.borrow().iter().any(|a| has_alt(&a.name.local, &a.value))
                {
                    self.faults.push("an image has no alternative text".to_owned());
                }
                if let "pre" | "code" | "script" | "style" = element {
                    inner = element;
                }
            }
            NodeData::Text { contents } if verbatim == "style" => {
                self.loads.extend(style_targets(&contents.borrow()));
            }
            NodeData::Text { contents } if verbatim.is_empty() => {
                let contents = contents.borrow();
                for (mark, meaning) in LEFTOVERS.iter().filter(|(mark, _)| contents.contains(mark))
                {
                    let text: String = contents.trim().chars().take(60).collect();
                    self.faults.push(format!("`{mark}` in \"{text}\": {meaning}"));
                }
            }
            _ => {}
        }
        for child in node.children.borrow().iter() {
            self.visit(child, inner);
        }
    }

    fn attribute(&mut self, element: &str, name: &str, value: &str) {
        match (element, name) {
            (_, "id") if !self.ids.insert(value.to_owned()) => {
                self.faults.push(format!("two elements have the id `{value}`"));
            }
            (_, "data-slot") => self.faults.push("a slot was not filled".to_owned()),
            (_, "class") if value.split(' ').any(|class| class == "playground") => {
                let fault = "a code block could be run, for which the network is asked";
                self.faults.push(fault.to_owned());
            }
            ("a" | "area", "href") => self.links.push(value.to_owned()),
            (_, "src" | "href" | "data" | "poster") => self.loads.push(value.to_owned()),
            (_, "srcset") => {
                let images = value.split(',').filter_map(|i| i.split_whitespace().next());
                self.loads.extend(images.map(str::to_owned));
            }
            (_, "style") => self.loads.extend(style_targets(value)),
            _ => {}
        }
    }
}

/// The files that a style sheet loads.
pub fn style_targets(css: &str) -> Vec<String> {
    let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    let urls = css
        .match_indices("url(")
        .filter_map(|(at, _)| css[at + 4..].split_once(')').map(|(target, _)| unquoted(target)));
    let imports = css.match_indices("@import").filter_map(|(at, _)| {
        let rest = css[at + 7..].split_once(';').map_or(&css[at + 7..], |(rest, _)| rest);
        (!rest.contains("url(")).then(|| unquoted(rest))
    });
    urls.chain(imports).collect()
}
