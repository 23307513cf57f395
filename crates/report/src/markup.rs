//! A scanner for the tags of HTML and SVG.
//!
//! It keeps the case of names (`viewBox`), which mdBook's own HTML reader does not, and it reads
//! only what this crate and mdBook write: it does not repair malformed markup.

use std::borrow::Cow;

/// A piece of markup.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// Text between tags, as written.
    Text(&'a str),
    /// A start tag.
    Open(Tag<'a>),
    /// An end tag, by name.
    Close(&'a str),
    /// A comment, a declaration or a processing instruction.
    Other,
}

/// A start tag.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tag<'a> {
    /// The element's name.
    pub(crate) name: &'a str,
    /// The attributes in order, their values decoded.
    pub(crate) attributes: Vec<(&'a str, Cow<'a, str>)>,
    /// Whether the tag ends with `/>`.
    pub(crate) self_closing: bool,
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_ref())
    }

    /// Sets an attribute, where it stands or at the end.
    pub(crate) fn set(&mut self, name: &'a str, value: impl Into<Cow<'a, str>>) {
        match self.attributes.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value.into(),
            None => self.attributes.push((name, value.into())),
        }
    }

    /// Writes the tag.
    pub(crate) fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(&escape(value));
            out.push('"');
        }
        out.push_str(if self.self_closing { "/>" } else { ">" });
    }
}

/// The tokens of `text`.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    Scanner { rest: text, raw: None }
}

/// `text` with `&`, `<`, `>` and `"` as entities, for text and attribute values.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Cow::Owned(text.replace('"', "&quot;"))
}

struct Scanner<'a> {
    rest: &'a str,
    /// The name of an element whose text is not markup (`script`, `style`), while inside it.
    raw: Option<&'a str>,
}

impl<'a> Scanner<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn tag(&mut self) -> Token<'a> {
        let is_name = |c: char| !c.is_whitespace() && !matches!(c, '>' | '/' | '=');
        let name_length = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let mut tag =
            Tag { name: self.take(name_length), attributes: Vec::new(), self_closing: false };
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Token::Open(tag);
            }
            if self.rest.starts_with('>') {
                self.take(1);
                if matches!(tag.name, "script" | "style") && !tag.self_closing {
                    self.raw = Some(tag.name);
                }
                return Token::Open(tag);
            }
            tag.self_closing = self.rest.starts_with('/');
            if tag.self_closing || self.rest.starts_with('=') {
                self.take(1);
                continue;
            }
            let length = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
            let name = self.take(length);
            tag.attributes.push((name, self.value()));
        }
    }

    fn value(&mut self) -> Cow<'a, str> {
        let Some(rest) = self.rest.trim_start().strip_prefix('=') else {
            return Cow::Borrowed("");
        };
        self.rest = rest.trim_start();
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let raw = match quote {
            Some(quote) => {
                self.take(1);
                let length = self.rest.find(quote).unwrap_or(self.rest.len());
                let raw = self.take(length);
                self.rest = self.rest.strip_prefix(quote).unwrap_or(self.rest);
                raw
            }
            None => {
                let end = self.rest.find(|c: char| c.is_whitespace() || c == '>');
                self.take(end.unwrap_or(self.rest.len()))
            }
        };
        decode(raw)
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        if let Some(name) = self.raw.take() {
            let end = self.rest.find(&format!("</{name}")).unwrap_or(self.rest.len());
            return Some(Token::Text(self.take(end)));
        }
        let Some(rest) = self.rest.strip_prefix('<') else {
            let length = self.rest.find('<').unwrap_or(self.rest.len());
            return Some(Token::Text(self.take(length)));
        };
        if let Some(comment) = rest.strip_prefix("!--") {
            self.rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            return Some(Token::Other);
        }
        if rest.starts_with(['!', '?']) {
            self.rest = rest.split_once('>').map_or("", |(_, rest)| rest);
            return Some(Token::Other);
        }
        if let Some(close) = rest.strip_prefix('/') {
            let (name, rest) = close.split_once('>').unwrap_or((close, ""));
            self.rest = rest;
            return Some(Token::Close(name.trim()));
        }
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Some(Token::Text(self.take(1)));
        }
        self.take(1);
        Some(self.tag())
    }
}

/// `text` with entities replaced by their characters.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        decoded.push_str(before);
        rest = entity;
        let known =
            entity.split_once(';').and_then(|(name, after)| Some((entity_char(name)?, after)));
        match known {
            Some((character, after)) => {
                decoded.push(character);
                rest = after;
            }
            None => decoded.push('&'),
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

fn entity_char(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_attributes_and_text_are_told_apart() {
        let text = "<!-- a <b> --><p class=\"x &amp; y\" hidden id='q'>1 < 2<br/></p>";
        let tokens: Vec<Token<'_>> = tokens(text).collect();
        let [Token::Other, Token::Open(p), one, less, two, Token::Open(br), close] = &tokens[..]
        else {
            panic!("{tokens:?}");
        };
        assert_eq!(p.get("class"), Some("x & y"));
        assert_eq!((p.get("hidden"), p.get("id"), p.get("absent")), (Some(""), Some("q"), None));
        assert_eq!([one, less, two], [&Token::Text("1 "), &Token::Text("<"), &Token::Text(" 2")]);
        assert!(br.self_closing);
        assert_eq!(close, &Token::Close("p"));
    }

    #[test]
    fn the_text_of_a_script_is_not_markup() {
        let tokens: Vec<Token<'_>> = tokens("<script>if (a<b) '<a href=x>'</script>").collect();
        assert_eq!(tokens[1], Token::Text("if (a<b) '<a href=x>'"));
        assert_eq!(tokens[2], Token::Close("script"));
    }

    #[test]
    fn a_tag_is_written_as_it_was_read() {
        let text = "<svg viewBox=\"0 0 1 1\" aria-label=\"a &lt; b &quot;c&quot;\"/>";
        let Some(Token::Open(mut tag)) = tokens(text).next() else { panic!("no tag") };
        let mut out = String::new();
        tag.write(&mut out);
        assert_eq!(out, text);
        tag.set("viewBox", "0 0 2 2");
        tag.set("role", "img");
        assert_eq!((tag.get("viewBox"), tag.get("role")), (Some("0 0 2 2"), Some("img")));
    }

    #[test]
    fn entities_are_decoded_and_unknown_ones_left() {
        assert_eq!(decode("a&#39;b&#x27;c &lt;&nope; & d"), "a'b'c <&nope; & d");
    }
}
