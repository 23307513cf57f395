//! Trial of the Tab key: it reaches everything that can be used, and shows where it is.

use anyhow::{Result, bail};
use browser::Page;
use serde_json::Value;

/// More than any page has.
const MOST_STOPS: usize = 2_000;

/// Notes the element that has the focus: `done` once all have had it, else whether it can be seen
/// that it has the focus.
const NOTE: &str = "(() => { \
    const e = document.activeElement; \
    if (!e || e === document.body || e.dataset.auditReached) return 'done'; \
    e.dataset.auditReached = 'yes'; \
    const s = getComputedStyle(e); \
    const seen = (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'; \
    return seen ? 'seen' : `<${e.localName} id=\"${e.id}\" class=\"${e.className}\">`; })()";

/// Visible controls that were not reached. Of radio buttons the arrow keys reach the rest.
const MISSED: &str = "[...document.querySelectorAll( \
        'a[href], button, input, select, textarea, summary, [tabindex=\"0\"]')] \
    .filter(e => !e.dataset.auditReached && !e.disabled && e.type !== 'hidden' \
        && !(e.type === 'radio' && !e.checked) && e.tabIndex >= 0 && !e.closest('[inert]') \
        && e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0) \
    .map(e => `<${e.localName} id=\"${e.id}\"> ${(e.textContent || e.value || '').trim().slice(0, 30)}`)";

/// Presses Tab until the focus leaves the page.
pub(super) fn reach_everything(tab: &mut Page) -> Result<()> {
    let mut unseen = Vec::new();
    for _ in 0..MOST_STOPS {
        tab.press("Tab")?;
        match tab.evaluate(NOTE)? {
            Value::String(done) if done == "done" => {
                let missed = tab.evaluate(MISSED)?;
                let missed: Vec<&str> =
                    missed.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                if !missed.is_empty() {
                    bail!("the Tab key does not reach {}", missed.join(", "));
                }
                if !unseen.is_empty() {
                    bail!("one cannot see that it has the focus: {}", unseen.join(", "));
                }
                return Ok(());
            }
            Value::String(seen) if seen == "seen" => {}
            other => unseen.push(other.to_string()),
        }
    }
    bail!("after {MOST_STOPS} stops the Tab key has not left the page")
}
