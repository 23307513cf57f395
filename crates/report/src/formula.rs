//! TeX to SVG, at build time, in the fonts of KaTeX.
//!
//! A page holds the outline of each glyph once (see [`Formula::glyphs`]) and formulas refer to it with
//! `<use>`, so a formula costs little more than its TeX.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratex_font::{FontId, katex_ttf_glyph_char};
use ratex_layout::{LayoutOptions, layout, to_display_list};
use ratex_types::color::Color;
use ratex_types::display_item::{DisplayItem, DisplayList};
use ratex_types::math_style::MathStyle;
use ratex_types::path_command::PathCommand;
// For its feature alone, see Cargo.toml.
use rust_embed as _;
use ttf_parser::{Face, OutlineBuilder};

use crate::mathml;
use html::escape;

/// The font size of formulas, in that of the text around them: their x-height (0.431 em) is then 0.49
/// of it. Open Sans has 0.535, beside which a formula of the same x-height looks large.
const SIZE: f64 = 0.49 / 0.431;

/// User units of a drawing in an em of its font: those of the outlines in the fonts.
const UNITS: f64 = 1000.0;

/// The width of a line that the layout leaves open, in user units: that of a fraction's bar.
const LINE_WIDTH: u32 = 40;

/// A rendered formula.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Formula {
    /// The TeX source.
    pub(crate) tex: String,
    /// The `<svg>` element.
    pub(crate) svg: String,
    /// The `<math>` element, which is spoken and not shown.
    pub(crate) mathml: String,
    /// The paths it uses, by id. An id names one path in every formula.
    pub(crate) glyphs: BTreeMap<String, String>,
}

impl Formula {
    /// The formula for a page that is read: a drawing for the eyes, MathML for the ears.
    pub(crate) fn to_read(&self) -> String {
        format!("{}{}", self.svg.replacen("<svg", "<svg aria-hidden=\"true\"", 1), self.mathml)
    }

    /// The formula for a page that is printed, where MathML would become text in a font that may be
    /// missing: a drawing whose label is the TeX, as in the PDF files that LaTeX tags.
    pub(crate) fn to_print(&self) -> String {
        let words: Vec<&str> = self.tex.split_whitespace().collect();
        let label = format!("<svg role=\"img\" aria-label=\"{}\"", escape(&words.join(" ")));
        self.svg.replacen("<svg", &label, 1)
    }
}

/// Renders a formula in a line of text, or `displayed` on lines of its own; an error says what is wrong
/// with the TeX.
pub(crate) fn render(tex: &str, displayed: bool) -> Result<Formula, String> {
    if tex.trim().is_empty() {
        return Err("the formula is empty".to_owned());
    }
    if tex.contains(r"\tag") {
        return Err(format!(
            "the formula `{tex}`: equations are numbered by `$$ ... $$ {{#eq:ID}}`"
        ));
    }
    let does_not_render =
        |reason: &dyn std::fmt::Display| format!("the formula `{tex}` does not render: {reason}");
    let nodes = ratex_parser::parse(tex).map_err(|error| does_not_render(&error.message))?;
    let style = if displayed { MathStyle::Display } else { MathStyle::Text };
    let drawing = to_display_list(&layout(&nodes, &LayoutOptions { style, ..Default::default() }));
    let (svg, glyphs) = svg(&drawing, tex).map_err(|reason| does_not_render(&reason))?;
    Ok(Formula { tex: tex.to_owned(), svg, mathml: mathml::mathml(tex)?, glyphs })
}

