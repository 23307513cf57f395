//! Rust source as a sequence of tokens: just enough to tell code from comments and strings.

/// A piece of Rust source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An identifier, a keyword or a number.
    Word(&'a str),
    /// Any other single character of code.
    Punctuation(char),
    /// A string or a character, with its quotes.
    Literal,
    /// A comment, documentation included, with its slashes.
    Comment(&'a str),
}

/// A token, and the line on which it begins, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spanned<'a> {
    pub(super) token: Token<'a>,
    pub(super) line: usize,
}

/// The tokens of a source text.
pub(super) fn tokens(source: &str) -> Vec<Spanned<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let (token, length) = next(rest, first);
        let (text, after) = rest.split_at(length);
        if let Some(token) = token {
            found.push(Spanned { token, line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    found
}

/// The token at the beginning of the text, if it is not white space, and its length.
fn next(rest: &str, first: char) -> (Option<Token<'_>>, usize) {
    if rest.starts_with("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        return (Some(Token::Comment(&rest[..length])), length);
    }
    if rest.starts_with("/*") {
        let length = block_comment(rest);
        return (Some(Token::Comment(&rest[..length])), length);
    }
    if let Some(length) = string(rest).or_else(|| character(rest)) {
        return (Some(Token::Literal), length);
    }
    if is_word(first) {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        return (Some(Token::Word(&rest[..length])), length);
    }
    ((!first.is_whitespace()).then_some(Token::Punctuation(first)), first.len_utf8())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a string with its prefix (`b`, `c`, `r`, ...), if the text begins with one.
fn string(rest: &str) -> Option<usize> {
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|&length| length <= 2)?;
    let (prefix, body) = rest.split_at(prefix);
    if prefix.ends_with('r') {
        let hashes = body.find(|c| c != '#')?;
        let (hashes, body) = body.split_at(hashes);
        let body = body.strip_prefix('"')?;
        let end = format!("\"{hashes}");
        let length = body.find(&end).map_or(body.len(), |at| at + end.len());
        return Some(prefix.len() + hashes.len() + 1 + length);
    }
    let body = body.strip_prefix('"')?;
    Some(prefix.len() + 1 + until_quote(body, '"'))
}

/// The length of a character literal, if the text begins with one and not with a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix("b'").or_else(|| rest.strip_prefix('\''))?;
    let mut characters = body.chars();
    let is_literal = characters.next()? == '\\' || characters.next() == Some('\'');
    is_literal.then(|| rest.len() - body.len() + until_quote(body, '\''))
}

/// The length of a text up to and with the first quote that is not escaped.
fn until_quote(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<&str> {
        let words = tokens(source).into_iter().filter_map(|spanned| match spanned.token {
            Token::Word(word) => Some(word),
            _ => None,
        });
        words.collect()
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(words(r#"a "b \" c" d b"e" f"#), ["a", "d", "f"]);
        assert_eq!(words(r###"a r#"b " c"# d br##"e "# f"## g r"h\" i"###), ["a", "d", "g", "i"]);
        assert_eq!(words("a /* b"), ["a"]);
    }

    #[test]
    fn characters_are_literals_and_lifetimes_are_not() {
        assert_eq!(words(r"a '\'' b 'x' c b'y' d"), ["a", "b", "c", "d"]);
        assert_eq!(words("fn f<'a>(x: &'a str)"), ["fn", "f", "a", "x", "a", "str"]);
        assert_eq!(words("'\"' a '\"'"), ["a"]);
    }

    #[test]
    fn identifiers_that_begin_like_a_string_are_words() {
        assert_eq!(
            words("rb bc r#type broken crate"),
            ["rb", "bc", "r", "type", "broken", "crate"]
        );
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let source = "a\n\"b\nc\"\n/* d\n*/ e";
        let lines: Vec<_> = tokens(source).iter().map(|spanned| spanned.line).collect();
        assert_eq!(lines, [1, 2, 4, 5]);
    }
}
