//! The text of a page, and where it stands.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Encoding, Object, ObjectId};

/// Some characters on a line, in points from the upper left corner of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Where it begins.
    pub x: f64,
    /// Its base line.
    pub y: f64,
    /// How long it is.
    pub width: f64,
    /// The size of the font.
    pub size: f64,
    /// What it says.
    pub text: String,
    /// Red, green and blue, from 0 to 1.
    pub ink: [f64; 3],
    /// Whether the font is one for code.
    pub is_code: bool,
    /// Whether the font is bold.
    pub is_bold: bool,
}

/// The text of a page, in the order in which it is drawn.
///
/// # Errors
/// If the page's content or a font of it cannot be read.
pub(super) fn runs(document: &Document, page: ObjectId, height: f64) -> Result<Vec<Run>> {
    let fonts = document.get_page_fonts(page).context("the fonts of a page cannot be read")?;
    let mut known = HashMap::new();
    for (name, dictionary) in fonts {
        known.insert(name, Font::read(document, dictionary)?);
    }
    let content = Content::decode(&document.get_page_content(page))
        .context("the content of a page cannot be read")?;
    let mut pen = Pen { fonts: &known, height, ..Pen::new(&known) };
    for operation in &content.operations {
        pen.follow(operation);
    }
    Ok(pen.runs)
}

/// What text needs of a font.
struct Font<'a> {
    encoding: Encoding<'a>,
    is_code: bool,
    is_bold: bool,
    /// Thousandths of the font's size by code, for two-byte codes.
    widths: BTreeMap<u16, f64>,
    usual_width: f64,
}

impl<'a> Font<'a> {
    fn read(document: &'a Document, font: &'a Dictionary) -> Result<Self> {
        let encoding = font.get_font_encoding(document).context("a font has no encoding")?;
        let mut widths = BTreeMap::new();
        let mut usual_width = 1000.0;
        let descendant = font.get_deref(b"DescendantFonts", document).and_then(Object::as_array);
        let descendant = descendant.ok().and_then(|fonts| fonts.first());
        if let Some(descendant) = descendant.and_then(|font| dictionary(document, font)) {
            if let Ok(width) = descendant.get(b"DW").and_then(Object::as_float) {
                usual_width = f64::from(width);
            }
            if let Ok(ranges) = descendant.get_deref(b"W", document).and_then(Object::as_array) {
                read_widths(ranges, &mut widths);
            }
        }
        let name = font.get(b"BaseFont").and_then(Object::as_name).unwrap_or_default();
        let is = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
        let (is_code, is_bold) = (is(b"Code") || is(b"Mono"), is(b"Bold"));
        Ok(Self { encoding, is_code, is_bold, widths, usual_width })
    }

    fn width(&self, codes: &[u8]) -> f64 {
        let code = |pair: &[u8]| pair.iter().fold(0, |code, byte| code << 8 | u16::from(*byte));
        let widths =
            codes.chunks(2).map(|p| self.widths.get(&code(p)).unwrap_or(&self.usual_width));
        widths.sum::<f64>() / 1000.0
    }
}

/// `first [w w w]` and `first last w`.
fn read_widths(ranges: &[Object], widths: &mut BTreeMap<u16, f64>) {
    let code = |object: &Object| object.as_i64().ok().and_then(|code| u16::try_from(code).ok());
    let mut rest = ranges;
    while let [first, second, after @ ..] = rest {
        let Some(first) = code(first) else { return };
        if let Ok(list) = second.as_array() {
            let list = list.iter().filter_map(|width| width.as_float().ok());
            widths.extend((first..).zip(list.map(f64::from)));
            rest = after;
        } else if let ([width, after @ ..], Some(last)) = (after, code(second)) {
            let width = f64::from(width.as_float().unwrap_or_default());
            widths.extend((first..=last).map(|code| (code, width)));
            rest = after;
        } else {
            return;
        }
    }
}

