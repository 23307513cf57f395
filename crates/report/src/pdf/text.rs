//! The text of a page, and where it stands.

use std::collections::HashMap;

use hayro_syntax::object::{Dict, Name, Object, ObjectIdentifier, Stream};
use hayro_syntax::page::Page;

/// Characters on a line, in points from the upper left corner of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its left end.
    pub x: f64,
    /// Its base line.
    pub y: f64,
    /// Its characters.
    pub text: String,
    /// Drawn in a bold font.
    pub is_bold: bool,
}

/// A text of UTF-16 after a byte order mark, else of a byte for each character.
pub(super) fn utf16(bytes: &[u8]) -> String {
    match bytes.strip_prefix(b"\xfe\xff") {
        Some(bytes) => String::from_utf16_lossy(&codes(bytes, 2).collect::<Vec<_>>()),
        None => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Numbers of this many bytes.
fn codes(bytes: &[u8], length: usize) -> impl Iterator<Item = u16> {
    bytes.chunks(length).map(|part| part.iter().fold(0, |code, byte| code << 8 | u16::from(*byte)))
}

/// Characters of a font, by the code of a glyph.
pub(super) struct Font {
    pub(super) name: String,
    /// Bytes of a code.
    length: usize,
    characters: HashMap<u16, String>,
}

impl Font {
    pub(super) fn read(font: &Dict<'_>) -> Self {
        let name = |key| font.get::<Name<'_>>(key).map(|name| name.as_str().to_owned());
        let length = if font.contains_key("DescendantFonts") { 2 } else { 1 };
        let characters = font.get::<Stream<'_>>("ToUnicode");
        let characters = characters.and_then(|characters| characters.decoded_data().ok());
        Self {
            name: name("BaseFont").or_else(|| name("Name")).unwrap_or_default(),
            length,
            characters: read_characters(&String::from_utf8_lossy(&characters.unwrap_or_default())),
        }
    }
}

/// Lines `<0003> <0020>` for a code, and `<0047> <0048> <0064>` for a range and the text of its first.
fn read_characters(text: &str) -> HashMap<u16, String> {
    let units = |word: &str| -> Option<Vec<u16>> {
        let digits = word.strip_prefix('<')?.strip_suffix('>')?.as_bytes();
        let unit = |part| u16::from_str_radix(std::str::from_utf8(part).ok()?, 16).ok();
        digits.chunks(4).map(unit).collect()
    };
    let mut characters = HashMap::new();
    for line in text.lines().skip_while(|line| *line != "endcodespacerange") {
        let words: Option<Vec<_>> = line.split_whitespace().map(units).collect();
        let words = words.unwrap_or_default();
        let ([first, .., text], [.., last, _]) = (&words[..], &words[..]) else { continue };
        let (Some(&first), Some(&last)) = (first.first(), last.first()) else { continue };
        for (code, step) in (first..=last).zip(0..) {
            let mut text = text.clone();
            text.last_mut().into_iter().for_each(|unit| *unit += step);
            characters.insert(code, String::from_utf16_lossy(&text));
        }
    }
    characters
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

/// The text of a page, in the order in which it is drawn.
pub(super) fn runs(
    page: &Page<'_>,
    height: f64,
    fonts: &HashMap<ObjectIdentifier, Font>,
) -> Vec<Run> {
    let mut runs = Vec::new();
    let (mut space, mut saved) = (IDENTITY, Vec::new());
    let (mut line, mut font) = (IDENTITY, None);
    let mut operations = page.operations();
    while let Some(operation) = operations.next() {
        let operands: Vec<&Object<'_>> = operation.operands().collect();
        let number = |at: usize| match operands.get(at) {
            Some(Object::Number(number)) => number.as_f64(),
            _ => 0.0,
        };
        let matrix = || [0, 1, 2, 3, 4, 5].map(number);
        match (&**operation.operator, operands.first()) {
            (b"q", _) => saved.push(space),
            (b"Q", _) => space = saved.pop().unwrap_or(IDENTITY),
            (b"cm", _) => space = times(matrix(), space),
            (b"BT", _) => line = IDENTITY,
            (b"Tm", _) => line = matrix(),
            (b"Td", _) => line = times([1.0, 0.0, 0.0, 1.0, number(0), number(1)], line),
            (b"Tf", Some(Object::Name(name))) => {
                let id = page.resources().fonts.get_ref(name).map(ObjectIdentifier::from);
                font = id.and_then(|id| fonts.get(&id));
            }
            (b"Tj", Some(Object::String(text))) => {
                let Some(font) = font else { continue };
                let glyphs = || codes(text.as_bytes(), font.length);
                let [.., x, y] = times(line, space);
                let character =
                    |code| font.characters.get(&code).map_or("\u{fffd}", String::as_str);
                runs.push(Run {
                    x,
                    y: height - y,
                    text: glyphs().map(character).collect(),
                    is_bold: font.name.contains("Bold"),
                });
            }
            _ => {}
        }
    }
    runs
}
