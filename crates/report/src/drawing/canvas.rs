//! SVG in the colours of the theme.

use std::fmt::Write as _;

use crate::markup::escape;

/// What something is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// The colour of text.
    Text,
    /// The colour of the lines of a grid.
    Grid,
    /// A colour of the palette, from 1 to 6.
    Series(usize),
}

impl Ink {
    fn css(self) -> String {
        match self {
            Self::Text => "currentColor".to_owned(),
            Self::Grid => "var(--plot-grid)".to_owned(),
            Self::Series(number) => format!("var(--plot-series-{number})"),
        }
    }
}

/// Where a text stands in relation to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    pub(super) size: f64,
    pub(super) italic: bool,
    pub(super) bold: bool,
    pub(super) ink: Ink,
}

impl Font {
    pub(super) const fn of(size: f64) -> Self {
        Self { size, italic: false, bold: false, ink: Ink::Text }
    }

    pub(super) const fn italic(self) -> Self {
        Self { italic: true, ..self }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) ink: Ink,
    pub(super) width: f64,
    pub(super) dashed: bool,
    pub(super) arrow: bool,
}

impl Pen {
    pub(super) const fn of(ink: Ink, width: f64) -> Self {
        Self { ink, width, dashed: false, arrow: false }
    }

    pub(super) const fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }

    pub(super) const fn arrow(self) -> Self {
        Self { arrow: true, ..self }
    }
}

/// A point, x to the right and y down.
pub(super) type Point = (f64, f64);

/// A drawing: shapes and text in the order in which they are painted.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    body: String,
}

impl Canvas {
    pub(super) fn text(&mut self, at: Point, font: Font, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let style = if font.italic { " font-style=\"italic\"" } else { "" };
        let weight = if font.bold { " font-weight=\"bold\"" } else { "" };
        let (x, y, size) = (short(at.0), short(at.1), font.size);
        let (fill, text) = (font.ink.css(), escape(text));
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\"{style}{weight} \
             fill=\"{fill}\">{text}</text>"
        );
    }

    /// A rectangle with an outline, filled with `fill` at a low opacity.
    pub(super) fn rect(&mut self, at: Point, size: Point, fill: Option<Ink>, pen: Pen) {
        let fill = fill.map_or_else(|| "none".to_owned(), Ink::css);
        let (stroke, width) = (pen.ink.css(), pen.width);
        let [x, y, w, h] = [at.0, at.1, size.0, size.1].map(short);
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"2\" fill=\"{fill}\" \
             fill-opacity=\"0.24\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>"
        );
    }

    pub(super) fn circle(&mut self, at: Point, radius: f64, fill: Option<Ink>, pen: Pen) {
        let fill = fill.map_or_else(|| "none".to_owned(), Ink::css);
        let (x, y, stroke, width) = (short(at.0), short(at.1), pen.ink.css(), pen.width);
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\" fill-opacity=\"0.24\" \
             stroke=\"{stroke}\" stroke-width=\"{width}\"/>"
        );
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: &[Point], pen: Pen) {
        let path: Vec<String> =
            points.iter().map(|&(x, y)| format!("{} {}", short(x), short(y))).collect();
        self.stroke(&format!("M{}", path.join(" L")), pen);
    }

    /// A line that leaves each point downwards and reaches the next from above.
    pub(super) fn curve(&mut self, points: &[Point], pen: Pen) {
        let mut path = String::new();
        for (index, &(x, y)) in points.iter().enumerate() {
            match index.checked_sub(1).map(|before| points[before]) {
                None => {
                    let _ = write!(path, "M{} {}", short(x), short(y));
                }
                Some((x0, y0)) => {
                    let middle = short(0.5 * (y0 + y));
                    let [x0, x, y] = [x0, x, y].map(short);
                    let _ = write!(path, " C{x0} {middle} {x} {middle} {x} {y}");
                }
            }
        }
        self.stroke(&path, pen);
    }

    fn stroke(&mut self, path: &str, pen: Pen) {
        let (stroke, width) = (pen.ink.css(), pen.width);
        let dash = if pen.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let arrow = if pen.arrow { " marker-end=\"url(#arrow)\"" } else { "" };
        let _ = writeln!(
            self.body,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\"{dash}{arrow}/>"
        );
    }

    /// An area, given as the data of an SVG path.
    pub(super) fn area(&mut self, path: &str, ink: Ink, opacity: f64) {
        let fill = ink.css();
        let _ =
            writeln!(self.body, "<path d=\"{path}\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>");
    }

    /// The document, of this size.
    pub(super) fn finish(self, width: f64, height: f64) -> String {
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
}

/// A coordinate, to a hundredth.
pub(super) fn short(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Origin, inline};

    #[test]
    fn a_drawing_is_one_that_the_book_accepts() {
        let mut canvas = Canvas::default();
        canvas.text((1.0, 2.0), Font::of(14.0).italic().bold(), Anchor::Middle, "a < b");
        canvas.rect((0.0, 0.0), (10.0, 1.0 / 3.0), Some(Ink::Series(1)), Pen::of(Ink::Text, 1.0));
        canvas.circle((3.0, 3.0), 2.0, None, Pen::of(Ink::Grid, 1.0));
        canvas.line(&[(0.0, 0.0), (1.0, 2.5)], Pen::of(Ink::Series(2), 2.0).dashed().arrow());
        canvas.curve(&[(0.0, 0.0), (4.0, 10.0)], Pen::of(Ink::Text, 1.0));
        canvas.area("M0 0 L1 1 L0 1 Z", Ink::Series(3), 0.2);
        let svg = canvas.finish(20.0, 10.0);
        assert!(svg.contains("height=\"0.33\""), "{svg}");
        assert!(svg.contains("C0 5 4 5 4 10"), "{svg}");
        let inlined = inline(&svg, Origin::Drawing, "fig-a", "alt").unwrap();
        assert!(inlined.contains("a &lt; b") && inlined.contains("url(#fig-a-arrow)"), "{inlined}");
    }
}
