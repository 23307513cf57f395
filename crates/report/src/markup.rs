//! A scanner for the tags of SVG and MathML.
//!
//! It keeps the case of names (`viewBox`), which mdBook's own HTML reader does not, and what it reads
//! can be written as it was. It does not repair malformed markup.

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
    pub(crate) attributes: Vec<(&'a str, String)>,
    /// Whether the tag ends with `/>`.
    pub(crate) self_closing: bool,
}

impl<'a> Tag<'a> {
    /// Reads what stands between `<` and `>`.
    fn read(text: &'a str) -> Self {
        let (text, self_closing) =
            text.strip_suffix('/').map_or((text, false), |text| (text, true));
        let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let mut tag = Self { name, attributes: Vec::new(), self_closing };
        while !rest.trim().is_empty() {
            let (names, value) = rest.split_once('=').unwrap_or((rest, ""));
            tag.attributes.extend(names.split_whitespace().map(|name| (name, String::new())));
            let value = value.trim_start();
            let quote = value.starts_with(['"', '\'']).then(|| value.split_at(1));
            let value = match quote {
                Some((quote, value)) => value.split_once(quote).unwrap_or((value, "")),
                None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
            };
            rest = value.1;
            if let Some((_, last)) = tag.attributes.last_mut() {
                *last = decode(value.0);
            }
        }
        tag
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    /// Sets an attribute, where it stands or at the end.
    pub(crate) fn set(&mut self, name: &'a str, value: impl Into<String>) {
        match self.attributes.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value.into(),
            None => self.attributes.push((name, value.into())),
        }
    }

    /// Writes the tag.
    pub(crate) fn write(&self, out: &mut String) {
        *out += &format!("<{}", self.name);
        for (name, value) in &self.attributes {
            *out += &format!(" {name}=\"{}\"", escape(value));
        }
        *out += if self.self_closing { "/>" } else { ">" };
    }
}

/// The tokens of `text`.
pub(crate) fn tokens(mut text: &str) -> impl Iterator<Item = Token<'_>> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let Some(markup) = text.strip_prefix('<') else {
            let content;
            (content, text) = text.split_at(text.find('<').unwrap_or(text.len()));
            return Some(Token::Text(content));
        };
        if let Some(comment) = markup.strip_prefix("!--") {
            text = comment.split_once("-->").map_or("", |(_, rest)| rest);
            return Some(Token::Other);
        }
        let mut quote = None;
        let end = markup.find(|c| {
            match quote {
                Some(open) if open == c => quote = None,
                None if matches!(c, '"' | '\'') => quote = Some(c),
                _ => {}
            }
            c == '>' && quote.is_none()
        });
        let (tag, rest) = markup.split_at(end.unwrap_or(markup.len()));
        text = rest.strip_prefix('>').unwrap_or(rest);
        Some(match tag.strip_prefix('/') {
            Some(name) => Token::Close(name.trim()),
            None if tag.starts_with(['!', '?']) => Token::Other,
            None => Token::Open(Tag::read(tag)),
        })
    })
}

/// The characters that text and attribute values cannot hold, and what stands for them.
const ENTITIES: [(&str, &str); 4] =
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")];

/// `text` with entities for text and attribute values.
pub(crate) fn escape(text: &str) -> String {
    ENTITIES.iter().fold(text.to_owned(), |text, (c, entity)| text.replace(c, entity))
}

/// `text` without the entities that [`escape`] writes.
fn decode(text: &str) -> String {
    ENTITIES.iter().rev().fold(text.to_owned(), |text, (c, entity)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_attributes_and_text_are_told_apart() {
        let text = "<?xml a?><!-- a <b> --><p class=\"x &amp; > y\" hidden id='q' n=1>1 2<br/></p>";
        let tokens: Vec<Token<'_>> = tokens(text).collect();
        let [Token::Other, Token::Other, Token::Open(p), text, Token::Open(br), close] =
            &tokens[..]
        else {
            panic!("{tokens:?}");
        };
        let attributes: Vec<_> =
            p.attributes.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!(attributes, [("class", "x & > y"), ("hidden", ""), ("id", "q"), ("n", "1")]);
        assert_eq!((p.get("id"), p.get("absent")), (Some("q"), None));
        assert_eq!([text, close], [&Token::Text("1 2"), &Token::Close("p")]);
        let mut written = String::new();
        p.write(&mut written);
        br.write(&mut written);
        let expected = "<p class=\"x &amp; &gt; y\" hidden=\"\" id=\"q\" n=\"1\"><br/>";
        assert_eq!(written, expected);
    }
}
