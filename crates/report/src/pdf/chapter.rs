//! A chapter of the book, as its page on the screen has it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::contents;
use crate::markup::{Token, decode, escape, tokens};

/// A chapter as `SUMMARY.md` lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The part that it belongs to; empty before the first.
    pub part: String,
    /// Its name there: `4.1 ReLU`.
    pub name: String,
}

/// What a chapter is for, which decides on its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The first page of all.
    Title,
    /// Text.
    Text,
    /// A question of the assignment: its name has a number and so has its part.
    Question,
    /// All code.
    Appendix,
}

/// A chapter.
#[derive(Clone, Debug, PartialEq)]
pub struct Chapter {
    /// As `SUMMARY.md` names it, in the part that it belongs to.
    pub listed: Listed,
    /// What it is for.
    pub role: Role,
    /// The id of its heading.
    pub id: String,
    /// The text of its heading.
    pub heading: String,
    /// The headings of the next level.
    pub sections: Vec<Section>,
    /// The numbers of its figures, as their captions begin: `Figure 4.1.1.`
    pub figures: Vec<String>,
    html: String,
}

/// A heading within a chapter.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its id.
    pub id: String,
    /// Its text, as HTML.
    pub html: String,
}

/// A file of the appendix.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Its path.
    pub name: String,
    /// What it says.
    pub code: String,
}

/// The part of `SUMMARY.md` with the questions.
const QUESTIONS: &str = "Questions";

impl Role {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Title => "title-pages",
            Self::Text => "text-pages",
            Self::Question => "question-pages",
            Self::Appendix => "appendix-pages",
        }
    }
}

impl Chapter {
    pub(super) fn read(listed: &Listed, html: &str) -> Result<Self> {
        let name = &listed.name;
        let headings = headings(html);
        let Some(first) = headings.first().filter(|h| h.level == 1) else {
            bail!("the chapter {name:?} does not begin with a heading of the first level");
        };
        let role = if html.contains("<div class=\"title-page\">") {
            Role::Title
        } else if html.contains("<div class=\"appendix\">") {
            Role::Appendix
        } else if listed.part == QUESTIONS && name.starts_with(|c: char| c.is_ascii_digit()) {
            Role::Question
        } else {
            Role::Text
        };
        let sections = headings
            .iter()
            .filter(|heading| heading.level == 2)
            .map(|heading| Section { id: heading.id.clone(), html: heading.html.to_owned() })
            .collect();
        let numbered = |text: &str| {
            Some(format!("Figure {}.", between(text, "<strong>Figure ", ".</strong>")?))
        };
        let figures = html.split("<figcaption>").skip(1).filter_map(|caption| {
            numbered(caption.split("</figcaption>").next().unwrap_or_default())
        });
        Ok(Self {
            listed: listed.clone(),
            role,
            id: first.id.clone(),
            heading: plain(first.html),
            sections,
            figures: figures.collect(),
            html: html.to_owned(),
        })
    }

    /// The name above each page.
    #[must_use]
    pub fn running_title(&self) -> &str {
        if self.role == Role::Question { &self.heading } else { &self.listed.name }
    }

    /// The text of its heading on paper.
    #[must_use]
    pub fn printed_heading(&self) -> String {
        match self.number() {
            Some(number) => format!("{number} {}", self.heading),
            None => self.heading.clone(),
        }
    }

    /// The lines of its listings.
    pub fn code_lines(&self) -> impl Iterator<Item = String> {
        let blocks =
            self.html.split("<pre>").skip(1).filter_map(|block| block.split("</pre>").next());
        let lines =
            blocks.flat_map(|block| plain(block).lines().map(str::to_owned).collect::<Vec<_>>());
        lines.filter(|line| !line.trim().is_empty())
    }

