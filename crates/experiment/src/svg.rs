//! Writing SVG by hand, for drawings that are no charts.

use std::fmt::Write as _;

use crate::palette::{Colour, TEXT};

/// A drawing: shapes and text in the order in which they are painted.
pub(crate) struct Svg {
    body: String,
    title: String,
    description: String,
}

/// Where a text begins.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    /// At the point.
    Start,
    /// Its middle is at the point.
    Middle,
    /// It ends at the point.
    End,
}

/// The size of titles, and of everything else.
pub(crate) const TITLE: f64 = 18.0;
pub(crate) const LABEL: f64 = 13.0;

impl Svg {
    /// An empty drawing; the title and the description are for those who do not see it.
    pub(crate) fn new(title: &str, description: &str) -> Self {
        Self { body: String::new(), title: title.to_owned(), description: description.to_owned() }
    }

    /// A line of text on the baseline through `(x, y)`.
    pub(crate) fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, text: &str) {
        self.text_with(at, size, anchor, "", text);
    }

    /// The same, turned by an angle in degrees about `(x, y)`; positive is clockwise.
    pub(crate) fn turned(
        &mut self,
        at: (f64, f64),
        degrees: f64,
        size: f64,
        anchor: Anchor,
        text: &str,
    ) {
        let turn = format!(" transform=\"rotate({degrees} {} {})\"", short(at.0), short(at.1));
        self.text_with(at, size, anchor, &turn, text);
    }

    fn text_with(&mut self, at: (f64, f64), size: f64, anchor: Anchor, more: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-family=\"sans-serif\" font-size=\"{size}\" \
             text-anchor=\"{anchor}\" fill=\"{}\"{more}>{}</text>",
            short(at.0),
            short(at.1),
            TEXT.hex(),
            escape(text)
        );
    }

    /// A filled rectangle, the more opaque the nearer `opacity` is to 1.
    pub(crate) fn filled(
        &mut self,
        at: (f64, f64),
        size: (f64, f64),
        colour: Colour,
        opacity: f64,
    ) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>",
            short(at.0),
            short(at.1),
            short(size.0),
            short(size.1),
            colour.hex(),
            (1000.0 * opacity).round() / 1000.0
        );
    }

    /// The outline of a rectangle.
    pub(crate) fn outline(
        &mut self,
        at: (f64, f64),
        size: (f64, f64),
        colour: Colour,
        stroke_width: f64,
    ) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{}\" \
             stroke-width=\"{stroke_width}\"/>",
            short(at.0),
            short(at.1),
            short(size.0),
            short(size.1),
            colour.hex()
        );
    }

    /// A line through points, without an area.
    pub(crate) fn line(&mut self, points: &[(f64, f64)], colour: Colour, stroke_width: f64) {
        let points: Vec<_> =
            points.iter().map(|&(x, y)| format!("{},{}", short(x), short(y))).collect();
        let _ = writeln!(
            self.body,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{stroke_width}\"/>",
            points.join(" "),
            colour.hex()
        );
    }

    /// A picture, given as a data URI; each of its pixels stays a square.
    pub(crate) fn picture(&mut self, at: (f64, f64), size: (f64, f64), data_uri: &str) {
        let _ = writeln!(
            self.body,
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             image-rendering=\"pixelated\" href=\"{data_uri}\"/>",
            short(at.0),
            short(at.1),
            short(size.0),
            short(size.1)
        );
    }

    /// Begins a group whose title a browser shows under the pointer.
    pub(crate) fn begin_group(&mut self, title: &str) {
        let _ = writeln!(self.body, "<g><title>{}</title>", escape(title));
    }

    /// Ends the group.
    pub(crate) fn end_group(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// The document, of this size.
    pub(crate) fn finish(self, width: f64, height: f64) -> String {
        let (width, height) = (short(width), short(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" viewBox=\"0 0 {width} {height}\">\n<title>{}</title>\n<desc>{}</desc>\n\
             {}</svg>\n",
            escape(&self.title),
            escape(&self.description),
            self.body
        )
    }
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
    fn what_a_drawing_says_cannot_become_markup() {
        let mut svg = Svg::new("a < b", "\"c\" & d");
        svg.begin_group("<script>");
        svg.text((1.0, 2.0), LABEL, Anchor::End, "</text>&");
        svg.end_group();
        let text = svg.finish(10.0, 20.0);
        assert!(text.contains("<title>a &lt; b</title>\n<desc>&quot;c&quot; &amp; d</desc>"));
        assert!(text.contains("<title>&lt;script&gt;</title>"), "{text}");
        assert!(text.contains(">&lt;/text&gt;&amp;</text>"), "{text}");
    }

    #[test]
    fn coordinates_are_short() {
        let mut svg = Svg::new("t", "d");
        svg.filled((1.0 / 3.0, 2.0), (1.0, 1e-9), SERIES[0], 2.0 / 3.0);
        let text = svg.finish(1.0, 1.0);
        let expected = "<rect x=\"0.33\" y=\"2\" width=\"1\" height=\"0\" fill=\"#0072B2\" \
                        fill-opacity=\"0.667\"/>";
        assert!(text.contains(expected), "{text}");
    }
}
