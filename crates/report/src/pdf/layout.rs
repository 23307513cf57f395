//! The document that is printed: `print.html`, taken apart and put together for paper.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};

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

/// The chapters of a book, ready for paper.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The links to style sheets and the highlighter of the head.
    head: String,
    /// The definitions of the formulas' glyphs.
    glyphs: String,
    /// In order, the title page first.
    pub chapters: Vec<Chapter>,
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

/// What mdBook puts between two chapters.
const SEPARATOR: &str = "<div style=\"break-before: page; page-break-before: always;\"></div>";

/// The part of `SUMMARY.md` with the questions.
const QUESTIONS: &str = "Questions";

impl Layout {
    /// Takes `print.html` apart.
    ///
    /// # Errors
    /// If it does not have the chapters that are listed.
    pub fn read(print: &str, listed: &[Listed]) -> Result<Self> {
        let (head, body) = print.split_once("</head>").context("print.html has no </head>")?;
        let body = between(body, "<main>", "</main>").context("print.html has no <main>")?;
        let (glyphs, body) = match body.trim_start().strip_prefix("<svg class=\"glyphs\"") {
            Some(rest) => {
                let (_, after) = rest.split_once("</svg>").context("the glyphs have no end")?;
                body.split_at(body.len() - after.len())
            }
            None => ("", body),
        };
        let texts: Vec<&str> = body.split(SEPARATOR).collect();
        ensure!(
            texts.len() == listed.len(),
            "print.html has {} chapters, but SUMMARY.md lists {}",
            texts.len(),
            listed.len()
        );
        let chapters =
            listed.iter().zip(texts).map(|(l, text)| Chapter::read(l, text)).collect::<Result<_>>();
        Ok(Self { head: head_links(head, print), glyphs: glyphs.to_owned(), chapters: chapters? })
    }

    /// The document, with the page of each heading in its table of contents.
    #[must_use]
    pub fn document(&self, title: &str, author: &str, pages: &BTreeMap<String, usize>) -> String {
        let mut sheets = String::new();
        let mut body = String::new();
        for (index, chapter) in self.chapters.iter().enumerate() {
            let name = format!("chapter-{index}");
            sheets.push_str(&chapter.sheet(&name));
            let _ = write!(
                body,
                "<section class=\"paper-chapter {}\" style=\"page: {name}\">\n{}</section>\n",
                chapter.role.class(),
                chapter.body(pages)
            );
            if chapter.role == Role::Title {
                sheets.push_str(&sheet("contents", contents::TITLE, ""));
                let _ = write!(
                    body,
                    "<section class=\"paper-chapter contents\" style=\"page: contents\">\n{}</section>\n",
                    contents::html(&self.chapters, pages)
                );
            }
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\" class=\"light js\">\n<head>\n\
             <meta charset=\"utf-8\">\n<title>{}</title>\n<meta name=\"author\" content=\"{}\">\n\
             {}<style>\n{sheets}</style>\n</head>\n<body>\n\
             <div id=\"mdbook-page-wrapper\" class=\"page-wrapper\"><div class=\"page\">\
             <div id=\"mdbook-content\" class=\"content\">\n<main class=\"paper\">{}\n{body}</main>\n\
             </div></div></div>\n<script>\n{HIGHLIGHT}</script>\n</body>\n</html>\n",
            escape(title.trim()),
            escape(author.trim()),
            self.head,
            self.glyphs,
        )
    }
}

/// The appendix stays as it is: every coloured word is an element of its own in the PDF.
const HIGHLIGHT: &str = "for (const block of document.querySelectorAll(
  '.paper-chapter:not(.appendix-pages) code.language-rust')) { hljs.highlightBlock(block); }\n";

impl Role {
    fn class(self) -> &'static str {
        match self {
            Self::Title => "title-pages",
            Self::Text => "text-pages",
            Self::Question => "question-pages",
            Self::Appendix => "appendix-pages",
        }
    }
}

