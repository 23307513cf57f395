//! The widgets show what the crates compute.

use anyhow::{Context, Result, ensure};
use browser::Page;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::widget::{Convolution, Logits, Rows};

/// Half a unit of the fourth decimal, which is the last one shown.
const ROUNDING: f64 = 0.5e-4 + 1e-12;

/// The numbers of the table of an array, without its padding; null where it is empty.
fn numbers(tab: &mut Page, widget: &str, array: &str) -> Result<Vec<Vec<Option<f64>>>> {
    let script = format!(
        "[...document.querySelectorAll('[data-widget=\"{widget}\"] [data-array=\"{array}\"] tbody tr')] \
         .map(row => [...row.querySelectorAll('td:not(.padding, .widget-share)')] \
         .map(cell => cell.textContent.replace('\u{2212}', '-'))).filter(row => row.length > 0)"
    );
    let rows: Vec<Vec<String>> = serde_json::from_value(tab.evaluate(&script)?)
        .with_context(|| format!("the table `{array}` has no rows"))?;
    let number = |text: &String| match text.as_str() {
        "" => Ok(None),
        text => text.parse().map(Some).with_context(|| format!("`{text}` is not a number")),
    };
    rows.iter().map(|row| row.iter().map(number).collect()).collect()
}

/// That the table of an array shows what it should.
fn compare(tab: &mut Page, widget: &str, array: &str, expected: &Rows) -> Result<()> {
    let shown = numbers(tab, widget, array)?;
    let agrees = shown.len() == expected.len()
        && shown.iter().zip(expected).all(|(shown, expected)| {
            shown.len() == expected.len()
                && shown.iter().zip(expected).all(|(shown, expected)| {
                    shown.is_some_and(|shown| (shown - expected).abs() <= ROUNDING)
                })
        });
    ensure!(agrees, "{array}: expected {expected:?}, but the page shows {shown:?}");
    Ok(())
}

/// Chooses a radio button by its words.
fn choose(tab: &mut Page, words: &str) -> Result<()> {
    let script = format!(
        "(() => {{ const label = [...document.querySelectorAll('[data-widget] label')] \
         .find(label => label.textContent.trim() === {}); if (!label) return false; \
         document.querySelector('#audit-choice')?.removeAttribute('id'); \
         label.querySelector('input').id = 'audit-choice'; return true; }})()",
        Value::from(words)
    );
    ensure!(tab.evaluate(&script)? == true, "there is no choice `{words}`");
    tab.click("#audit-choice")?;
    let is_chosen = tab.evaluate("document.querySelector('#audit-choice').checked")? == true;
    ensure!(is_chosen, "`{words}` cannot be chosen");
    Ok(())
}

