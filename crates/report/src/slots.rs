//! Drawings and formulas, put into a page after mdBook has written it.
//!
//! mdBook reads the HTML within Markdown with a reader of its own, which would take SVG apart. So
//! the Markdown holds a numbered slot in its place, and the drawing never passes through mdBook.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::formula::{Formula, glyph_definitions};

const BEFORE: &str = "<span class=\"slot\" data-slot=\"";
const AFTER: &str = "\"></span>";
/// Where a page takes the glyphs of its formulas.
const MAIN: &str = "<main>";

/// Marks that must not begin a line. A browser may break on either side of a picture, before these too.
const MARKS: [char; 6] = ['.', ',', ';', ':', ')', '’'];

/// The content of a slot.
#[derive(Clone, Debug)]
pub(crate) enum Filling {
    /// A formula.
    Formula(Arc<Formula>),
    /// A drawing.
    Drawing(String),
}

/// The medium of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    /// To be read in a browser.
    Screen,
    /// To be printed.
    Paper,
}

/// The slots of a book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Vec<Filling>);

impl Slots {
    /// A new slot: the markup that stands for it.
    pub(crate) fn add(&mut self, filling: Filling) -> String {
        self.0.push(filling);
        format!("{BEFORE}{}{AFTER}", self.0.len() - 1)
    }

    /// A page with its slots filled and its glyphs defined, for a medium.
    pub(crate) fn fill(&self, page: &str, medium: Medium) -> Result<String, String> {
        let mut out = String::with_capacity(page.len());
        let mut glyphs: BTreeMap<&String, &String> = BTreeMap::new();
        let mut rest = page;
        while let Some((before, slot)) = rest.split_once(BEFORE) {
            out.push_str(before);
            let filling = slot.split_once(AFTER).and_then(|(number, after)| {
                Some((self.0.get(number.parse::<usize>().ok()?)?, after))
            });
            let Some((filling, after)) = filling else {
                let shown: String = slot.chars().take(20).collect();
                return Err(format!("the page has the unknown slot `{shown}`"));
            };
            rest = after;
            let formula = match filling {
                Filling::Drawing(svg) => {
                    out.push_str(svg);
                    continue;
                }
                Filling::Formula(formula) => formula,
            };
            let html = match medium {
                Medium::Screen => formula.to_read(),
                Medium::Paper => formula.to_print(),
            };
            glyphs.extend(&formula.glyphs);
            rest = after.trim_start_matches(MARKS);
            out.push_str(&match &after[..after.len() - rest.len()] {
                "" => html,
                marks => format!("<span class=\"unbroken\">{html}{marks}</span>"),
            });
        }
        out.push_str(rest);
        if glyphs.is_empty() {
            return Ok(out);
        }
        if !out.contains(MAIN) {
            return Err(format!("the page has formulas, but no {MAIN}"));
        }
        Ok(out.replacen(MAIN, &format!("{MAIN}{}", glyph_definitions(glyphs)), 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(name: &str, glyph: &str) -> Filling {
        let glyphs = BTreeMap::from([(glyph.to_owned(), "M0 0".to_owned())]);
        let svg = format!("<svg>{name}</svg>");
        let mathml = format!("<math>{name}</math>");
        Filling::Formula(Arc::new(Formula { tex: name.to_owned(), svg, mathml, glyphs }))
    }

    #[test]
    fn slots_are_filled_and_each_glyph_is_defined_once() {
        let mut slots = Slots::default();
        let a = slots.add(formula("a", "g-x"));
        let b = slots.add(formula("b", "g-x"));
        let c = slots.add(Filling::Drawing("<svg>c</svg>".to_owned()));
        let page = format!("<main><p>{a} {b} {c} {a}</p></main>");
        let expected = "<main><svg class=\"glyphs\" aria-hidden=\"true\"><defs>\
            <path id=\"g-x\" d=\"M0 0\"/></defs></svg>\
            <p><svg role=\"img\" aria-label=\"a\">a</svg> <svg role=\"img\" aria-label=\"b\">b</svg> \
            <svg>c</svg> <svg role=\"img\" aria-label=\"a\">a</svg></p></main>";
        assert_eq!(slots.fill(&page, Medium::Paper).unwrap(), expected);
        let read = slots.fill(&page, Medium::Screen).unwrap();
        let a = "<svg aria-hidden=\"true\">a</svg><math>a</math>";
        assert_eq!(read.matches(a).count(), 2, "{read}");
        let plain = "<main>plain</main>";
        assert_eq!(slots.fill(plain, Medium::Screen).unwrap(), plain);
    }

    #[test]
    fn an_unknown_slot_and_a_page_without_a_place_for_glyphs_are_errors() {
        let mut slots = Slots::default();
        let slot = slots.add(formula("a", "g-x"));
        for (slots, expected) in [(slots, "no <main>"), (Slots::default(), "unknown slot")] {
            let error = slots.fill(&slot, Medium::Paper).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
