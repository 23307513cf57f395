//! Actions of a reader, each tried once in a tab of its own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use browser::{Browser, ColorScheme, Page, file_url};
use serde_json::Value;

use super::view::{DESK, PHONE};
use super::{Audit, View, finding, keyboard, logged, widgets};
use crate::files::files_below;

/// Limit for an answer of the book.
const PATIENCE: Duration = Duration::from_secs(10);

/// A word that the book has.
const WORD: &str = "Jacobian";

/// Action that is tried, with its name and page.
struct Trial {
    name: &'static str,
    page: String,
    act: fn(&mut Page) -> Result<()>,
}

/// Tries everything; what does not work becomes a finding.
pub(super) fn try_all(browser: &Browser, book: &Path, audit: &mut Audit) -> Result<()> {
    for Trial { name, page, act } in trials(book)? {
        let mut tab = browser.page()?;
        View { scheme: ColorScheme::Light, width: DESK, scripts: true }.apply(&mut tab)?;
        tab.set_limit(PATIENCE);
        tab.open(&file_url(&book.join(&page))?)?;
        audit.trials += 1;
        let page = Path::new(&page);
        if let Err(error) = act(&mut tab) {
            audit.add(finding(page, name, format!("{error:#}")), None);
        }
        for found in logged(&mut tab, book, page)? {
            audit.add(found, None);
        }
    }
    Ok(())
}

/// The trials of the frame, and those of the pages that have something to try.
fn trials(book: &Path) -> Result<Vec<Trial>> {
    let index = || "index.html".to_owned();
    let mut trials = vec![
        Trial { name: "search", page: index(), act: search },
        Trial { name: "arrow keys", page: index(), act: arrow_keys },
        Trial { name: "themes", page: index(), act: themes },
        Trial { name: "contents", page: index(), act: contents },
        Trial { name: "keyboard", page: index(), act: keyboard::reach_everything },
    ];
    for file in files_below(book)? {
        let page = file.strip_prefix(book).unwrap_or(&file);
        if page.extension().is_none_or(|extension| extension != "html")
            || page == Path::new("print.html")
        {
            continue;
        }
        let text = std::fs::read_to_string(&file)?;
        let page = page.to_string_lossy().into_owned();
        let mut on_page = |name, act| trials.push(Trial { name, page: page.clone(), act });
        if text.contains("data-widget=\"convolution\"") {
            on_page("convolution", widgets::convolution);
            on_page("keyboard", keyboard::reach_everything);
            on_page("copying", copying);
        }
        if text.contains("data-widget=\"softmax\"") {
            on_page("softmax", widgets::softmax);
            on_page("keyboard", keyboard::reach_everything);
        }
    }
    Ok(trials)
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
    View { scheme: ColorScheme::Light, width: PHONE, scripts: true }.apply(tab)?;
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
        return [copied, `$${formula.querySelector('title').textContent}$`, \
            formula.nextElementSibling.localName]; })()";
    let answer = tab.evaluate(script)?;
    let (Some(copied), Some(tex)) = (answer[0].as_str(), answer[1].as_str()) else {
        bail!("nothing was copied: {answer}")
    };
    ensure!(copied.contains(tex), "expected {tex} in the copied text, but it is `{copied}`");
    Ok(())
}