/// A drawing as an `<svg>` element, and the outlines of its glyphs by id.
fn svg(drawing: &DisplayList, tex: &str) -> Result<(String, BTreeMap<String, String>), String> {
    let mut out = String::new();
    let mut glyphs = BTreeMap::new();
    let [width, height, depth] = [drawing.width, drawing.height, drawing.depth];
    write!(
        out,
        "<svg class=\"formula\" width=\"{:.3}em\" height=\"{:.3}em\" viewBox=\"0 0 {} {}\" \
         fill=\"currentColor\" style=\"vertical-align:{:.3}em\"><title>{}</title>",
        width * SIZE,
        (height + depth) * SIZE,
        units(width),
        units(height + depth),
        0.0 - depth * SIZE,
        escape(tex),
    )
    .expect("a string takes everything");
    for item in &drawing.items {
        check_color(item)?;
        let element = match item {
            DisplayItem::GlyphPath { x, y, scale, font, char_code, .. } => {
                let id = format!("g-{font}-{char_code:X}");
                if !glyphs.contains_key(&id) {
                    glyphs.insert(id.clone(), outline(font, *char_code)?);
                }
                let (x, y) = (units(*x), units(*y));
                match scale {
                    1.0 => format!("<use href=\"#{id}\" x=\"{x}\" y=\"{y}\"/>"),
                    _ => format!(
                        "<use href=\"#{id}\" transform=\"translate({x} {y}) scale({scale})\"/>"
                    ),
                }
            }
            DisplayItem::Line { x, y, width, thickness, dashed: false, .. } => {
                rectangle(*x, y - thickness / 2.0, *width, *thickness)
            }
            DisplayItem::Line { dashed: true, .. } => return Err("it has a dashed line".to_owned()),
            DisplayItem::Rect { x, y, width, height, .. } => rectangle(*x, *y, *width, *height),
            DisplayItem::Path { x, y, commands, fill, .. } => {
                let path = path(commands, *x, *y);
                match fill {
                    true => format!("<path d=\"{path}\"/>"),
                    false => format!(
                        "<path d=\"{path}\" fill=\"none\" stroke=\"currentColor\" \
                         stroke-width=\"{LINE_WIDTH}\"/>"
                    ),
                }
            }
        };
        out.push_str(&element);
    }
    out.push_str("</svg>");
    Ok((out, glyphs))
}

/// A length in user units. Tenths are far below a pixel.
fn units(em: f64) -> f64 {
    (em * UNITS * 10.0).round() / 10.0
}

/// Refuses colours: a formula has that of the theme.
fn check_color(item: &DisplayItem) -> Result<(), String> {
    let (DisplayItem::GlyphPath { color, .. }
    | DisplayItem::Line { color, .. }
    | DisplayItem::Rect { color, .. }
    | DisplayItem::Path { color, .. }) = item;
    match *color == Color::BLACK {
        true => Ok(()),
        false => Err("it has a colour of its own, which would not follow the theme".to_owned()),
    }
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> String {
    let [x, y, width, height] = [x, y, width, height].map(units);
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>")
}

fn path(commands: &[PathCommand], left: f64, top: f64) -> String {
    let mut out = String::new();
    for command in commands {
        let (letter, points): (char, &[(f64, f64)]) = match *command {
            PathCommand::MoveTo { x, y } => ('M', &[(x, y)]),
            PathCommand::LineTo { x, y } => ('L', &[(x, y)]),
            PathCommand::QuadTo { x1, y1, x, y } => ('Q', &[(x1, y1), (x, y)]),
            PathCommand::CubicTo { x1, y1, x2, y2, x, y } => ('C', &[(x1, y1), (x2, y2), (x, y)]),
            PathCommand::Close => ('Z', &[]),
        };
        let points = points.iter().map(|(x, y)| (units(left + x), units(top + y)));
        push_segment(&mut out, letter, points);
    }
    out
}

fn push_segment(out: &mut String, letter: char, points: impl IntoIterator<Item = (f64, f64)>) {
    out.push(letter);
    for (index, (x, y)) in points.into_iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        write!(out, "{space}{x} {y}").expect("a string takes everything");
    }
}

/// The outline of a glyph as the data of a path, its origin at (0, 0) on the baseline.
fn outline(font: &str, char_code: u32) -> Result<String, String> {
    let unknown = || match char::from_u32(char_code) {
        Some(character) => format!("the fonts for formulas lack the character `{character}`"),
        None => format!("it has the invalid character {char_code:#x}"),
    };
    let id = FontId::parse(font).ok_or_else(unknown)?;
    let file = ratex_katex_fonts::ttf_bytes(&format!("KaTeX_{font}.ttf")).ok_or_else(unknown)?;
    let face = Face::parse(&file, 0).map_err(|error| format!("the font {font}: {error}"))?;
    let glyph = face.glyph_index(katex_ttf_glyph_char(id, char_code)).ok_or_else(unknown)?;
    let mut outline = Outline(String::new());
    // A space has none.
    face.outline_glyph(glyph, &mut outline);
    Ok(outline.0)
}

