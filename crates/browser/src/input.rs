//! Keys and the mouse.

use serde_json::{Value, json};

use crate::error::BrowserError;
use crate::page::Page;

impl Page {
    /// Presses and releases a key: a character, or a name as in `KeyboardEvent.key`.
    ///
    /// # Errors
    /// If there is no such key, or the browser does not answer.
    pub fn press(&mut self, key: &str) -> Result<(), BrowserError> {
        let Key { code, number, text } = Key::of(key).ok_or_else(|| {
            BrowserError::Refused(format!(
                "unknown key `{key}`: expected one character or a name such as Enter, Tab, Escape, ArrowLeft"
            ))
        })?;
        let down = if text.is_some() { "keyDown" } else { "rawKeyDown" };
        for kind in [down, "keyUp"] {
            let mut params =
                json!({ "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number });
            if let Some(text) = text.filter(|_| kind == "keyDown") {
                params["text"] = Value::from(text);
            }
            self.command("Input.dispatchKeyEvent", &params)?;
        }
        Ok(())
    }

    /// Types a text, key by key.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub fn type_text(&mut self, text: &str) -> Result<(), BrowserError> {
        text.chars().try_for_each(|character| self.press(character.encode_utf8(&mut [0; 4])))
    }

    /// Clicks on the middle of the first element that matches, which is scrolled into view.
    ///
    /// # Errors
    /// If there is none that can be seen.
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
            let reason = format!("the page has no visible element `{selector}`");
            return Err(BrowserError::Refused(reason));
        }
        for (kind, button, count) in
            [("mouseMoved", "none", 0), ("mousePressed", "left", 1), ("mouseReleased", "left", 1)]
        {
            let params = json!({
                "type": kind, "x": point[0], "y": point[1], "button": button,
                "buttons": count, "clickCount": count,
            });
            self.command("Input.dispatchMouseEvent", &params)?;
        }
        Ok(())
    }
}

/// A key as the protocol wants it.
#[derive(Debug, PartialEq)]
struct Key<'a> {
    code: String,
    number: u32,
    /// The character that it types, if any.
    text: Option<&'a str>,
}

/// Keys by name: code number, and what they type.
const NAMED: [(&str, u32, Option<&str>); 8] = [
    ("Backspace", 8, None),
    ("Tab", 9, None),
    ("Enter", 13, Some("\r")),
    ("Escape", 27, None),
    ("End", 35, None),
    ("Home", 36, None),
    ("ArrowLeft", 37, None),
    ("ArrowRight", 39, None),
];

impl<'a> Key<'a> {
    fn of(key: &'a str) -> Option<Self> {
        if let Some(&(name, number, text)) = NAMED.iter().find(|(name, ..)| *name == key) {
            return Some(Self { code: name.to_owned(), number, text });
        }
        let mut characters = key.chars();
        let (Some(character), None) = (characters.next(), characters.next()) else { return None };
        let upper = character.to_ascii_uppercase();
        let code = match upper {
            ' ' => "Space".to_owned(),
            'A'..='Z' => format!("Key{upper}"),
            '0'..='9' => format!("Digit{upper}"),
            _ => String::new(),
        };
        let number = if code.is_empty() { 0 } else { u32::from(upper) };
        Some(Self { code, number, text: Some(key) })
    }
}
