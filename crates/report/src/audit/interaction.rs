//! Actions of a reader, each tried once in a tab of its own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use browser::{Browser, Page, file_url};
use rayon::prelude::*;
use serde_json::Value;

use super::{Audit, DESK, PHONE, logged, widgets};
use crate::files::{self, files_with};

/// Limit for an answer of the book.
const PATIENCE: Duration = Duration::from_secs(10);

/// A word that the book has.
const WORD: &str = "Jacobian";

/// More stops of the Tab key than any page has.
const MOST_STOPS: usize = 2_000;

/// Action that is tried: its name, and what does it.
type Trial = (&'static str, fn(&mut Page) -> Result<()>);

const KEYBOARD: Trial = ("keyboard", keyboard);

/// The trials of the frame.
const OF_THE_FRAME: [Trial; 5] = [
    ("search", search),
    ("arrow keys", arrow_keys),
    ("themes", themes),
    ("contents", contents),
    KEYBOARD,
];

/// What a page has if there is something to try on it, and the trials.
const OF_PAGES: [(&str, &[Trial]); 3] = [
    (
        "data-widget=\"convolution\"",
        &[("convolution", widgets::convolution), KEYBOARD, ("copying", copying)],
    ),
    ("data-widget=\"softmax\"", &[("softmax", widgets::softmax), KEYBOARD]),
    ("class=\"appendix\"", &[("colours", colours)]),
];

/// Tries everything, each in a tab of its own; what does not work becomes a finding.
pub fn try_all(browser: &Browser, book: &Path, audit: &mut Audit) -> Result<()> {
    let pages = files_with(book, "html")?;
    let mut trials: Vec<(&Path, Trial)> =
        OF_THE_FRAME.map(|trial| (Path::new("index.html"), trial)).to_vec();
    for page in pages.iter().filter(|page| *page != Path::new("print.html")) {
        let text = files::read(&book.join(page))?;
        for (_, own) in OF_PAGES.iter().filter(|(mark, _)| text.contains(mark)) {
            trials.extend(own.iter().map(|trial| (page.as_path(), *trial)));
        }
    }
    let attempt = |(page, (name, act)): &(&Path, Trial)| {
        let mut tab = browser.page()?;
        tab.show_on(DESK)?;
        tab.open(&file_url(&book.join(page))?)?;
        tab.set_limit(PATIENCE);
        let failure = act(&mut tab).err().map(|error| format!("{name}: {error:#}"));
        Ok(failure.into_iter().chain(logged(&mut tab, book)?).collect::<Vec<_>>())
    };
    let found: Result<Vec<_>> = trials.par_iter().map(attempt).collect();
    audit.trials += trials.len();
    for ((page, _), found) in trials.iter().zip(found?) {
        audit.add(page, found, None);
    }
    Ok(())
}

/// The search finds a word, and a result leads to it.
fn search(tab: &mut Page) -> Result<()> {
    tab.wait_until("document.readyState === 'complete'")?;
    tab.press("/")?;
    tab.wait_until("document.activeElement.id === 'mdbook-searchbar'")?;
    tab.type_text(WORD)?;
    tab.wait_until("document.querySelector('#mdbook-searchresults a')")?;
    let target = tab.evaluate("document.querySelector('#mdbook-searchresults a').href")?;
    tab.click("#mdbook-searchresults a")?;
    tab.wait_until(&format!("location.href === {target}"))?;
    tab.wait_until("document.querySelector('main mark')")?;
    let marked = tab.evaluate("document.querySelector('main mark').textContent")?;
    let found = marked.as_str().is_some_and(|text| text.to_lowercase().contains("jacobian"));
    ensure!(found, "`{WORD}` is searched for, but {marked} is marked");
    Ok(())
}

/// Code of the appendix that is in view has colours.
fn colours(tab: &mut Page) -> Result<()> {
    Ok(tab.wait_until(
        "document.querySelector('.appendix code:not(.language-text) [class^=hljs-]')",
    )?)
}

/// Right leads to the next chapter and left back.
fn arrow_keys(tab: &mut Page) -> Result<()> {
    let here = tab.evaluate("document.querySelector('main h1').textContent")?;
    let next = tab.evaluate("document.querySelector('.nav-chapters.next').href")?;
    tab.press("ArrowRight")?;
    tab.wait_until(&format!("location.href === {next} && document.readyState === 'complete'"))?;
    tab.press("ArrowLeft")?;
    tab.wait_until(&format!("document.querySelector('main h1')?.textContent === {here}"))?;
    Ok(())
}

/// A theme that is chosen is shown, and stays.
fn themes(tab: &mut Page) -> Result<()> {
    let background = "getComputedStyle(document.documentElement).backgroundColor";
    let light = tab.evaluate(background)?;
    tab.click("#mdbook-theme-toggle")?;
    tab.click("#mdbook-theme-navy")?;
    let is_navy = "document.documentElement.classList.contains('navy')";
    tab.wait_until(is_navy)?;
    ensure!(tab.evaluate(background)? != light, "the theme changes no colour");
    let next = tab.evaluate("document.querySelector('.nav-chapters.next').href")?;
    let Value::String(next) = next else { bail!("there is no next chapter") };
    tab.open(&next)?;
    ensure!(tab.evaluate(is_navy)? == true, "the next page has forgotten the theme");
    Ok(())
}

/// On a phone, where the table of contents is closed, the keyboard opens it, and a chapter in it can
/// be seen.
fn contents(tab: &mut Page) -> Result<()> {
    const BUTTON: &str = "document.querySelector('button[aria-controls=mdbook-sidebar]')";
    let address = tab.evaluate("location.href")?;
    let Value::String(address) = address else { bail!("the page has no address") };
    tab.show_on(PHONE)?;
    tab.open(&address)?;
    let is_open = format!("{BUTTON}.getAttribute('aria-expanded') === 'true'");
    ensure!(tab.evaluate(&is_open)? == false, "on a phone it is open from the beginning");
    tab.evaluate(&format!("{BUTTON}.focus()"))?;
    tab.press("Enter")?;
    tab.wait_until(&is_open)?;
    let chapter = "(() => { const box = document.querySelector('#mdbook-sidebar a').getBoundingClientRect(); \
        return box.width > 0 && box.left >= 0 && box.right <= innerWidth; })()";
    tab.wait_until(chapter)?;
    Ok(())
}

/// A formula is copied as its TeX.
fn copying(tab: &mut Page) -> Result<()> {
    let script = "(() => { \
        const paragraph = document.querySelector('main p:has(> svg.formula)'); \
        const formula = paragraph.querySelector('svg.formula'); \
        document.getSelection().selectAllChildren(paragraph); \
        let copied = null; \
        const read = event => { copied = event.clipboardData.getData('text/plain'); }; \
        document.addEventListener('copy', read, { once: true }); \
        document.execCommand('copy'); \
        return [copied, `$${formula.querySelector('title').textContent}$`]; })()";
    let answer = tab.evaluate(script)?;
    let (Some(copied), Some(tex)) = (answer[0].as_str(), answer[1].as_str()) else {
        bail!("nothing was copied: {answer}")
    };
    ensure!(copied.contains(tex), "expected {tex} in the copied text, but it is `{copied}`");
    Ok(())
}

/// The Tab key reaches everything that can be used, shows where it is, and leaves the page.
fn keyboard(tab: &mut Page) -> Result<()> {
    for _ in 0..MOST_STOPS {
        tab.press("Tab")?;
        let answer = tab.evaluate(include_str!("keyboard.js"))?;
        if answer.is_null() {
            continue;
        }
        let (missed, unseen): (Vec<String>, Vec<String>) = serde_json::from_value(answer)?;
        ensure!(missed.is_empty(), "the Tab key does not reach {}", missed.join(", "));
        let unseen = unseen.join(", ");
        ensure!(unseen.is_empty(), "one cannot see that it has the focus: {unseen}");
        return Ok(());
    }
    bail!("after {MOST_STOPS} stops the Tab key has not left the page")
}
