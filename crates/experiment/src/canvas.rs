//! Schematic figures as SVG: shapes and text in the order in which they are painted.

use std::fmt::Write as _;

use crate::palette::{Colour, TEXT};

/// A point, or a size: x to the right, y down.
pub type Point = (f64, f64);

/// The font sizes of titles and of everything else in the figures of a record.
pub(crate) const TITLE: f64 = 18.0;
pub(crate) const LABEL: f64 = 13.0;

/// A drawing in the colours of the palette.
#[derive(Clone, Debug, Default)]
pub struct Canvas {
    body: String,
    themed: bool,
}

/// Where a text stands in relation to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// The size, style, colour and direction of a text.
#[derive(Clone, Copy, Debug)]
pub struct Font {
    size: f64,
    italic: bool,
    bold: bool,
    colour: Colour,
    degrees: f64,
}

impl Font {
    /// An upright text of this size in the colour of text.
    pub const fn of(size: f64) -> Self {
        Self { size, italic: false, bold: false, colour: TEXT, degrees: 0.0 }
    }

    /// The font in italics.
    pub const fn italic(self) -> Self {
        Self { italic: true, ..self }
    }

    /// The font in bold.
    pub const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The font in another colour.
    pub const fn colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// The font turned clockwise about the point of its text.
    pub const fn turned(self, degrees: f64) -> Self {
        Self { degrees, ..self }
    }
}

/// The colour, width and ends of a line.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    colour: Colour,
    width: f64,
    dashed: bool,
    arrow: bool,
}

impl Pen {
    /// A solid line of this width.
    pub const fn of(colour: Colour, width: f64) -> Self {
        Self { colour, width, dashed: false, arrow: false }
    }

    /// The pen with dashes.
    pub const fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }

    /// The pen with an arrow at the end of its lines, on a [themed](Canvas::themed) canvas.
    pub const fn arrow(self) -> Self {
        Self { arrow: true, ..self }
    }
}

impl Canvas {
    /// A canvas for a page that has the CSS variables of the palette; text is in the page's colour.
    pub fn themed() -> Self {
        Self { themed: true, ..Self::default() }
    }

    fn paint(&self, colour: Colour) -> String {
        match self.themed {
            false => colour.hex(),
            true if colour == TEXT => "currentColor".to_owned(),
            true => format!("var({})", colour.css_variable),
        }
    }

