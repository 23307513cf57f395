//! Finds, in Markdown, what this crate expands.
//!
//! Block constructs (displayed formulas, directives) are found line by line, because Markdown would
//! read a formula's line `- b` as a list. The rest is what mdBook's own Markdown reader says is
//! text, so nothing inside code is ever touched.

use std::ops::Range;

use mdbook_markdown::pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::directive::{Directive, IN_LINE};
use crate::fragment::{EquationLabel, Fragment, Piece, PieceKind};
use crate::problem::{Place, Problems};
use crate::references::{Kind, Label};

/// The beginning of the heading of a section in which numbers have to come from the harness.
const EXAMPLE: &str = "A worked example";

/// Reads a chapter, whose first line stands at `start`.
pub(crate) fn chapter(text: &str, start: &Place, problems: &mut Problems) -> Fragment {
    let mut reader = Reader { text, start, pieces: Vec::new(), problems };
    let masked = reader.blocks();
    reader.finish(&masked)
}

/// Reads a caption, which has no blocks.
fn caption(text: &str, place: &Place, problems: &mut Problems) -> Fragment {
    Reader { text, start: place, pieces: Vec::new(), problems }.finish(text)
}

/// The sections with nothing in them, each with the line of its heading.
pub(crate) fn empty_sections(text: &str) -> Vec<(usize, &str)> {
    let mut empty = Vec::new();
    let mut open: Option<(HeadingLevel, Range<usize>)> = None;
    let mut in_comment = false;
    let mut close = |open: &mut Option<(HeadingLevel, Range<usize>)>, level| {
        if let Some((_, heading)) = open.take_if(|(above, _)| level <= *above) {
            let line = 1 + text[..heading.start].matches('\n').count();
            empty.push((line, text[heading].trim_matches(['#', ' ', '\n'])));
        }
    };
    for (event, range) in Parser::new_ext(text, markdown_options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => close(&mut open, level),
            Event::End(TagEnd::Heading(level)) => open = Some((level, range)),
            // Notes to those who write the chapter.
            Event::Start(Tag::HtmlBlock) => in_comment = text[range].starts_with("<!--"),
            _ if in_comment => in_comment = !matches!(event, Event::End(TagEnd::HtmlBlock)),
            _ => open = None,
        }
    }
    close(&mut open, HeadingLevel::H1);
    empty
}

/// A reader of one text.
struct Reader<'a> {
    text: &'a str,
    start: &'a Place,
    pieces: Vec<Piece>,
    problems: &'a mut Problems,
}

impl<'a> Reader<'a> {
    fn place(&self, offset: usize) -> Place {
        let lines = self.text[..offset].matches('\n').count();
        Place::new(&self.start.file, self.start.line + lines)
    }

    fn problem(&mut self, offset: usize, message: impl Into<String>) {
        let place = self.place(offset);
        self.problems.add(&place, message);
    }

    /// Takes displayed formulas and directives out; returns the text with spaces in their place.
    fn blocks(&mut self) -> String {
        let mut masked = String::with_capacity(self.text.len());
        let mut fence = None;
        let mut offset = 0;
        let text = self.text;
        let mut lines = text.split_inclusive('\n');
        while let Some(line) = lines.next() {
            let start = offset;
            offset += line.len();
            let content = line.trim();
            let indent = &line[..line.len() - line.trim_start().len()];
            let body_start = start + indent.len();
            let in_code = fence.is_some();
            fence = match fence {
                None => fence_marker(content),
                Some(marker) if content.starts_with(marker) => {
                    Some(marker).filter(|_| !content.trim_matches(['`', '~']).is_empty())
                }
                open => open,
            };
            if in_code || fence.is_some() {
                masked.push_str(line);
                continue;
            }
            if content.starts_with("$$") {
                let mut end = body_start + content.len();
                while display(&text[body_start..end]).is_none() {
                    let Some(next) = lines.next() else { break };
                    offset += next.len();
                    end = offset - (next.len() - next.trim_end().len());
                    if next.trim().is_empty() {
                        break;
                    }
                }
                self.display(body_start..end.max(body_start), indent);
            } else if content.starts_with("{{#") && content.ends_with("}}") && !is_in_line(content)
            {
                self.directive(body_start..body_start + content.len(), Some(indent));
            } else {
                masked.push_str(line);
                continue;
            }
            mask(&mut masked, &text[start..offset]);
        }
        if fence.is_some() {
            self.problem(text.len(), "the last code block is not closed");
        }
        masked
    }

