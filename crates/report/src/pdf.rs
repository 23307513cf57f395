//! The book as a PDF: printed by a browser, read back and checked.
//!
//! The browser does not know a page's number while it lays out the table of contents. So the book is
//! printed, the page of each heading read from the PDF, and the book printed again with the numbers,
//! until they agree with the pages.

mod check;
mod finish;
pub mod layout;
mod measure;
mod publish;
pub mod read;
pub mod text;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use browser::{Browser, ColorScheme, Media, Page, Viewport};

use crate::problem::{Place, Problems};
pub use check::{ASKED, Asked, Expected, GRADED};
use layout::{Chapter, Listed, Role};
pub use publish::{publish, reject};
use read::Pdf;

/// Limit for printing the whole book.
const LIMIT: Duration = Duration::from_secs(400);

/// Printings after which the table of contents has to be right.
const ATTEMPTS: usize = 4;

/// Metadata of a PDF.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The title.
    pub title: String,
    /// The author; empty if there is none yet.
    pub author: String,
}

/// A book on paper.
#[derive(Clone, Debug)]
pub struct Printed {
    /// The file.
    pub bytes: Vec<u8>,
    /// The same, read back.
    pub pdf: Pdf,
    /// The chapters that it has to have.
    pub chapters: Vec<Chapter>,
    /// On which page the appendix begins.
    pub appendix: usize,
}

/// Prints the book in `folder`, and adds everything that is wrong with the result to `problems`.
///
/// # Errors
/// If the book cannot be read, the browser does not print it, or its PDF cannot be read.
pub fn print(
    browser: &Browser,
    folder: &Path,
    listed: &[Listed],
    metadata: &Metadata,
    asked: &[(&'static str, &'static [Asked])],
    place: &Place,
    problems: &mut Problems,
) -> Result<Printed> {
    let mut page = browser.page()?;
    page.emulate(Media::Print, ColorScheme::Light)?;
    let (width, height) = (measure::WIDTH, measure::HEIGHT);
    page.set_viewport(Viewport { width, height, mobile: false })?;
    open(&mut page, folder, metadata)?;
    let chapters = layout::arrange(&mut page, listed)?;
    measure::check(&mut page, place, problems)?;
    let mut pages = BTreeMap::new();
    for _ in 0..ATTEMPTS {
        let printed = page.print(LIMIT)?;
        let found = read::pages_of_ids(&printed)?;
        if found != pages {
            layout::number(&mut page, &found)?;
            pages = found;
            continue;
        }
        complain(&mut page, place, problems);
        let bytes = finish::finish(&printed, metadata)?;
        let pdf = Pdf::read(&bytes)?;
        let found = Expected { chapters: &chapters, metadata, asked }.problems(&pdf);
        found.into_iter().for_each(|problem| problems.add(place, problem));
        let appendix = chapters.iter().find(|chapter| chapter.role == Role::Appendix);
        let appendix = appendix.and_then(|appendix| pages.get(&appendix.id).copied());
        let appendix = appendix.unwrap_or(pdf.pages.len());
        return Ok(Printed { bytes, pdf, chapters, appendix });
    }
    bail!("the pages of the headings still change after the book was printed {ATTEMPTS} times")
}

/// Opens the chapters beside the style sheets, fonts and pictures of the book.
fn open(page: &mut Page, folder: &Path, metadata: &Metadata) -> Result<()> {
    let print = folder.join("print.html");
    let print =
        fs::read_to_string(&print).with_context(|| format!("cannot read {}", print.display()))?;
    let html = layout::document(&print, metadata)?;
    let mut file = tempfile::Builder::new()
        .prefix(".paper-")
        .suffix(".html")
        .tempfile_in(folder)
        .map_err(system::without_temporary_name)
        .with_context(|| format!("cannot create a file in {}", folder.display()))?;
    file.write_all(html.as_bytes())
        .map_err(system::without_temporary_name)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    Ok(page.open(&browser::file_url(file.path())?)?)
}

/// Reports errors and failed requests of the page, and all requests to the network.
fn complain(page: &mut Page, place: &Place, problems: &mut Problems) {
    let log = page.take_log();
    for entry in log.errors() {
        problems.add(place, format!("the printed page logs an error: {}", entry.text));
    }
    for request in log.failures() {
        let reason = request.failure.as_deref().unwrap_or_default();
        problems.add(place, format!("the printed page lacks {}: {reason}", request.url));
    }
    for request in log.network() {
        problems.add(place, format!("the printed page asks the network for {}", request.url));
    }
}
