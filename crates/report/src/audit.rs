//! Reads the finished book in a browser, page by page, and lists what a reader would stumble over.
//!
//! Every page is opened from its file, in a light and a dark theme, on a desk and on a phone, with
//! scripts; and without scripts on a desk. `page.js` looks at each as it is then shown. What only
//! shows when a reader does something (search, keys, themes, widgets, colours) is tried once.

mod interaction;
mod widgets;

pub use interaction::try_all;

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use browser::{Browser, Device, Page, Request, file_url};

use crate::files::files_with;

const DESK: Device = Device::DESK;

/// On a phone, held upright, in light.
const PHONE: Device = Device { width: 390, height: 844, mobile: true, ..DESK };

/// The devices that each page is looked at on. Dark is the preference of the system, which mdBook follows until
/// the reader chooses a theme.
pub const VIEWS: [Device; 6] = [
    DESK,
    PHONE,
    Device { dark: true, ..DESK },
    Device { dark: true, ..PHONE },
    Device { scripts: false, ..DESK },
    Device { dark: true, scripts: false, ..DESK },
];

/// mdBook's theme on a device.
fn theme(view: Device) -> &'static str {
    if view.dark { "navy" } else { "light" }
}

/// A device in words.
fn named(view: &Device) -> String {
    let scripts = if view.scripts { "" } else { ", no scripts" };
    format!("{}, {} px{scripts}", theme(*view), view.width)
}

/// Script that looks at a page, a function of the window's width and of the expected theme.
const LOOK: &str = include_str!("audit/page.js");

/// Pages that mdBook makes of all others at once, and the one with tens of thousands of lines of code: they are
/// looked at in one view with scripts.
const WHOLE: [&str; 3] = ["print.html", "toc.html", "appendix-code.html"];

/// Result of an audit.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Number of pages.
    pub pages: usize,
    /// Number of looks at a page.
    pub looks: usize,
    /// Number of trials of what readers do.
    pub trials: usize,
    /// Defects that a reader would stumble over: the page, the rule in one word, the element, expectation
    /// and observation. Each with the views that have it; none for what was tried.
    pub findings: BTreeMap<String, Vec<Device>>,
}

impl Audit {
    /// Notes what is wrong with a page, each finding once.
    fn add(&mut self, page: &Path, found: impl IntoIterator<Item = String>, view: Option<Device>) {
        for finding in found {
            let finding = format!("{}: {finding}", page.display());
            self.findings.entry(finding).or_default().extend(view);
        }
    }

    /// The findings, one to a line.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.findings.iter().map(|(finding, views)| match &views[..] {
            [] => finding.clone(),
            views => {
                let views: Vec<String> = views.iter().map(named).collect();
                format!("{finding} [{}]", views.join("; "))
            }
        })
    }
}

/// Looks at every page of a book, and tries what readers do.
pub fn audit(browser: &Browser, book: &Path) -> Result<Audit> {
    let mut audit = look(browser, book, &VIEWS)?;
    try_all(browser, book, &mut audit)?;
    Ok(audit)
}

/// Looks at every page of a folder, in all views at once.
pub fn look(browser: &Browser, book: &Path, views: &[Device]) -> Result<Audit> {
    let pages = files_with(book, "html")?;
    let mut audit = Audit { pages: pages.len(), ..Audit::default() };
    let tabs = views.iter().map(|view| Ok((*view, browser.page()?)));
    let tabs: Vec<_> = tabs.collect::<Result<_>>()?;
    let look = |(view, tab)| look_in(tab, book, &pages, view);
    let seen: Vec<_> = thread::scope(|scope| {
        let looks: Vec<_> = tabs.into_iter().map(|tab| scope.spawn(move || look(tab))).collect();
        looks.into_iter().map(|look| look.join().unwrap_or_else(|e| resume_unwind(e))).collect()
    });
    for (view, looks) in views.iter().zip(seen) {
        for (page, found) in looks? {
            audit.looks += 1;
            audit.add(page, found, Some(*view));
        }
    }
    Ok(audit)
}

/// What there is to find on each page in one view.
fn look_in<'a>(
    mut tab: Page,
    book: &Path,
    pages: &'a [PathBuf],
    view: Device,
) -> Result<Vec<(&'a Path, Vec<String>)>> {
    tab.show_on(view)?;
    let is_whole = |page: &&PathBuf| WHOLE.iter().any(|whole| *page == Path::new(whole));
    let pages = pages.iter().filter(|page| view == VIEWS[0] || !is_whole(page));
    let look = |page: &'a PathBuf| {
        let found = look_at(&mut tab, book, page, view)
            .with_context(|| format!("{} ({})", page.display(), named(&view)))?;
        Ok((page.as_path(), found))
    };
    pages.map(look).collect()
}

fn look_at(tab: &mut Page, book: &Path, page: &Path, view: Device) -> Result<Vec<String>> {
    tab.open(&file_url(&book.join(page))?)?;
    tab.evaluate("document.fonts.ready.then(() => null)")?;
    let theme = if view.scripts { theme(view) } else { "" };
    let seen = tab.evaluate(&format!("{LOOK}({}, '{theme}')", view.width))?;
    let mut found: Vec<String> =
        serde_json::from_value(seen).context("page.js returns its findings")?;
    found.extend(logged(tab, book)?);
    Ok(found)
}

/// Console and requests of the tab since the last call: errors, failures, and requests for what is not in
/// the book.
pub(crate) fn logged(tab: &mut Page, book: &Path) -> Result<Vec<String>> {
    let folder = file_url(book)?;
    let log = tab.take_log();
    let errors = log.errors.iter().map(|error| format!("console: {error}"));
    let failures = log.requests.iter().filter_map(|Request { url, failure, .. }| {
        Some(format!("request-failed: {url}: {}", failure.as_ref()?))
    });
    let outside = log.requests.iter().filter_map(|Request { url, kind, .. }| {
        let in_book = url.strip_prefix(&folder).is_some_and(|rest| rest.starts_with('/'));
        // Parts of the page itself come from nowhere.
        let in_page = ["data:", "blob:", "about:"].iter().any(|scheme| url.starts_with(scheme));
        (!in_book && !in_page).then(|| format!("request: {url} is not in the book ({kind})"))
    });
    Ok(errors.chain(failures).chain(outside).collect())
}
