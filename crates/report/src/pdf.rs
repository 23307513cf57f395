//! The book as a PDF: printed by a browser, read back and checked.
//!
//! The browser does not know a page's number while it lays out the table of contents. So the book is
//! printed, the page of each heading read from the PDF, and the book printed again with the numbers,
//! until they agree with the pages.

mod check;
mod finish;
pub mod layout;
mod publish;
pub mod read;
pub mod text;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use browser::{Browser, Device, Page};
use frontmatter::FrontMatter;

use crate::{audit, files};
pub use check::{ASKED, check, questions};
use layout::{Chapter, Listed, Role};
pub use publish::{publish, reject};
use read::Pdf;

/// Limit for printing the whole book.
const LIMIT: Duration = Duration::from_secs(400);

/// Printings after which the table of contents has to be right.
const ATTEMPTS: usize = 4;

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
    /// Everything that is wrong with it.
    pub problems: Vec<String>,
}

/// Prints the book in `folder`, in its appendix only `crates`, if any are given.
///
/// # Errors
/// If the book cannot be read, the browser does not print it, or its PDF cannot be read.
pub fn print(
    browser: &Browser,
    folder: &Path,
    listed: &[Listed],
    front: &FrontMatter,
    asked: &str,
    crates: Option<&[String]>,
) -> Result<Printed> {
    let mut page = browser.page()?;
    let (width, height) = (layout::WIDTH, layout::HEIGHT);
    let paper = Device { width, height, paper: true, ..Device::DESK };
    page.show_on(paper)?;
    let listed = open(&mut page, folder, front, listed)?;
    let chapters = layout::arrange(&mut page, &listed, crates)?;
    let mut problems = layout::misfits(&mut page)?;
    let mut pages = BTreeMap::new();
    for _ in 0..ATTEMPTS {
        let printed = page.print(LIMIT)?;
        let found = read::pages_of_ids(&printed)?;
        if found != pages {
            layout::number(&mut page, &found)?;
            pages = found;
            continue;
        }
        let logged = audit::logged(&mut page, folder)?;
        problems.extend(logged.iter().map(|fault| format!("the printed page: {fault}")));
        let bytes = finish::finish(&printed, front)?;
        let pdf = Pdf::read(&bytes)?;
        problems.extend(check(&pdf, &chapters, front, asked));
        let appendix = chapters.iter().find(|chapter| chapter.role == Role::Appendix);
        let appendix = appendix.and_then(|appendix| pages.get(&appendix.id).copied());
        let appendix = appendix.unwrap_or(pdf.pages.len());
        return Ok(Printed { bytes, pdf, chapters, appendix, problems });
    }
    bail!("the pages of the headings still change after the book was printed {ATTEMPTS} times")
}

/// Opens the chapters beside the style sheets, fonts and pictures of the book. Returns their list.
fn open(
    page: &mut Page,
    folder: &Path,
    front: &FrontMatter,
    listed: &[Listed],
) -> Result<Vec<Listed>> {
    let print = files::read(&folder.join("print.html"))?;
    let (html, listed) = layout::document(&print, front, listed)?;
    let file = tempfile::Builder::new()
        .prefix(".paper-")
        .suffix(".html")
        .tempfile_in(folder)
        .and_then(|mut file| file.write_all(html.as_bytes()).map(|()| file))
        .map_err(system::without_temporary_name)
        .with_context(|| format!("cannot write a file into {}", folder.display()))?;
    page.open(&browser::file_url(file.path())?)?;
    Ok(listed)
}
