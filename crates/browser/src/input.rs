//! Keys and the mouse.

use serde_json::{Value, json};

use crate::error::BrowserError;
use crate::page::Page;

/// A point of the window, in CSS pixels from its upper left corner.
type Point = (f64, f64);

impl Page {
    /// Presses and releases a key: a character, or a name as in `KeyboardEvent.key`; with modifiers
    /// before it, as in `Shift+Tab`.
    ///
    /// # Errors
    /// If there is no such key, or the browser does not answer.
    pub fn press(&mut self, key: &str) -> Result<(), BrowserError> {
        let Stroke { modifiers, key, code, number, text } =
            stroke(key).ok_or_else(|| BrowserError::NoKey { key: key.to_owned() })?;
        let mut params = json!({
            "type": if text.is_some() { "keyDown" } else { "rawKeyDown" },
            "modifiers": modifiers, "key": key, "code": code, "windowsVirtualKeyCode": number,
        });
        if let Some(text) = text {
            params["text"] = Value::from(text);
        }
        self.command("Input.dispatchKeyEvent", &params)?;
        let params = json!({
            "type": "keyUp",
            "modifiers": modifiers, "key": key, "code": code, "windowsVirtualKeyCode": number,
        });
        self.command("Input.dispatchKeyEvent", &params).map(drop)
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
        let point = self.middle_of(selector)?;
        self.drag(point, point)
    }

    /// Presses the mouse's left button at one point, moves to another, and releases it there.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub fn drag(&mut self, from: Point, to: Point) -> Result<(), BrowserError> {
        self.mouse("mouseMoved", from, 0)?;
        self.mouse("mousePressed", from, 1)?;
        if from != to {
            let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
            self.mouse("mouseMoved", middle, 1)?;
            self.mouse("mouseMoved", to, 1)?;
        }
        self.mouse("mouseReleased", to, 1)
    }

    /// Moves the mouse there.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub fn point_at(&mut self, point: Point) -> Result<(), BrowserError> {
        self.mouse("mouseMoved", point, 0)
    }

    /// Where the middle of the first element that matches is, after scrolling it into view.
    ///
    /// # Errors
    /// If there is none that can be seen.
    pub fn middle_of(&mut self, selector: &str) -> Result<Point, BrowserError> {
        let script = format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return null; \
             e.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }}); \
             const r = e.getBoundingClientRect(); \
             return r.width && r.height ? [r.x + r.width / 2, r.y + r.height / 2] : null; }})()",
            Value::from(selector)
        );
        let found = self.evaluate(&script)?;
        match (found[0].as_f64(), found[1].as_f64()) {
            (Some(x), Some(y)) => Ok((x, y)),
            _ => Err(BrowserError::NoElement { selector: selector.to_owned() }),
        }
    }

    fn mouse(&mut self, kind: &str, (x, y): Point, buttons: u8) -> Result<(), BrowserError> {
        let button = if buttons == 0 { "none" } else { "left" };
        let params = json!({
            "type": kind, "x": x, "y": y, "button": button,
            "buttons": buttons, "clickCount": buttons,
        });
        self.command("Input.dispatchMouseEvent", &params).map(drop)
    }
}

/// A key with its modifiers, as the protocol wants it.
#[derive(Debug, PartialEq)]
struct Stroke {
    modifiers: u8,
    key: String,
    code: String,
    number: u32,
    text: Option<String>,
}

const MODIFIERS: [(&str, u8); 4] = [("Alt", 1), ("Control", 2), ("Meta", 4), ("Shift", 8)];

/// Keys by name: code number, and what they type.
const NAMED: [(&str, u32, Option<&str>); 15] = [
    ("Backspace", 8, None),
    ("Tab", 9, None),
    ("Enter", 13, Some("\r")),
    ("Escape", 27, None),
    ("PageUp", 33, None),
    ("PageDown", 34, None),
    ("End", 35, None),
    ("Home", 36, None),
    ("ArrowLeft", 37, None),
    ("ArrowUp", 38, None),
    ("ArrowRight", 39, None),
    ("ArrowDown", 40, None),
    ("Delete", 46, None),
    ("Space", 32, Some(" ")),
    ("F1", 112, None),
];

fn stroke(text: &str) -> Option<Stroke> {
    let mut modifiers = 0;
    let mut rest = text;
    while let Some((bit, after)) = MODIFIERS
        .iter()
        .find_map(|(name, bit)| Some((*bit, rest.strip_prefix(name)?.strip_prefix('+')?)))
    {
        modifiers |= bit;
        rest = after;
    }
    // With Alt, Control or Meta a key types nothing.
    let types = modifiers & 7 == 0;
    let rest = if rest == " " { "Space" } else { rest };
    if let Some((name, number, typed)) = NAMED.iter().find(|(name, ..)| *name == rest) {
        let key = if *name == "Space" { " " } else { name };
        let text = typed.filter(|_| types).map(str::to_owned);
        let (key, code) = (key.to_owned(), (*name).to_owned());
        return Some(Stroke { modifiers, key, code, number: *number, text });
    }
    let mut characters = rest.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else { return None };
    let upper = character.to_ascii_uppercase();
    let (code, number) = match upper {
        'A'..='Z' => (format!("Key{upper}"), u32::from(upper)),
        '0'..='9' => (format!("Digit{upper}"), u32::from(upper)),
        _ => (String::new(), 0),
    };
    let key = character.to_string();
    Some(Stroke { modifiers, text: types.then(|| key.clone()), key, code, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_understood_with_their_modifiers() {
        let tab = stroke("Shift+Tab").unwrap();
        assert_eq!((tab.modifiers, tab.number, tab.text), (8, 9, None));
        let select = stroke("Control+a").unwrap();
        assert_eq!((select.modifiers, select.code.as_str(), select.text), (2, "KeyA", None));
        let plus = stroke("+").unwrap();
        assert_eq!(plus.text.as_deref(), Some("+"));
        let space = stroke(" ").unwrap();
        assert_eq!((space.code.as_str(), space.text.as_deref()), ("Space", Some(" ")));
        for unknown in ["", "Shift+", "Entr", "Hyper+a"] {
            assert_eq!(stroke(unknown), None, "{unknown}");
        }
    }
}
