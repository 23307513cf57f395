//! The book as a PDF: printed by a browser, read back and checked.
//!
//! The browser does not know a page's number while it lays out the table of contents. So the book is
//! printed, the page of each heading read from the PDF, and the book printed again with the numbers,
//! until they agree with the pages.

mod chapter;
mod check;
mod contents;
mod finish;
pub mod layout;
mod measure;
mod publish;
pub mod read;
pub mod text;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use browser::{Browser, ColorScheme, Media, Page, PrintSettings, Viewport};
use lopdf::Document;

use crate::problem::{Place, Problems};
pub use check::{ASKED, Asked, Expected, GRADED, Shown};
use layout::Layout;
pub use publish::{publish, reject};
use read::Pdf;

/// How long the browser may take for the whole book.
const LIMIT: Duration = Duration::from_secs(400);

/// How often the book may be printed until the table of contents is right.
const ATTEMPTS: usize = 4;

/// What a PDF says of itself.
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
    /// How many pages it has.
    pub pages: usize,
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
    layout: &Layout,
    metadata: &Metadata,
    asked: &[Asked],
    place: &Place,
    problems: &mut Problems,
) -> Result<Printed> {
    let Metadata { title, author } = metadata;
    let mut page = browser.page()?;
    page.emulate(Media::Print, ColorScheme::Light)?;
    page.set_viewport(Viewport::desktop(measure::WIDTH, measure::HEIGHT))?;
    let mut pages = BTreeMap::new();
    for attempt in 0..ATTEMPTS {
        let document = print_once(&mut page, folder, &layout.document(title, author, &pages))?;
        if attempt == 0 {
            measure::check(&mut page, place, problems)?;
        }
        let frame = Pdf::read_frame(&document)?;
        let found: BTreeMap<String, usize> =
            frame.destinations.into_iter().map(|(id, spot)| (id, spot.page)).collect();
        if found == pages {
            complain(&mut page, place, problems);
            let bytes = finish::finish(document, title, author)?;
            let pdf = Pdf::read(&bytes)?;
            Expected { layout, title, author, asked }.check(&pdf, place, problems);
            let appendix = check::appendix_page(layout, &pdf).unwrap_or(pdf.pages.len());
            return Ok(Printed { pages: pdf.pages.len(), appendix, bytes });
        }
        pages = found;
    }
    bail!("the pages of the headings still change after the book was printed {ATTEMPTS} times")
}

fn print_once(page: &mut Page, folder: &Path, html: &str) -> Result<Document> {
    // Beside the style sheets, fonts and pictures of the book.
    let mut file = tempfile::Builder::new()
        .prefix(".paper-")
        .suffix(".html")
        .tempfile_in(folder)
        .map_err(disk::without_temporary_name)
        .with_context(|| format!("cannot create a file in {}", folder.display()))?;
    file.write_all(html.as_bytes())
        .map_err(disk::without_temporary_name)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    page.open(&browser::file_url(file.path())?)?;
    page.evaluate("document.fonts.ready.then(() => true)")?;
    let settings = PrintSettings { limit: Some(LIMIT), ..PrintSettings::default() };
    let mut bytes = Vec::new();
    page.print(&settings, &mut bytes)?;
    Document::load_mem(&bytes).context("the browser's PDF cannot be read")
}

/// What the page logged, and what it asked of the network.
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