/// The dictionary that an object is or refers to.
pub(super) fn dictionary<'a>(document: &'a Document, object: &'a Object) -> Option<&'a Dictionary> {
    document.dereference(object).ok()?.1.as_dict().ok()
}

/// `[a b c d e f]`: x' = a x + c y + e, y' = b x + d y + f.
type Matrix = [f64; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `m`, then `n`.
fn times(m: Matrix, n: Matrix) -> Matrix {
    [
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    ]
}

/// Follows the operations of a page.
struct Pen<'a> {
    fonts: &'a HashMap<Vec<u8>, Font<'a>>,
    height: f64,
    space: Matrix,
    ink: [f64; 3],
    saved: Vec<(Matrix, [f64; 3])>,
    line: Matrix,
    font: Option<&'a Font<'a>>,
    size: f64,
    runs: Vec<Run>,
}

impl<'a> Pen<'a> {
    fn new(fonts: &'a HashMap<Vec<u8>, Font<'a>>) -> Self {
        Self {
            fonts,
            height: 0.0,
            space: IDENTITY,
            ink: [0.0; 3],
            saved: Vec::new(),
            line: IDENTITY,
            font: None,
            size: 0.0,
            runs: Vec::new(),
        }
    }

    fn follow(&mut self, operation: &Operation) {
        let operands = &operation.operands;
        let number = |at: usize| {
            f64::from(operands.get(at).and_then(|o| o.as_float().ok()).unwrap_or_default())
        };
        let matrix = || [0, 1, 2, 3, 4, 5].map(number);
        match operation.operator.as_str() {
            "q" => self.saved.push((self.space, self.ink)),
            "Q" => (self.space, self.ink) = self.saved.pop().unwrap_or((IDENTITY, [0.0; 3])),
            "rg" => self.ink = [0, 1, 2].map(number),
            "cm" => self.space = times(matrix(), self.space),
            "BT" => self.line = IDENTITY,
            "Tm" => self.line = matrix(),
            "Td" => self.line = times([1.0, 0.0, 0.0, 1.0, number(0), number(1)], self.line),
            "Tf" => {
                let name = operands.first().and_then(|name| name.as_name().ok());
                self.font = name.and_then(|name| self.fonts.get(name));
                self.size = number(1);
            }
            "Tj" => {
                if let Some(Object::String(codes, _)) = operands.first() {
                    self.show(codes);
                }
            }
            "TJ" => {
                let pieces = operands.first().and_then(|list| list.as_array().ok());
                for piece in pieces.into_iter().flatten() {
                    if let Object::String(codes, _) = piece {
                        self.show(codes);
                    }
                }
            }
            _ => {}
        }
    }

    fn show(&mut self, codes: &[u8]) {
        let Some(font) = self.font else { return };
        let Ok(text) = Document::decode_text(&font.encoding, codes) else { return };
        let [a, b, _, _, x, y] = times(self.line, self.space);
        let scale = a.hypot(b);
        let width = font.width(codes) * self.size * scale;
        let size = self.size * scale;
        let Font { is_code, is_bold, .. } = *font;
        let ink = self.ink;
        self.runs.push(Run { x, y: self.height - y, width, size, text, ink, is_code, is_bold });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_widths_are_read() {
        let number = |n: i64| Object::Integer(n);
        let list = Object::Array(vec![number(500), number(600)]);
        let mut widths = BTreeMap::new();
        read_widths(&[number(3), list, number(7), number(8), number(250)], &mut widths);
        let expected = [(3, 500.0), (4, 600.0), (7, 250.0), (8, 250.0)];
        assert_eq!(widths, BTreeMap::from(expected));
    }

    #[test]
    fn a_point_goes_through_the_first_matrix_first() {
        let (double, shift) = ([2.0, 0.0, 0.0, 2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0, 5.0, 7.0]);
        assert_eq!(times(shift, double), [2.0, 0.0, 0.0, 2.0, 10.0, 14.0]);
        assert_eq!(times(double, shift), [2.0, 0.0, 0.0, 2.0, 5.0, 7.0]);
    }
}