impl Chapter {
    fn read(listed: &Listed, html: &str) -> Result<Self> {
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

    fn sheet(&self, page: &str) -> String {
        match self.role {
            Role::Title => format!("@page {page} {{ @bottom-center {{ content: none; }} }}\n"),
            Role::Text | Role::Question => sheet(page, self.running_title(), ""),
            Role::Appendix => {
                let paper = "size: letter landscape; margin: 0.5in 0.42in 0.46in;";
                sheet(page, self.running_title(), paper)
            }
        }
    }

    fn body(&self, pages: &BTreeMap<String, usize>) -> String {
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
fn sheet(page: &str, title: &str, rest: &str) -> String {
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

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
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

/// The style sheets of the head, without those of dark themes, and the highlighter.
fn head_links(head: &str, print: &str) -> String {
    let mut links = String::new();
    for line in head.lines().map(str::trim) {
        let dark = line.contains("tomorrow-night") || line.contains("ayu-highlight");
        if line.starts_with("<link rel=\"stylesheet\"") && !dark {
            links.push_str(line);
            links.push('\n');
        }
    }
    let is_highlighter = |line: &&str| line.starts_with("<script src=\"highlight-");
    for line in print.lines().map(str::trim).filter(is_highlighter) {
        links.push_str(line);
        links.push('\n');
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::pdf) const PRINT: &str = "<head>\n<link rel=\"stylesheet\" href=\"a.css\">\n\
        <link rel=\"stylesheet\" href=\"ayu-highlight.css\">\n</head><body><main>\
        <svg class=\"glyphs\"><defs></defs></svg>\
        <h1 id=\"title\">T</h1><div class=\"title-page\"></div>\n\
        <div style=\"break-before: page; page-break-before: always;\"></div>\n\
        <h1 id=\"net\"><a class=\"header\" href=\"#net\">Net &amp; co</a></h1>\n\
        <h2 id=\"one\"><a class=\"header\" href=\"#one\">The <code>x</code></a></h2>\n\
        <figure><figcaption><p><strong>Figure 2.1.1.</strong> A.</p></figcaption></figure>\n\
        <div style=\"break-before: page; page-break-before: always;\"></div>\n\
        <h1 id=\"q\"><a class=\"header\" href=\"#q\">Question 4.1: x</a></h1></main>\n\
        <script src=\"highlight-1.js\"></script></body>";

    fn listed() -> Vec<Listed> {
        [("", "Title page"), ("Background", "2.1 Net"), ("Questions", "4.1 X")]
            .map(|(part, name)| Listed { part: part.to_owned(), name: name.to_owned() })
            .to_vec()
    }

    #[test]
    fn chapters_are_read_with_their_role_sections_and_figures() {
        let layout = Layout::read(PRINT, &listed()).unwrap();
        let roles: Vec<Role> = layout.chapters.iter().map(|chapter| chapter.role).collect();
        assert_eq!(roles, [Role::Title, Role::Text, Role::Question]);
        let net = &layout.chapters[1];
        assert_eq!((net.id.as_str(), net.heading.as_str()), ("net", "Net & co"));
        assert_eq!(net.sections, [Section { id: "one".into(), html: "The <code>x</code>".into() }]);
        assert_eq!(net.figures, ["Figure 2.1.1."]);
        assert_eq!(net.running_title(), "2.1 Net");
        assert_eq!(layout.chapters[2].running_title(), "Question 4.1: x");
    }

    #[test]
    fn the_document_has_each_chapter_on_pages_of_its_own_and_the_contents_after_the_title() {
        let pages = BTreeMap::from([("net".to_owned(), 3), ("one".to_owned(), 4)]);
        let text = Layout::read(PRINT, &listed()).unwrap().document("A < B", "", &pages);
        for expected in [
            "<title>A &lt; B</title>",
            "<main class=\"paper\"><svg class=\"glyphs\"><defs></defs></svg>",
            "@page chapter-1 {  @top-right { content: \"2.1 Net\"; } }",
            "style=\"page: chapter-1\"",
            "href=\"#net\">2.1 Net &amp; co</a>",
            "<script src=\"highlight-1.js\"></script>",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("ayu"));
        let at = |part: &str| text.find(part).unwrap();
        assert!(at("title-page\"") < at("class=\"paper-chapter contents\""));
        assert!(at("class=\"paper-chapter contents\"") < at("<h1 id=\"net\""));
    }

    #[test]
    fn a_chapter_too_many_or_without_a_heading_is_an_error() {
        let error = Layout::read(PRINT, &listed()[..2]).unwrap_err().to_string();
        assert_eq!(error, "print.html has 3 chapters, but SUMMARY.md lists 2");
        let headless = PRINT.replace("<h1 id=\"q\">", "<h2 id=\"q\">");
        let error = Layout::read(&headless, &listed()).unwrap_err().to_string();
        assert!(error.contains("\"4.1 X\" does not begin"), "{error}");
    }

    #[test]
    fn a_running_title_cannot_end_its_string() {
        let rule = sheet("p", "a \"b\" \\ </style>", "");
        assert!(rule.contains(r#"content: "a \22 b\22  \5c  \3c /style>";"#), "{rule}");
    }
}