    /// The files of the appendix.
    #[must_use]
    pub fn listings(&self) -> Vec<Listing> {
        let mut listings = Vec::new();
        for file in self.html.split("<h3 ").skip(1) {
            let (Some((_, heading)), Some(code)) =
                (file.split_once('>'), between(file, "<pre>", "</pre>"))
            else {
                continue;
            };
            let name = plain(heading.split("</h3>").next().unwrap_or_default());
            listings.push(Listing { name, code: plain(code) });
        }
        listings
    }

    /// All that its page says, piece by piece.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let texts = tokens(&self.html).filter_map(|token| match token {
            Token::Text(text) => Some(decode(text.trim()).into_owned()),
            _ => None,
        });
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// What stands there because a value is missing.
    #[must_use]
    pub fn marked_missing(&self) -> Vec<String> {
        let marked = self.html.split("class=\"missing\">").skip(1);
        marked.filter_map(|text| Some(decode(text.split('<').next()?).into_owned())).collect()
    }

    /// A number that its heading does not have.
    fn number(&self) -> Option<&str> {
        let number = self.listed.name.split(' ').next()?;
        let is_number = number.starts_with(|c: char| c.is_ascii_digit());
        (self.role != Role::Question && is_number).then_some(number)
    }

    pub(super) fn sheet(&self, page: &str) -> String {
        match self.role {
            Role::Title => format!("@page {page} {{ @bottom-center {{ content: none; }} }}\n"),
            Role::Text | Role::Question => sheet(page, self.running_title(), ""),
            Role::Appendix => {
                let paper = "size: letter landscape; margin: 0.5in 0.42in 0.46in;";
                sheet(page, self.running_title(), paper)
            }
        }
    }

    pub(super) fn body(&self, pages: &BTreeMap<String, usize>) -> String {
        if self.role == Role::Appendix {
            return contents::appendix(&self.html, &self.sections, pages);
        }
        let Some(number) = self.number() else { return self.html.clone() };
        // From the table of contents it would be hard to find a heading without its number.
        let heading = format!("<a class=\"header\" href=\"#{}\">", self.id);
        self.html.replacen(&heading, &format!("{heading}{} ", escape(number)), 1)
    }
}

/// The rule of a named page.
pub(super) fn sheet(page: &str, title: &str, rest: &str) -> String {
    let mut text = String::new();
    for c in title.chars() {
        match c {
            '"' | '\\' | '<' => {
                let _ = write!(text, "\\{:x} ", u32::from(c));
            }
            c => text.push(c),
        }
    }
    format!("@page {page} {{ {rest} @top-right {{ content: \"{text}\"; }} }}\n")
}

/// A heading with an id.
struct Heading<'a> {
    level: u32,
    id: String,
    html: &'a str,
}

fn headings(html: &str) -> Vec<Heading<'_>> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find("<h") {
        rest = &rest[at + 2..];
        let Some(level) = rest.chars().next().and_then(|c| c.to_digit(10)) else { continue };
        let Some(id) = rest[1..].strip_prefix(" id=\"") else { continue };
        let Some((id, after)) = id.split_once('"') else { continue };
        let Some(inner) = between(after, ">", &format!("</h{level}>")) else { continue };
        let inner = match inner.strip_prefix("<a class=\"header\"") {
            Some(link) => between(link, ">", "</a>").unwrap_or(inner),
            None => inner,
        };
        found.push(Heading { level, id: decode(id).into_owned(), html: inner });
    }
    found
}

pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// The text of some HTML, without that of its drawings.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut drawings = 0_usize;
    for token in tokens(html) {
        match token {
            Token::Open(tag) if tag.name == "svg" && !tag.self_closing => drawings += 1,
            Token::Close("svg") => drawings = drawings.saturating_sub(1),
            Token::Text(part) if drawings == 0 => text.push_str(&decode(part)),
            _ => {}
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_title_cannot_end_its_string() {
        let rule = sheet("p", "a \"b\" \\ </style>", "");
        assert!(rule.contains(r#"content: "a \22 b\22  \5c  \3c /style>";"#), "{rule}");
    }
}