    fn display(&mut self, range: Range<usize>, indent: &str) {
        let Some((tex, attribute)) = display(&self.text[range.clone()]) else {
            let message = "the displayed formula is not closed: expected a line that ends with `$$` or `$$ {#eq:ID .result}` \
                           before the next empty line";
            return self.failed(range, message);
        };
        let tex = tex.trim().to_owned();
        match equation_attribute(attribute) {
            Ok(label) => self.push(range, Some(indent), PieceKind::Formula { tex, label }),
            Err(message) => self.failed(range, message),
        }
    }

    fn directive(&mut self, range: Range<usize>, indent: Option<&str>) {
        let text = self.text[range.clone()].trim_start_matches("{{#").trim_end_matches("}}");
        match Directive::parse(text) {
            Ok(directive) => {
                let place = self.place(range.start);
                let text = directive.caption.as_deref();
                let caption = text.map(|text| caption(text, &place, self.problems));
                self.push(range, indent, PieceKind::Directive { directive, caption });
            }
            Err(message) => self.failed(range, message),
        }
    }

    fn failed(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.problem(range.start, message);
        self.push(range, None, PieceKind::Failed);
    }

    fn push(&mut self, range: Range<usize>, indent: Option<&str>, kind: PieceKind) {
        let place = self.place(range.start);
        self.pieces.push(Piece { range, place, indent: indent.map(str::to_owned), kind });
    }

    /// Reads `masked`, which is the text without its blocks, as Markdown.
    fn finish(mut self, masked: &str) -> Fragment {
        let mut titles = 0;
        let mut examples = Vec::new();
        let mut example = None;
        let mut in_code = false;
        // What is neither code nor formula nor HTML: the only parts that are searched.
        let mut plain: Vec<Range<usize>> = Vec::new();
        for (event, range) in Parser::new_ext(masked, markdown_options()).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(_) if in_code && masked[range.clone()].contains("{{#") => {
                    self.problem(range.start, "a directive inside a code block is not expanded");
                }
                Event::Text(_) if in_code => {}
                Event::Text(_) => match plain.last_mut() {
                    Some(last) if last.end == range.start => last.end = range.end,
                    _ => plain.push(range),
                },
                Event::InlineMath(tex) => {
                    let tex = tex.trim().to_owned();
                    self.push(range, None, PieceKind::Formula { tex, label: None });
                }
                Event::DisplayMath(_) => self.problem(
                    range.start,
                    "`$$ ... $$` stands on lines of its own, outside of quotations; in a line of text write `$...$`",
                ),
                Event::Start(Tag::Heading { level, .. }) => {
                    titles += usize::from(level == HeadingLevel::H1);
                    if let Some((from, _)) = example.take_if(|(_, opened)| level <= *opened) {
                        examples.push(from..range.start);
                    }
                    let title = masked[range.clone()].trim_start_matches(['#', ' ']);
                    if example.is_none() && title.starts_with(EXAMPLE) {
                        example = Some((range.start, level));
                    }
                }
                _ => {}
            }
        }
        for range in plain {
            self.plain(range, masked);
        }
        examples.extend(example.map(|(from, _)| from..masked.len()));
        self.pieces.sort_by_key(|piece| piece.range.start);
        Fragment { text: self.text.to_owned(), pieces: self.pieces, titles, examples }
    }

    /// Looks for references and values in text, and for what was meant as something else.
    fn plain(&mut self, range: Range<usize>, masked: &str) {
        let text = &masked[range.clone()];
        for (at, _) in text.match_indices('$') {
            let start = range.start + at;
            if !masked[..start].ends_with('\\') {
                let message = "a `$` without a partner: a formula is `$x$`, without spaces next to the signs \
                               and with as many `{` as `}`; a dollar is `\\$`";
                self.problem(start, message);
            }
        }
        for (at, _) in text.match_indices("[@") {
            let message = "a reference is `[@eq:ID]`, `[@fig:ID]` or `[@tbl:ID]`";
            let Some(found) = self.closed(range.start + at, "[@", "]", message) else { continue };
            match Label::parse(&self.text[found.start + 2..found.end - 1]) {
                Ok(label) => self.push(found, None, PieceKind::Reference(label)),
                Err(message) => self.failed(found, message),
            }
        }
        for (at, _) in text.match_indices("{{#") {
            let message = "a directive ends with `}}` in the same line";
            let Some(found) = self.closed(range.start + at, "{{#", "}}", message) else { continue };
            match &self.text[found.clone()] {
                directive if is_in_line(directive) => self.directive(found, None),
                other => self.failed(found, format!("`{other}` has to stand on a line of its own")),
            }
        }
    }

    /// The range from the opening marks at `start` to the closing ones in the same line.
    fn closed(
        &mut self,
        start: usize,
        open: &str,
        close: &str,
        message: &str,
    ) -> Option<Range<usize>> {
        let line = self.text[start..].lines().next().unwrap_or_default();
        let found = line.find(close).map(|at| start..start + at + close.len());
        if found.is_none() {
            self.failed(start..start + open.len(), message);
        }
        found
    }
}

