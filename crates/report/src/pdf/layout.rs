//! The document that is printed: `print.html`, taken apart and put together for paper.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};

use super::contents;
use crate::front::FrontMatter;
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
    pub fn document(&self, front: &FrontMatter, pages: &BTreeMap<String, usize>) -> String {
        let mut sheets = String::new();
        let mut body = String::new();
        for (index, chapter) in self.chapters.iter().enumerate() {
            let name = format!("chapter-{index}");
            sheets.push_str(&chapter.sheet(&name));
            let _ = write!(
                body,
                "<section class=\"chapter {}\" style=\"page: {name}\">\n{}</section>\n",
                chapter.role.class(),
                chapter.body(pages)
            );
            if chapter.role == Role::Title {
                sheets.push_str(&sheet("contents", contents::TITLE, ""));
                let _ = write!(
                    body,
                    "<section class=\"chapter contents\" style=\"page: contents\">\n{}</section>\n",
                    contents::html(&self.chapters, pages)
                );
            }
        }
        let author: Vec<&str> =
            [front.author.trim()].into_iter().filter(|a| !a.is_empty()).collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\" class=\"light js\">\n<head>\n\
             <meta charset=\"utf-8\">\n<title>{}</title>\n<meta name=\"author\" content=\"{}\">\n\
             {}<style>\n{sheets}</style>\n</head>\n<body>\n\
             <div id=\"mdbook-page-wrapper\" class=\"page-wrapper\"><div class=\"page\">\
             <div id=\"mdbook-content\" class=\"content\">\n<main class=\"paper\">{}\n{body}</main>\n\
             </div></div></div>\n<script>\n{HIGHLIGHT}</script>\n</body>\n</html>\n",
            escape(front.title.trim()),
            escape(&author.join(", ")),
            self.head,
            self.glyphs,
        )
    }
}

/// The appendix stays as it is: every coloured word is an element of its own in the PDF.
const HIGHLIGHT: &str = "for (const block of document.querySelectorAll(
  '.chapter:not(.appendix-pages) code.language-rust')) { hljs.highlightBlock(block); }\n";

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
        // A heading without its number would be hard to find from the table of contents.
        let number = self.listed.name.split(' ').next().unwrap_or_default();
        let is_number = number.starts_with(|c: char| c.is_ascii_digit());
        if self.role == Role::Question || !is_number {
            return self.html.clone();
        }
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

/// The text of some HTML.
pub(super) fn plain(html: &str) -> String {
    let text = tokens(html).filter_map(|token| match token {
        Token::Text(text) => Some(decode(text)),
        _ => None,
    });
    text.collect::<String>().trim().to_owned()
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
        let front = FrontMatter { title: "A < B".into(), ..FrontMatter::default() };
        let pages = BTreeMap::from([("net".to_owned(), 3), ("one".to_owned(), 4)]);
        let text = Layout::read(PRINT, &listed()).unwrap().document(&front, &pages);
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
        assert!(at("title-page\"") < at("class=\"chapter contents\""));
        assert!(at("class=\"chapter contents\"") < at("<h1 id=\"net\""));
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
