//! The table of contents, with page numbers, and that of the appendix.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::layout::{Chapter, Role, Section};
use crate::markup::escape;

/// The heading of the table of contents, which is its running title too.
pub(super) const TITLE: &str = "Contents";

/// The id of that heading.
const ID: &str = "table-of-contents";

/// Stands where a number will be: as wide as most are.
const UNKNOWN: &str = "000";

/// The table: parts, chapters, and their sections.
pub(super) fn html(chapters: &[Chapter], pages: &BTreeMap<String, usize>) -> String {
    let mut out = format!("<h1 id=\"{ID}\">{TITLE}</h1>\n<nav class=\"toc\">\n");
    let mut part = "";
    for chapter in chapters.iter().filter(|chapter| chapter.role != Role::Title) {
        if chapter.listed.part != part {
            part = &chapter.listed.part;
            let _ = writeln!(out, "<p class=\"toc-part\">{}</p>", escape(part));
        }
        out.push_str("<div class=\"toc-group\">\n");
        let name = escape(&chapter.listed.name);
        out.push_str(&entry("toc-chapter", &chapter.id, &name, pages));
        for Section { id, html } in &chapter.sections {
            out.push_str(&entry("toc-section", id, html, pages));
        }
        out.push_str("</div>\n");
    }
    out.push_str("</nav>\n");
    out
}

fn entry(class: &str, id: &str, html: &str, pages: &BTreeMap<String, usize>) -> String {
    let page = pages.get(id).map_or_else(|| UNKNOWN.to_owned(), usize::to_string);
    format!(
        "<a class=\"{class}\" href=\"#{}\"><span class=\"toc-name\">{html}</span>\
         <span class=\"toc-page\">{page}</span></a>\n",
        escape(id)
    )
}

/// The appendix: its first page lists the crates, each of which then begins on a new page.
pub(super) fn appendix(
    html: &str,
    sections: &[Section],
    pages: &BTreeMap<String, usize>,
) -> String {
    let mut crates = html.split("<h2 ");
    let mut out = crates.next().unwrap_or_default().to_owned();
    out.push_str("<nav class=\"toc\">\n");
    for Section { id, html } in sections {
        out.push_str(&entry("toc-section", id, html, pages));
    }
    out.push_str("</nav>\n");
    let mut crates = crates.peekable();
    while let Some(text) = crates.next() {
        // What follows the last crate closes the appendix.
        let (text, end) = match text.rfind("</div>").filter(|_| crates.peek().is_none()) {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let _ = write!(out, "<section class=\"crate\">\n<h2 {text}</section>\n{end}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_of_the_appendix_is_a_section() {
        let html = "<h1>A</h1><div class=\"appendix\">\n<h2 id=\"a\">a</h2>x\n<h2 id=\"b\">b</h2>y\n</div>\n";
        let sections = [Section { id: "a".into(), html: "a".into() }];
        let out = appendix(html, &sections, &BTreeMap::from([("a".to_owned(), 412)]));
        assert!(out.contains("<span class=\"toc-page\">412</span>"), "{out}");
        assert_eq!(out.matches("<section class=\"crate\">\n<h2 id=").count(), 2);
        assert!(out.contains("<h2 id=\"b\">b</h2>y\n</section>\n</div>\n"), "{out}");
    }

    #[test]
    fn a_page_that_is_not_known_yet_takes_as_much_room() {
        let out = entry("toc-chapter", "a\"b", "A", &BTreeMap::new());
        assert!(out.contains("href=\"#a&quot;b\""), "{out}");
        assert!(out.contains(">000</span>"), "{out}");
    }
}
