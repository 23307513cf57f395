//! The document that is printed: the chapters of `print.html`, rearranged for paper by `paper.js`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use browser::Page;
use frontmatter::FrontMatter;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::front;
use html::escape;

/// The mark between two chapters, as mdBook writes it.
const SEPARATOR: &str = "<div style=\"break-before: page; page-break-before: always;\"></div>";

/// The width of the text on an upright page in CSS pixels: 8.5 inches without the margins that
/// `theme/report.css` sets.
pub(super) const WIDTH: u32 = 696;

/// The height of the text on such a page.
pub(super) const HEIGHT: u32 = 906;

/// A chapter as `SUMMARY.md` lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// The part that it belongs to; empty before the first.
    pub part: String,
    /// Its name there: `4.1 ReLU`.
    pub name: String,
}

/// Purpose of a chapter, which decides on its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The first page of all.
    Title,
    /// Text.
    Text,
    /// A question of the assignment: its name has a number and so has its part.
    Question,
    /// Code and nothing else.
    Appendix,
}

/// A chapter, as its page on the screen has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Chapter {
    /// Its purpose.
    pub role: Role,
    /// Its name in `SUMMARY.md`.
    pub name: String,
    /// The id of its heading.
    pub id: String,
    /// The text of its heading on paper.
    pub heading: String,
    /// The name above each page.
    pub running_title: String,
    /// The headings of the next level.
    pub sections: Vec<Section>,
    /// The numbers of its figures, as their captions begin: `Figure 4.1.1.`
    pub figures: Vec<String>,
    /// The lines of its code; none for the appendix, which has [`Self::listings`].
    pub code_lines: Vec<String>,
    /// The files of the appendix.
    pub listings: Vec<Listing>,
    /// The text of the title page, piece by piece.
    pub texts: Vec<String>,
}

/// A heading within a chapter.
#[derive(Clone, Debug, Deserialize)]
pub struct Section {
    /// Its id.
    pub id: String,
    /// Its text.
    pub name: String,
}

/// A file of the appendix.
#[derive(Clone, Debug, Deserialize)]
pub struct Listing {
    /// Its path.
    pub name: String,
    /// Its text.
    pub code: String,
}

/// A page with the chapters of `print.html` for [`arrange`]: its style sheets without those of dark
/// themes, its highlighter, and none of mdBook's frame; and the list of the chapters. Before them stands the title page,
/// if none of them is one.
pub(super) fn document(
    print: &str,
    front: &FrontMatter,
    listed: &[Listed],
) -> Result<(String, Vec<Listed>)> {
    let (_, chapters) = print.split_once("<main>").context("print.html has no <main>")?;
    let (chapters, _) = chapters.split_once("</main>").context("print.html has no </main>")?;
    let mut links = String::new();
    for line in print.replacen(chapters, "", 1).lines().map(str::trim) {
        let dark = line.contains("tomorrow-night") || line.contains("ayu-highlight");
        let style = line.starts_with("<link rel=\"stylesheet\"") && !dark;
        if style || line.starts_with("<script src=\"highlight-") {
            writeln!(links, "{line}")?;
        }
    }
    let (title, author) = (escape(front.title.trim()), escape(front.author.trim()));
    let (mut listed, mut title_page) = (listed.to_vec(), String::new());
    if !chapters.contains("<div class=\"title-page\">") {
        listed.insert(0, Listed { part: String::new(), name: "Title page".to_owned() });
        title_page = front::page(front) + SEPARATOR;
    }
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\" class=\"light js\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>{title}</title>\n<meta name=\"author\" content=\"{author}\">\n{links}</head>\n<body>\n\
         <div id=\"mdbook-page-wrapper\" class=\"page-wrapper\"><div class=\"page\">\
         <div id=\"mdbook-content\" class=\"content\">\n<main class=\"paper\">{title_page}{chapters}</main>\n\
         </div></div></div>\n</body>\n</html>\n"
    );
    Ok((html, listed))
}

/// Rearranges the open [`document`], and returns its chapters, the title page first. Its appendix has only `crates`, if
/// any are given.
pub(super) fn arrange(
    page: &mut Page,
    listed: &[Listed],
    crates: Option<&[String]>,
) -> Result<Vec<Chapter>> {
    let script = include_str!("paper.js");
    let chapters = page.evaluate(&format!("({script})({}, {})", json!(listed), json!(crates)))?;
    page.evaluate("document.fonts.ready.then(() => true)")?;
    serde_json::from_value(chapters).context("paper.js returns the chapters")
}

/// What is wider than the page, what cannot be kept on one page for its height, and what no script should show.
pub(super) fn misfits(page: &mut Page) -> Result<Vec<String>> {
    let script = include_str!("misfits.js");
    let found = page.evaluate(&format!("({script})({WIDTH}, {HEIGHT})"))?;
    serde_json::from_value(found).context("the measurements are not as expected")
}

/// Puts the page of each heading into the tables of contents.
pub(super) fn number(page: &mut Page, pages: &BTreeMap<String, usize>) -> Result<()> {
    let script = format!(
        "(pages => {{ for (const entry of document.querySelectorAll('nav.toc > a, .toc-group > a')) {{ \
         entry.lastChild.textContent = pages[entry.getAttribute('href').slice(1)] ?? '000'; }} }})({})",
        json!(pages)
    );
    page.evaluate(&script)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_has_the_page_that_is_measured() {
        let style = include_str!("../../../../book/theme/report.css");
        let (_, page) = style.split_once("size: letter;\n        margin: ").unwrap();
        let (margins, _) = page.split_once(';').unwrap();
        let margins: Vec<f64> =
            margins.split(' ').map(|m| m.strip_suffix("in").unwrap().parse().unwrap()).collect();
        let [top, side, bottom] = margins[..] else { panic!("{margins:?}") };
        assert_eq!(f64::from(WIDTH), (96.0 * (8.5 - 2.0 * side)).floor());
        assert_eq!(f64::from(HEIGHT), (96.0 * (11.0 - top - bottom)).floor());
    }
}
