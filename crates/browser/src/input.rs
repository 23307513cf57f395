//! Keys and the mouse.

use serde_json::{Value, json};

use crate::error::BrowserError;
use crate::page::Page;

/// Keys by name: code number, and what they type.
const NAMED: [(&str, u32, Option<&str>); 6] = [
    ("Backspace", 8, None),
    ("Tab", 9, None),
    ("Enter", 13, Some("\r")),
    ("End", 35, None),
    ("ArrowLeft", 37, None),
    ("ArrowRight", 39, None),
];

impl Page {
    /// Presses and releases a key: a character, or a name as in `KeyboardEvent.key`.
    ///
    /// # Errors
    /// If there is no such key, or the browser does not answer.
    pub fn press(&mut self, key: &str) -> Result<(), BrowserError> {
        let (code, number, text) = match NAMED.into_iter().find(|(name, ..)| *name == key) {
            Some(named) => named,
            None if key.chars().count() == 1 => ("", 0, Some(key)),
            None => {
                let known = NAMED.map(|(name, ..)| name).join(", ");
                let expected = format!("expected one character or a name: {known}");
                return Err(BrowserError::of(format!("unknown key `{key}`"), expected));
            }
        };
        let down = if text.is_some() { "keyDown" } else { "rawKeyDown" };
        for (kind, text) in [(down, text), ("keyUp", None)] {
            let mut params =
                json!({ "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number });
            if let Some(text) = text {
                params["text"] = Value::from(text);
            }
            self.0.command("Input.dispatchKeyEvent", &params)?;
        }
        Ok(())
    }

    /// Types a text, key by key.
    pub fn type_text(&mut self, text: &str) -> Result<(), BrowserError> {
        text.chars().try_for_each(|character| self.press(character.encode_utf8(&mut [0; 4])))
    }

    /// Clicks on the middle of the first element that matches, which is scrolled into view.
    pub fn click(&mut self, selector: &str) -> Result<(), BrowserError> {
        let script = format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return null; \
             e.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }}); \
             const r = e.getBoundingClientRect(); \
             return r.width && r.height ? [r.x + r.width / 2, r.y + r.height / 2] : null; }})()",
            Value::from(selector)
        );
        let point = self.evaluate(&script)?;
        if point.is_null() {
            return Err(BrowserError(format!("the page has no visible element `{selector}`")));
        }
        for (kind, button, count) in
            [("mouseMoved", "none", 0), ("mousePressed", "left", 1), ("mouseReleased", "left", 1)]
        {
            let params = json!({
                "type": kind, "x": point[0], "y": point[1], "button": button,
                "buttons": count, "clickCount": count,
            });
            self.0.command("Input.dispatchMouseEvent", &params)?;
        }
        Ok(())
    }
}