/// The text of an element; that of `.widget-says` is read aloud after a step.
fn text(tab: &mut Page, selector: &str) -> Result<String> {
    let text = tab.evaluate(&format!("document.querySelector('{selector}').textContent"))?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Gives an element the focus and presses a key there, so many times, which must not turn the page.
fn press_on(tab: &mut Page, selector: &str, key: &str, times: usize) -> Result<()> {
    tab.evaluate(&format!("document.querySelector({}).focus()", Value::from(selector)))?;
    let page = tab.evaluate("location.href")?;
    for _ in 0..times {
        tab.press(key)?;
    }
    ensure!(tab.evaluate("location.href")? == page, "an arrow key turned the page");
    Ok(())
}

/// The inputs that the program has put into the page.
fn inputs<T: DeserializeOwned>(tab: &mut Page, widget: &str) -> Result<T> {
    let script = format!(
        "JSON.parse(document.querySelector('[data-widget=\"{widget}\"] script').textContent)"
    );
    serde_json::from_value(tab.evaluate(&script)?).context("the widget has inputs of its kind")
}

/// Both examples in all three passes, by buttons, and by keys.
pub(super) fn convolution(tab: &mut Page) -> Result<()> {
    const WIDGET: &str = "convolution";
    const NEXT: &str = "[data-widget='convolution'] .widget-buttons button:nth-of-type(2)";
    tab.wait_until("!document.querySelector('[data-widget=\"convolution\"]').hidden")?;
    for example in inputs::<Vec<Convolution>>(tab, WIDGET)? {
        choose(tab, &example.name)?;
        let last = example.z.len() * example.z[0].len() - 1;
        choose(tab, "forward: Z")?;
        compare(tab, WIDGET, "x", &example.x)?;
        compare(tab, WIDGET, "w", &example.w)?;
        let first = numbers(tab, WIDGET, "z")?;
        let filled = first.iter().flatten().filter(|cell| cell.is_some()).count();
        ensure!(filled == 1, "after one step the output has {filled} cells, expected 1");
        for _ in 0..last {
            tab.click(NEXT)?;
        }
        compare(tab, WIDGET, "z", &example.z)?;
        let said = text(tab, ".widget-says")?;
        let [.., row] = &example.z[..] else { continue };
        let result = row.last().map(ToString::to_string).unwrap_or_default();
        ensure!(said.ends_with(&format!("= {result}")), "expected {result}, but it says `{said}`");

        choose(tab, "backward: \u{2202}L/\u{2202}W and \u{2202}L/\u{2202}b")?;
        compare(tab, WIDGET, "g", &example.g)?;
        press_on(tab, NEXT, "ArrowRight", last)?;
        compare(tab, WIDGET, "dw", &example.dw)?;
        compare(tab, WIDGET, "db", &vec![vec![example.db]])?;

        choose(tab, "backward: \u{2202}L/\u{2202}X")?;
        press_on(tab, NEXT, "End", 1)?;
        compare(tab, WIDGET, "dx", &example.dx)?;
        press_on(tab, NEXT, "ArrowLeft", 1)?;
        let position = text(tab, ".widget-position")?;
        let expected = format!("Step {last} of {}", last + 1);
        ensure!(position == expected, "expected `{expected}`, but it shows `{position}`");
    }
    Ok(())
}

/// Sets a slider as a reader's hand does, and returns where it then stands.
fn slide(tab: &mut Page, name: &str, value: f64) -> Result<f64> {
    let script = format!(
        "(() => {{ const slider = document.querySelector('[data-input={}]'); slider.value = {value}; \
         for (const kind of ['input', 'change']) slider.dispatchEvent(new Event(kind)); \
         return Number(slider.value); }})()",
        Value::from(name)
    );
    tab.evaluate(&script)?.as_f64().with_context(|| format!("there is no slider `{name}`"))
}

/// The numbers of the example, then under moved logits, a shift and a temperature.
pub(super) fn softmax(tab: &mut Page) -> Result<()> {
    tab.wait_until("!document.querySelector('[data-widget=\"softmax\"]').hidden")?;
    let example: Logits = inputs(tab, "softmax")?;
    agree(tab, &example, 1.0).context("as the page opens")?;

    slide(tab, "shift of all", 7.5)?;
    agree(tab, &example, 1.0).context("after a shift of all logits")?;
    let said = text(tab, ".widget-says")?;
    ensure!(said.contains("changes nothing"), "the shift is not explained");

    let temperature = slide(tab, "temperature", 2.5)?;
    agree(tab, &example, temperature).context("at another temperature")?;

    let mut moved = example.clone();
    moved.s[0] = slide(tab, "s\u{2080}", 3.5)?;
    moved.s[2] = slide(tab, "s\u{2082}", -4.0)?;
    agree(tab, &moved, temperature).context("with other logits")?;

    press_on(tab, "[data-input=s\u{2080}]", "ArrowRight", 1)?;
    let stands = tab.evaluate("Number(document.querySelector('[data-input=s\u{2080}]').value)")?;
    let stands = stands.as_f64().context("a slider has a value")?;
    ensure!(stands > moved.s[0], "the right arrow key does not raise the logit");
    moved.s[0] = stands;
    agree(tab, &moved, temperature).context("after a key")?;

    tab.click("[data-widget='softmax'] button")?;
    agree(tab, &example, 1.0).context("after a reset")
}

fn agree(tab: &mut Page, logits: &Logits, temperature: f64) -> Result<()> {
    compare(tab, "softmax", "jacobian", &logits.table(temperature))
}
