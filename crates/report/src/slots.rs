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

/// The slots of a book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Vec<Filling>);

impl Slots {
    /// A new slot: the markup that stands for it.
    pub(crate) fn add(&mut self, filling: Filling) -> String {
        self.0.push(filling);
        format!("{BEFORE}{}{AFTER}", self.0.len() - 1)
    }

    /// A page with its slots filled and its glyphs defined, to be read on a screen or printed.
    pub(crate) fn fill(&self, page: &str, on_paper: bool) -> Result<String, String> {
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
            let html = if on_paper { formula.to_print() } else { formula.to_read() };
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
