//! What a PDF of the book has to have. (Being written.)
use super::layout::{Layout, Role};
use super::read::Pdf;
use crate::front::FrontMatter;
use crate::problem::{Place, Problems};

/// What the PDF is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The chapters.
    pub layout: &'a Layout,
    /// The title page.
    pub front: &'a FrontMatter,
}

impl Expected<'_> {
    /// Adds everything that is wrong with the PDF.
    pub fn check(&self, _pdf: &Pdf, _place: &Place, _problems: &mut Problems) {}
}

/// The page on which the appendix begins.
pub(super) fn appendix_page(layout: &Layout, pdf: &Pdf) -> Option<usize> {
    let appendix = layout.chapters.iter().find(|chapter| chapter.role == Role::Appendix)?;
    Some(pdf.destinations.get(&appendix.id)?.page)
}
