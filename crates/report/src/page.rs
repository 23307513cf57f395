//! A page of the finished book, as far as the checks concern it.

use std::collections::BTreeSet;

use crate::markup::{Token, decode, tokens};

/// What a page has, as far as it concerns the checks.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The ids of its elements.
    pub(crate) ids: BTreeSet<String>,
    /// Ids that occur more than once.
    pub(crate) duplicates: Vec<String>,
    /// What a reader can follow.
    pub(crate) links: Vec<String>,
    /// What a browser loads without being asked.
    pub(crate) loads: Vec<String>,
    /// What is wrong with the page in itself.
    pub(crate) faults: Vec<String>,
}

/// What must not be left over in the text of a page, and what it would be.
const LEFTOVERS: [(&str, &str); 4] = [
    ("{{#", "a directive that was not expanded"),
    ("[@", "a reference that was not resolved"),
    ("??", "a reference that was not resolved"),
    ("$$", "a formula that was not rendered"),
];

impl Page {
    /// Reads a page.
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut open: Vec<&str> = Vec::new();
        for token in tokens(text) {
            match token {
                Token::Open(tag) => {
                    if let Some(id) = tag.get("id")
                        && !page.ids.insert(id.to_owned())
                    {
                        page.duplicates.push(id.to_owned());
                    }
                    if tag.get("data-slot").is_some() {
                        page.faults.push("a slot was not filled".to_owned());
                    }
                    if tag
                        .get("class")
                        .is_some_and(|class| class.split(' ').any(|c| c == "playground"))
                    {
                        page.faults.push(
                            "a code block could be run, for which the network is asked".to_owned(),
                        );
                    }
                    if tag.name == "img" && tag.get("alt").is_none_or(|alt| alt.trim().is_empty()) {
                        page.faults.push("an image has no alternative text".to_owned());
                    }
                    for (name, value) in &tag.attributes {
                        match (tag.name, *name) {
                            ("a" | "area", "href") => page.links.push(value.clone().into_owned()),
                            (_, "src" | "href" | "data" | "poster" | "xlink:href") => {
                                page.loads.push(value.clone().into_owned());
                            }
                            (_, "srcset") => {
                                let images =
                                    value.split(',').filter_map(|i| i.split_whitespace().next());
                                page.loads.extend(images.map(str::to_owned));
                            }
                            (_, "style") => page.loads.extend(style_targets(value)),
                            _ => {}
                        }
                    }
                    if matches!(tag.name, "pre" | "code" | "script" | "style") && !tag.self_closing
                    {
                        open.push(tag.name);
                    }
                }
                Token::Close(name) => {
                    if open.last() == Some(&name) {
                        open.pop();
                    }
                }
                Token::Text(text) => match open.last() {
                    Some(&"style") => page.loads.extend(style_targets(text)),
                    Some(_) => {}
                    None => {
                        for (mark, meaning) in LEFTOVERS {
                            if text.contains(mark) {
                                let text: String = decode(text.trim()).chars().take(60).collect();
                                page.faults.push(format!("`{mark}` in \"{text}\": {meaning}"));
                            }
                        }
                    }
                },
                Token::Other => {}
            }
        }
        page
    }
}

/// What a style sheet loads.
pub(crate) fn style_targets(css: &str) -> Vec<String> {
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
