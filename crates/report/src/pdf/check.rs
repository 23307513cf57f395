//! What a PDF of the book has to have.

mod appendix;
mod asked;
mod chapters;
mod form;
mod outline;
mod title;

use std::ops::Range;

use super::layout::{Chapter, Layout, Role};
use super::read::{Page, Pdf, squeezed};
use super::text::Run;
use crate::problem::{Place, Problems};
pub use appendix::GRADED;
pub use asked::{ASKED, Asked, Shown};

/// What the PDF is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The chapters.
    pub layout: &'a Layout,
    /// The title that the file has to name.
    pub title: &'a str,
    /// The author that the file has to name; empty if there is none yet.
    pub author: &'a str,
    /// What has to be on the pages of its questions.
    pub asked: &'a [Asked],
}

impl Expected<'_> {
    /// Adds everything that is wrong with the PDF to `problems`.
    pub fn check(&self, pdf: &Pdf, place: &Place, problems: &mut Problems) {
        let chapters = &self.layout.chapters;
        let mut found = Vec::new();
        found.extend(title::check(chapters, pdf));
        found.extend(form::check(self, pdf));
        found.extend(outline::check(chapters, pdf));
        found.extend(chapters::check(chapters, pdf));
        found.extend(appendix::check(chapters, pdf));
        found.extend(asked::check(chapters, pdf, self.asked));
        found.into_iter().for_each(|problem| problems.add(place, problem));
    }
}

/// The page on which the appendix begins.
pub(super) fn appendix_page(layout: &Layout, pdf: &Pdf) -> Option<usize> {
    let appendix = layout.chapters.iter().find(|chapter| chapter.role == Role::Appendix)?;
    Some(pdf.destinations.get(&appendix.id)?.page)
}

/// The pages of a chapter, by number: from its heading to that of the next.
fn pages_of(chapters: &[Chapter], index: usize, pdf: &Pdf) -> Option<Range<usize>> {
    let first = |chapter: &Chapter| match chapter.role {
        Role::Title => Some(1),
        _ => Some(pdf.destinations.get(&chapter.id)?.page),
    };
    let begin = first(chapters.get(index)?)?;
    let end = match chapters.get(index + 1) {
        // The table of contents comes after the title page.
        Some(_) if chapters[index].role == Role::Title => 2,
        Some(next) => first(next)?,
        None => pdf.pages.len() + 1,
    };
    (begin < end && end <= pdf.pages.len() + 1).then_some(begin..end)
}

/// How much of a page's top and bottom belongs to the running title and the page's number, in points:
/// less than every margin, and more than half of each.
const TOP: f64 = 34.0;
const BOTTOM: f64 = 30.0;

/// The text between the running title and the number of the page.
fn body(page: &Page) -> impl Iterator<Item = &Run> {
    page.runs.iter().filter(|run| run.y >= TOP && run.y <= page.height - BOTTOM)
}

/// The text of a page without white space.
fn squeezed_body(page: &Page) -> String {
    squeezed(body(page).map(|run| run.text.as_str()))
}
