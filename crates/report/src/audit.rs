//! Reads the finished book in a browser, page by page, and lists what a reader would stumble over.
//!
//! Every page is opened from its file, in a light and a dark theme, on a desk and on a phone, with
//! scripts; and without scripts on a desk. `page.js` looks at each as it is then shown. What only
//! shows when a reader does something (search, keys, themes, widgets) is tried once.

mod interaction;
mod keyboard;
mod view;
mod widgets;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use browser::{Browser, Page, file_url};
use serde::Deserialize;

use crate::files::files_below;

pub use view::{VIEWS, View};

/// Script that looks at a page, a function of the window's width.
const LOOK: &str = include_str!("audit/page.js");

/// Pages that mdBook makes of all others at once: they are looked at in one view with scripts.
const WHOLE: [&str; 2] = ["print.html", "toc.html"];

/// Defect that a reader would stumble over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Finding {
    /// The page, relative to the book; `page.js` does not know it.
    #[serde(skip)]
    pub page: PathBuf,
    /// The rule, in one word.
    pub rule: String,
    /// The element, as a selector.
    pub element: String,
    /// Expectation and observation.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.page.display(), self.rule)?;
        if !self.element.is_empty() {
            write!(f, ": {}", self.element)?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// Result of an audit.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Number of pages.
    pub pages: usize,
    /// Number of looks at a page.
    pub looks: usize,
    /// Number of trials of what readers do.
    pub trials: usize,
    /// Each finding, with the names of the views that have it; none for what was tried.
    pub findings: BTreeMap<Finding, Vec<String>>,
}

impl Audit {
    fn add(&mut self, finding: Finding, view: Option<&View>) {
        let views = self.findings.entry(finding).or_default();
        views.extend(view.map(ToString::to_string));
    }

    /// The findings, one to a line.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.findings.iter().map(|(finding, views)| match &views[..] {
            [] => finding.to_string(),
            views => format!("{finding} [{}]", views.join("; ")),
        })
    }
}

/// Looks at every page of a book, and tries what readers do.
///
/// # Errors
/// If the book cannot be read, or the browser does not do what it is told.
pub fn audit(browser: &Browser, book: &Path) -> Result<Audit> {
    let mut audit = look(browser, book)?;
    interaction::try_all(browser, book, &mut audit)?;
    Ok(audit)
}

/// Looks at every page of a folder in every view.
///
/// # Errors
/// If the folder cannot be read, or the browser does not do what it is told.
pub fn look(browser: &Browser, book: &Path) -> Result<Audit> {
    let mut files: Vec<PathBuf> = files_below(book)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "html"));
    let mut audit = Audit { pages: files.len(), ..Audit::default() };
    for view in &VIEWS {
        let mut tab = browser.page()?;
        view.apply(&mut tab)?;
        for file in &files {
            let page = file.strip_prefix(book).unwrap_or(file);
            if *view != VIEWS[0] && WHOLE.iter().any(|whole| page == Path::new(whole)) {
                continue;
            }
            audit.looks += 1;
            let findings = look_at(&mut tab, book, page, view)
                .with_context(|| format!("{} ({view})", page.display()))?;
            findings.into_iter().for_each(|finding| audit.add(finding, Some(view)));
        }
    }
    Ok(audit)
}

fn look_at(tab: &mut Page, book: &Path, page: &Path, view: &View) -> Result<Vec<Finding>> {
    tab.open(&file_url(&book.join(page))?)?;
    tab.evaluate("document.fonts.ready.then(() => null)")?;
    let seen = tab.evaluate(&format!("{LOOK}({})", view.width))?;
    let mut findings: Vec<Finding> =
        serde_json::from_value(seen).context("page.js returns its findings")?;
    findings.iter_mut().for_each(|finding| finding.page = page.to_owned());
    if let Some(problem) = view.theme_problem(tab)? {
        findings.push(finding(page, "theme", problem));
    }
    findings.extend(logged(tab, book, page)?);
    Ok(findings)
}

/// Console and requests of the tab since the last call: errors, failures, and requests for what is not in
/// the book.
fn logged(tab: &mut Page, book: &Path, page: &Path) -> Result<Vec<Finding>> {
    let folder = file_url(book)?;
    let log = tab.take_log();
    let errors = log.errors().map(|entry| {
        let place = if entry.url.is_empty() { String::new() } else { format!(" ({})", entry.url) };
        finding(page, "console", format!("{}{place}", entry.text))
    });
    let failures = log.failures().map(|request| {
        let reason = request.failure.as_deref().unwrap_or_default();
        finding(page, "request-failed", format!("{}: {reason}", request.url))
    });
    let outside = log.requests.iter().filter(|request| {
        let within = request.url.strip_prefix(&folder).is_some_and(|rest| rest.starts_with('/'));
        !within && (request.uses_network() || request.url.starts_with("file:"))
    });
    let outside = outside.map(|request| {
        finding(page, "request", format!("{} is not in the book ({})", request.url, request.kind))
    });
    Ok(errors.chain(failures).chain(outside).collect())
}

/// A finding that concerns no one element.
fn finding(page: &Path, rule: &str, detail: impl Into<String>) -> Finding {
    let (rule, detail) = (rule.to_owned(), detail.into());
    Finding { page: page.to_owned(), rule, element: String::new(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_listed_once_with_the_views_that_have_it() {
        let mut audit = Audit::default();
        let finding = Finding {
            page: PathBuf::from("a.html"),
            rule: "contrast".to_owned(),
            element: "<p.x>".to_owned(),
            detail: "2:1".to_owned(),
        };
        audit.add(finding.clone(), Some(&VIEWS[0]));
        audit.add(finding, Some(&VIEWS[1]));
        audit.add(super::finding(Path::new("b.html"), "search", "finds nothing"), None);
        let lines: Vec<String> = audit.lines().collect();
        let expected = [
            format!("a.html: contrast: <p.x>: 2:1 [{}; {}]", VIEWS[0], VIEWS[1]),
            "b.html: search: finds nothing".to_owned(),
        ];
        assert_eq!(lines, expected);
    }
}
