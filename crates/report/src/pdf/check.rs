//! Comparison of a PDF with the book.

mod asked;
mod chapters;
mod file;
mod outline;

use std::ops::Range;

use frontmatter::FrontMatter;

use super::layout::{Chapter, Role};
use super::read::{Page, Pdf, squeezed};
use super::text::Run;
pub use asked::{ASKED, questions};

/// The heading of the table of contents, which is its running title too.
const CONTENTS: &str = "Contents";

/// Everything that is wrong with a PDF that has to have these chapters, this title and author, and the
/// deliverables of each question.
pub fn check(pdf: &Pdf, chapters: &[Chapter], front: &FrontMatter, asked: &str) -> Vec<String> {
    let placed: Vec<Placed<'_>> =
        (0..chapters.len()).map(|index| Placed::find(chapters, index, pdf)).collect();
    let needed = [
        (Role::Title, "the book has no title page"),
        (Role::Appendix, "the book has no appendix with its code"),
    ];
    let missing = needed.iter().filter(|(role, _)| !chapters.iter().any(|c| c.role == *role));
    [
        missing.map(|(_, problem)| (*problem).to_owned()).collect(),
        file::check(&placed, front, pdf),
        outline::check(chapters, pdf),
        placed.iter().flat_map(|chapter| chapters::check(chapter, pdf)).collect(),
        asked::check(&placed, pdf, asked),
    ]
    .concat()
}

/// A chapter and its pages in the PDF.
struct Placed<'a> {
    chapter: &'a Chapter,
    /// The numbers of the pages; none if the PDF does not have the chapter.
    numbers: Range<usize>,
    pages: &'a [Page],
    /// Their text without white space.
    text: String,
}

impl<'a> Placed<'a> {
    /// A chapter's pages are those from its heading to that of the next. The table of contents comes
    /// after the title page, which is one page.
    fn find(chapters: &'a [Chapter], index: usize, pdf: &'a Pdf) -> Self {
        let first = |chapter: &Chapter| match chapter.role {
            Role::Title => Some(1),
            _ => Some(pdf.destinations.get(&chapter.id)?.page),
        };
        let chapter = &chapters[index];
        let end = match chapters.get(index + 1) {
            Some(_) if chapter.role == Role::Title => Some(2),
            Some(next) => first(next),
            None => Some(pdf.pages.len() + 1),
        };
        let numbers = first(chapter).zip(end).map(|(first, end)| first..end);
        let pages = numbers.clone().and_then(|n| pdf.pages.get(n.start - 1..n.end - 1));
        let (numbers, pages) = numbers.zip(pages).unwrap_or_default();
        Self { chapter, numbers, pages, text: pages.iter().map(squeezed_body).collect() }
    }
}

/// Parts of a page's top and bottom that belong to the running title and the page's number, in points:
/// less than every margin, and more than half of each.
const TOP: f64 = 34.0;
const BOTTOM: f64 = 30.0;

/// The text between the running title and the number of the page.
fn body(page: &Page) -> impl Iterator<Item = &Run> {
    page.runs.iter().filter(|run| run.y >= TOP && run.y <= page.height - BOTTOM)
}

/// The text of some runs without white space.
fn squeezed_runs<'a>(runs: impl Iterator<Item = &'a Run>) -> String {
    runs.map(|run| squeezed(&run.text)).collect()
}

fn squeezed_body(page: &Page) -> String {
    squeezed_runs(body(page))
}
