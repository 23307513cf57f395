//! Pictures in rows and columns, with what was predicted for each, as SVG.

use ndarray::Array3;

use crate::ExperimentError;
use crate::canvas::{Anchor, Canvas, Font, LABEL, Pen, Point, TITLE};
use crate::palette::{GRID, SERIES};
use crate::picture::data_uri;

/// Pictures of one size below each other in rows.
pub(crate) struct ImageGrid {
    pub(crate) title: String,
    /// For those who do not see it.
    pub(crate) description: String,
    /// The rows, some with a heading.
    pub(crate) rows: Vec<(Option<String>, Vec<GridCell>)>,
}

/// A picture of shape `(rows, cols, 1)` or `(rows, cols, 3)`, and what is known about it.
#[derive(Clone)]
pub(crate) struct GridCell {
    pub(crate) picture: Array3<u8>,
    pub(crate) caption: Option<Caption>,
}

/// The class of a picture and the prediction of a classifier, by their names.
#[derive(Clone)]
pub(crate) struct Caption {
    pub(crate) truth: String,
    pub(crate) predicted: String,
    pub(crate) probability: f64,
}

/// The space that a caption needs.
const CAPTION: (f64, f64) = (144.0, 40.0);
/// The space above a row with a heading.
const HEADING: f64 = 30.0;
/// The space between pictures.
const GAP: f64 = 8.0;
/// Where the first row begins, and the first column, so that a thick frame is not cut off.
const TOP: f64 = 36.0;
const LEFT: f64 = 2.0;
/// The longer side of a picture with a caption and without.
const CAPTIONED: f64 = 96.0;
const BARE: f64 = 56.0;
/// A title needs some room, even above a single picture.
const LEAST_WIDTH: f64 = 360.0;

impl Caption {
    /// Draws the frame of a picture, and below it two lines with a tick or a cross.
    fn draw(&self, canvas: &mut Canvas, at: Point, size: Point) {
        let Self { truth, predicted, probability } = self;
        let is_right = truth == predicted;
        let said = format!("{predicted} {:.0}\u{a0}%", 100.0 * probability);
        let verdict = if is_right { "right" } else { "wrong" };
        let (x, y) = (at.0, at.1 + size.1);
        let mark = |points: &[Point]| -> Vec<Point> {
            points.iter().map(|(dx, dy)| (x + 1.0 + dx, y + 22.5 + dy)).collect()
        };
        canvas.group(&format!("{truth}; predicted: {said}; {verdict}"), |canvas| {
            canvas.text((x, y + 16.0), Font::of(LABEL), Anchor::Start, truth);
            canvas.text((x + 15.0, y + 32.0), Font::of(LABEL), Anchor::Start, &said);
            if is_right {
                canvas.rect(at, size, None, Pen::of(GRID, 1.0));
                let tick = mark(&[(0.0, 6.0), (3.5, 9.5), (9.5, 1.0)]);
                canvas.line(&tick, Pen::of(SERIES[2], 2.0));
            } else {
                canvas.rect(at, size, None, Pen::of(SERIES[1], 3.0));
                for stroke in [[(0.0, 0.5), (9.0, 9.5)], [(9.0, 0.5), (0.0, 9.5)]] {
                    canvas.line(&mark(&stroke), Pen::of(SERIES[1], 2.0));
                }
            }
        });
    }
}

impl ImageGrid {
    /// A grid of these pictures in rows without a heading, each of so many.
    pub(crate) fn new(
        title: String,
        description: String,
        columns: usize,
        cells: &[GridCell],
    ) -> Self {
        let rows = cells.chunks(columns).map(|row| (None, row.to_vec())).collect();
        Self { title, description, rows }
    }

    /// The grid as an SVG document.
    ///
    /// A wrong prediction has a cross and a thicker frame, a right one a tick.
    ///
    /// # Errors
    /// If a picture has another shape than `(rows, cols, 1)` or `(rows, cols, 3)`.
    pub(crate) fn to_svg(&self) -> Result<String, ExperimentError> {
        let mut canvas = Canvas::default();
        canvas.text((LEFT, 22.0), Font::of(TITLE), Anchor::Start, &self.title);
        let (mut y, mut right) = (TOP, LEFT + LEAST_WIDTH);
        for (heading, cells) in &self.rows {
            if let Some(heading) = heading {
                y += HEADING;
                canvas.text((LEFT, y - 9.0), Font::of(LABEL), Anchor::Start, heading);
            }
            let (mut x, mut bottom) = (LEFT, y);
            for GridCell { picture, caption } in cells {
                let (rows, cols, _) = picture.dim();
                let (side, least, below) = match caption {
                    Some(_) => (CAPTIONED, CAPTION.0, CAPTION.1),
                    None => (BARE, 0.0, 0.0),
                };
                // Pixels are squares of whole units.
                let scale = (side / rows.max(cols) as f64).floor().max(1.0);
                let size = (scale * cols as f64, scale * rows as f64);
                canvas.picture((x, y), size, &data_uri(picture.view())?);
                match caption {
                    Some(caption) => caption.draw(&mut canvas, (x, y), size),
                    None => canvas.rect((x, y), size, None, Pen::of(GRID, 1.0)),
                }
                x += least.max(size.0 + GAP);
                bottom = y + size.1 + below + GAP;
            }
            (y, right) = (bottom, x.max(right));
        }
        Ok(canvas.document(&self.title, &self.description, (right, y)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_prediction_is_marked_by_shape_and_by_words() {
        let svg = |predicted: &str| {
            let [truth, predicted] = ["a<b", predicted].map(str::to_owned);
            let caption = Some(Caption { truth, predicted, probability: 0.934 });
            let cell = GridCell { picture: Array3::zeros((32, 32, 3)), caption };
            ImageGrid::new(String::new(), String::new(), 1, &[cell]).to_svg().unwrap()
        };
        let (right, wrong) = (svg("a<b"), svg("dog"));
        let title = "<title>a&lt;b; predicted: a&lt;b 93\u{a0}%; right</title>";
        assert!(right.contains(title), "{right}");
        assert!(wrong.contains("; predicted: dog 93\u{a0}%; wrong</title>"));
        assert!(wrong.contains(">a&lt;b</text>") && wrong.contains(">dog 93\u{a0}%</text>"));
        assert_eq!(right.matches("<path").count(), 1, "a tick");
        assert_eq!(wrong.matches("<path").count(), 2, "a cross");
        assert!(!right.contains("stroke-width=\"3\"") && wrong.contains("stroke-width=\"3\""));
        // 32 pixels of 3 units each, below the title.
        let place = "x=\"2\" y=\"36\" width=\"96\" height=\"96\"";
        assert_eq!(right.matches(place).count(), 2, "the picture and its frame");
    }
}
