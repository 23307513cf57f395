//! The document that is printed: `print.html`, taken apart and put together for paper.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};

pub use super::chapter::{Chapter, Listed, Listing, Role, Section};
use super::chapter::{between, sheet};
use super::contents;
use crate::markup::escape;

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

/// What mdBook puts between two chapters.
const SEPARATOR: &str = "<div style=\"break-before: page; page-break-before: always;\"></div>";

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
}