/// Writes an outline, turned upside down: y points up in a font and down in SVG.
struct Outline(String);

impl Outline {
    fn push<const N: usize>(&mut self, letter: char, points: [(f32, f32); N]) {
        // Not -0, which is longer.
        let down = points.map(|(x, y)| (f64::from(x), 0.0 - f64::from(y)));
        push_segment(&mut self.0, letter, down);
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.push('M', [(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push('L', [(x, y)]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.push('Q', [(x1, y1), (x, y)]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.push('C', [(x1, y1), (x2, y2), (x, y)]);
    }

    fn close(&mut self) {
        self.0.push('Z');
    }
}

/// The element that holds the glyphs of a page.
pub(crate) fn glyph_definitions<'a>(
    glyphs: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> String {
    let mut out = String::from("<svg class=\"glyphs\" aria-hidden=\"true\"><defs>");
    for (id, path) in glyphs {
        out.push_str(&format!("<path id=\"{}\" d=\"{}\"/>", escape(id), escape(path)));
    }
    out.push_str("</defs></svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_svg_that_follows_the_theme_and_can_be_read_aloud() {
        let formula = render("\\frac{\\partial L}{\\partial W}\n  < 1", true).unwrap();
        let read = formula.to_read();
        for part in ["fill=\"currentColor\"", "vertical-align:-", "\n  &lt; 1</title>"] {
            assert!(read.contains(part), "{part} is not in {read}");
        }
        assert!(read.starts_with("<svg aria-hidden=\"true\" class=\"formula\" width="), "{read}");
        assert!(read.ends_with("<mo>&lt;</mo><mn>1</mn></math>"), "{read}");
        let print = formula.to_print();
        let label = r#"<svg role="img" aria-label="\frac{\partial L}{\partial W} &lt; 1""#;
        assert!(print.starts_with(label) && print.ends_with("</svg>"), "{print}");
    }

    #[test]
    fn a_formula_stands_on_the_line_and_is_lower_in_text_than_displayed() {
        assert!(render("X", false).unwrap().svg.contains("vertical-align:0.000em"));
        assert!(render("y", false).unwrap().svg.contains("vertical-align:-0."));
        let [inline, display] = [false, true].map(|displayed| {
            let svg = render(r"\sum_{i=1}^m x_i", displayed).unwrap().svg;
            let (_, height) = svg.split_once("height=\"").unwrap();
            height.split_once("em").unwrap().0.parse::<f64>().unwrap()
        });
        assert!(inline < 0.7 * display, "{inline}, {display}");
    }

    #[test]
    fn every_glyph_used_is_defined() {
        let formula = render(r"\hat y_{ij} = x^2", false).unwrap();
        let links: Vec<&str> = formula.svg.split("href=\"#").skip(1).collect();
        assert_eq!(links.len(), 7);
        for (id, _) in links.iter().filter_map(|link| link.split_once('"')) {
            assert!(formula.glyphs.contains_key(id), "{id} in {:?}", formula.glyphs);
        }
    }

    #[test]
    fn tex_that_cannot_be_drawn_is_an_error() {
        for (tex, expected) in [
            (r"\frac{a", "Unexpected end of input"),
            ("a & b", "&"),
            (r"\foo x", r"Undefined control sequence: \foo"),
            (r"\begin{nosuch} a \end{nosuch}", "nosuch"),
            (r"\textcolor{red}{x}", "a colour of its own"),
            ("x д", "lack the character `д`"),
            (r"x \tag{3}", "{#eq:ID}"),
            ("  ", "empty"),
        ] {
            let error = render(tex, true).unwrap_err();
            assert!(error.contains(expected), "{tex}: {error}");
        }
        render(r"A \in \mathbb{R}^{5 \times 5}", false).unwrap();
    }
}