/// Whether a directive stands in a line of text, which it may begin.
fn is_in_line(text: &str) -> bool {
    let name = text.strip_prefix("{{#").and_then(|rest| rest.strip_prefix(IN_LINE));
    name.is_some_and(|rest| rest.starts_with([' ', '}']))
}

/// mdBook's own, and formulas.
fn markdown_options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH
}

/// The marker that opens a fenced code block: three or more backticks or tildes.
fn fence_marker(line: &str) -> Option<&str> {
    let info = line.trim_start_matches(line.chars().next().filter(|c| matches!(c, '`' | '~'))?);
    let marker = &line[..line.len() - info.len()];
    (marker.len() >= 3 && !info.contains('`')).then_some(marker)
}

/// Splits `$$ tex $$ {attribute}`.
fn display(text: &str) -> Option<(&str, &str)> {
    let (tex, attribute) = text.strip_prefix("$$")?.rsplit_once("$$")?;
    let attribute = attribute.trim();
    let complete = attribute.is_empty() || (attribute.starts_with('{') && attribute.ends_with('}'));
    complete.then_some((tex, attribute))
}

/// Reads `{#eq:ID .result}`, `{#eq:ID .step}` or `{#eq:ID .definition}`, or nothing.
fn equation_attribute(attribute: &str) -> Result<Option<EquationLabel>, String> {
    let inner = attribute.trim_start_matches('{').trim_end_matches('}');
    let words: Vec<&str> = inner.split_whitespace().collect();
    match words[..] {
        [] => Ok(None),
        [id, role @ (".result" | ".step" | ".definition")] if id.starts_with('#') => {
            let label = Label::parse_as(Kind::Equation, &id[1..])?;
            Ok(Some(EquationLabel { label, is_result: role == ".result" }))
        }
        _ => Err(format!(
            "`{attribute}` is not of the form `{{#eq:ID .result}}`, where the harness checks the equation, \
             `{{#eq:ID .step}}` or `{{#eq:ID .definition}}`"
        )),
    }
}