    /// A line of text, its baseline through `at`.
    pub fn text(&mut self, at: Point, font: Font, anchor: Anchor, text: &str) {
        let anchor = format!("{anchor:?}").to_lowercase();
        let style = if font.italic { " font-style=\"italic\"" } else { "" };
        let weight = if font.bold { " font-weight=\"bold\"" } else { "" };
        let (x, y, size, degrees) = (short(at.0), short(at.1), font.size, font.degrees);
        let turn = match degrees == 0.0 {
            true => String::new(),
            false => format!(" transform=\"rotate({degrees} {x} {y})\""),
        };
        let (fill, text) = (self.paint(font.colour), escape(text));
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\"{style}{weight} \
             fill=\"{fill}\"{turn}>{text}</text>"
        );
    }

    fn rectangle(&mut self, at: Point, size: Point, style: &str) {
        let [x, y, w, h] = [at.0, at.1, size.0, size.1].map(short);
        let _ =
            writeln!(self.body, "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" {style}/>");
    }

    /// A rectangle with an outline, lightly filled.
    pub fn rect(&mut self, at: Point, size: Point, fill: Option<Colour>, pen: Pen) {
        let style = format!("rx=\"2\" {}", self.filled(fill, pen));
        self.rectangle(at, size, &style);
    }

    /// A rectangle without an outline, the more opaque the nearer `opacity` is to 1.
    pub(crate) fn shade(&mut self, at: Point, size: Point, colour: Colour, opacity: f64) {
        let (fill, opacity) = (self.paint(colour), (1000.0 * opacity).round() / 1000.0);
        self.rectangle(at, size, &format!("fill=\"{fill}\" fill-opacity=\"{opacity}\""));
    }

    /// A circle with an outline, lightly filled.
    pub fn circle(&mut self, at: Point, radius: f64, fill: Option<Colour>, pen: Pen) {
        let (x, y, style) = (short(at.0), short(at.1), self.filled(fill, pen));
        let _ = writeln!(self.body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {style}/>");
    }

    fn filled(&self, fill: Option<Colour>, pen: Pen) -> String {
        let fill = fill.map_or_else(|| "none".to_owned(), |colour| self.paint(colour));
        let (stroke, width) = (self.paint(pen.colour), pen.width);
        format!(
            "fill=\"{fill}\" fill-opacity=\"0.24\" stroke=\"{stroke}\" stroke-width=\"{width}\""
        )
    }

    /// A line through points.
    pub fn line(&mut self, points: &[Point], pen: Pen) {
        let path = path(points);
        let (stroke, width) = (self.paint(pen.colour), pen.width);
        let dash = if pen.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let arrow = if pen.arrow { " marker-end=\"url(#arrow)\"" } else { "" };
        let _ = writeln!(
            self.body,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\"{dash}{arrow}/>"
        );
    }

    /// Polygons, filled and without an outline.
    pub fn area(&mut self, polygons: &[Vec<Point>], colour: Colour, opacity: f64) {
        let path: String = polygons.iter().map(|polygon| path(polygon) + "Z").collect();
        let fill = self.paint(colour);
        let _ =
            writeln!(self.body, "<path d=\"{path}\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>");
    }

    /// A picture, given as a data URI; each of its pixels stays a square.
    pub(crate) fn picture(&mut self, at: Point, size: Point, data_uri: &str) {
        let [x, y, w, h] = [at.0, at.1, size.0, size.1].map(short);
        let _ = writeln!(
            self.body,
            "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" preserveAspectRatio=\"none\" \
             image-rendering=\"pixelated\" href=\"{data_uri}\"/>"
        );
    }

    /// Draws a group whose title a browser shows under the pointer.
    pub(crate) fn group(&mut self, title: &str, draw: impl FnOnce(&mut Self)) {
        let _ = writeln!(self.body, "<g><title>{}</title>", escape(title));
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// The drawing as a part of a page, of this size.
    pub fn finish(self, width: f64, height: f64) -> String {
        let (width, height) = (short(width), short(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" fill=\"currentColor\">\n<defs><marker id=\"arrow\" \
             viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto-start-reverse\"><path d=\"M0 1 L9 5 L0 9 Z\" fill=\"currentColor\"/></marker></defs>\n\
             {}</svg>\n",
            self.body
        )
    }

    /// The drawing as a document of its own; title and description are for those who do not see it.
    pub(crate) fn document(self, title: &str, description: &str, size: Point) -> String {
        let (width, height) = (short(size.0), short(size.1));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n\
             <title>{}</title>\n<desc>{}</desc>\n{}</svg>\n",
            escape(title),
            escape(description),
            self.body
        )
    }
}

fn path(points: &[Point]) -> String {
    let point = |&(x, y): &Point| format!("{} {}", short(x), short(y));
    format!("M{}", points.iter().map(point).collect::<Vec<_>>().join(" L"))
}

/// `text` as it stands in a document, between tags or in an attribute.
pub(crate) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// A coordinate, to a hundredth.
fn short(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::SERIES;

    #[test]
    fn a_text_cannot_become_markup() {
        let mut canvas = Canvas::default();
        canvas.group("<script>", |canvas| {
            canvas.text((1.0, 2.0), Font::of(LABEL).turned(-35.0), Anchor::End, "</text>&");
        });
        let text = canvas.document("a < b", "\"c\" & d", (10.0, 20.0));
        assert!(text.contains("<title>a &lt; b</title>\n<desc>&quot;c&quot; &amp; d</desc>"));
        assert!(text.contains("<title>&lt;script&gt;</title>"), "{text}");
        assert!(
            text.contains(" transform=\"rotate(-35 1 2)\">&lt;/text&gt;&amp;</text>"),
            "{text}"
        );
    }

    #[test]
    fn coordinates_are_short() {
        let mut canvas = Canvas::default();
        canvas.shade((1.0 / 3.0, 2.0), (1.0, 1e-9), SERIES[0], 2.0 / 3.0);
        canvas.line(&[(0.0, 0.0), (4.0, 1.0 / 3.0)], Pen::of(TEXT, 1.0));
        let expected = "<rect x=\"0.33\" y=\"2\" width=\"1\" height=\"0\" fill=\"#0072B2\" \
                        fill-opacity=\"0.667\"/>\n<path d=\"M0 0 L4 0.33\"";
        assert!(canvas.body.starts_with(expected), "{}", canvas.body);
    }
}