/// As many spaces as `text` has bytes, with its line ends.
fn mask(masked: &mut String, text: &str) {
    masked.extend(text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Fragment, Vec<String>) {
        let mut problems = Problems::default();
        let fragment = chapter(text, &Place::new("q.md", 1), &mut problems);
        (fragment, problems.lines())
    }

    /// A piece with its line, its indent if it is a block, and the pieces of its caption.
    fn shown(piece: &Piece) -> String {
        let what = match &piece.kind {
            PieceKind::Formula { tex, label } => match label {
                Some(EquationLabel { label, is_result }) => format!("${tex}$ {label} {is_result}"),
                None => format!("${tex}$"),
            },
            PieceKind::Reference(label) => label.to_string(),
            PieceKind::Directive { directive, caption } => {
                let caption = caption.iter().flat_map(|caption| &caption.pieces).map(shown);
                format!("{} [{}]", directive.name, caption.collect::<Vec<_>>().join(", "))
            }
            PieceKind::Failed => "failed".to_owned(),
        };
        let indent = piece.indent.as_ref().map(|indent| format!("{indent:?} "));
        format!("{} {}{what}", piece.place.line, indent.unwrap_or_default())
    }

    #[test]
    fn sections_are_empty_without_text_and_comments_are_none() {
        let text = "# A\n\n## B\n\n<!--\nWrite.\n\nHere.\n-->\n\n## C\n\n### D\n\nText.\n\n\
            ```sh\n# a\n# b\n```\n\n## E\n\n{{#todo \"e\"}}\n\n## F\n\n<img src=\"a.png\">\n\n## G\n";
        assert_eq!(empty_sections(text), [(3, "B"), (30, "G")]);
    }

    #[test]
    fn formulas_references_and_directives_are_found() {
        for (text, expected) in [
            (
                "Let $x_1 * y$ and *$z$* cost \\$5.\n\n| a | b |\n|---|---|\n| $u$ | `$v$` |\n",
                &["1 $x_1 * y$", "1 $z$", "5 $u$"][..],
            ),
            // Nothing in code is touched.
            ("`$a$ [@eq:b]`\n\n```rust\n$$\nx\n$$\n[@eq:x] $y$\n```\n\n~~~\n$z$\n~~~\n", &[]),
            // Lines of a displayed formula may look like Markdown.
            (
                "Before\n$$\na\n- b\n+ c\n= d\n$$ {#eq:sum .result}\nafter $x$\n\n$$ y $$\n",
                &["2 \"\" $a\n- b\n+ c\n= d$ eq:sum true", "8 $x$", "10 \"\" $y$"],
            ),
            ("1. Text\n\n   $$\n   x\n   $$\n", &["3 \"   \" $x$"]),
            (
                "By [@eq:a], **[@fig:b]** and {{#value iris-sweep best.error}}.\n\n{{#tests 4.1}}\n",
                &["1 eq:a", "1 fig:b", "1 value []", "3 \"\" tests []"],
            ),
            (
                "{{#figure a.svg \"Shows $x$, see [@eq:a]\" \"alt\" fig:a}}\n",
                &["1 \"\" figure [1 $x$, 1 eq:a]"],
            ),
        ] {
            let (fragment, problems) = read(text);
            assert_eq!(problems, [""; 0]);
            assert_eq!(fragment.pieces.iter().map(shown).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_was_meant_as_something_else_is_reported_with_its_line() {
        for (text, expected) in [
            ("a\n\ncosts 5$ now", "q.md:3: a `$` without a partner"),
            ("$$\nx\n\ny\n", "q.md:1: the displayed formula is not closed"),
            ("$$\nx", "not closed"),
            ("$$ x $$ {#fig:a .step}", "`eq:ID`"),
            ("$$ x $$ {#eq:a}", "{#eq:ID .definition}"),
            ("$$ x $$ {#eq:a .resutl}", "{#eq:ID .result}"),
            ("a $$ x $$ b", "stands on lines of its own"),
            ("> $$\n> x\n> $$\n", "stands on lines of its own"),
            ("see [@eq:A]", "is not a label"),
            ("see [@sec:a]", "is not a label"),
            ("see [@eq:a", "a reference is"),
            ("a {{#tests 4.1}} b", "line of its own"),
            ("a {{#value x}} b", "{{#value RECORD KEY}}"),
            ("a\n{{#tests}}", "q.md:2: `{{#tests}}` is not of the form"),
            ("{{#include a.rs}}", "{{#code FILE:ANCHOR}}"),
            ("```\n{{#tests 4.1}}\n```", "inside a code block"),
            ("```\nx\n", "not closed"),
        ] {
            let (_, problems) = read(text);
            assert!(problems.len() == 1 && problems[0].contains(expected), "{text}: {problems:?}");
        }
    }
}
