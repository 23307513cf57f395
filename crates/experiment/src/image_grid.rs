//! Pictures in rows and columns, with what was predicted for each, as SVG.

use ndarray::Array3;

use crate::ExperimentError;
use crate::canvas::{Anchor, Canvas, Font, LABEL, Pen, Point, TITLE};
use crate::palette::{GRID, SERIES};
use crate::sprite::Sprite;

/// Pictures of one size below each other in rows.
///
/// All of them are pixels of one image, which a drawing holds once.
pub(crate) struct ImageGrid {
    pub(crate) title: String,
    /// For those who do not see it.
    pub(crate) description: String,
    pub(crate) rows: Vec<GridRow>,
}

/// A row of pictures.
pub(crate) struct GridRow {
    pub(crate) heading: Option<String>,
    pub(crate) cells: Vec<GridCell>,
}

/// A picture of shape `(rows, cols, 1)` or `(rows, cols, 3)`, and what is known about it.
pub(crate) struct GridCell {
    pub(crate) picture: Array3<u8>,
    pub(crate) caption: Option<Caption>,
}

/// The class of a picture and the prediction of a classifier, by their names.
pub(crate) struct Caption {
    pub(crate) truth: String,
    pub(crate) predicted: String,
    pub(crate) probability: f64,
}

/// The space that a caption needs, in units of the drawing.
const CAPTION: (f64, f64) = (144.0, 40.0);
/// The space above a row with a heading.
const HEADING: f64 = 30.0;
/// The space between pictures.
const GAP: f64 = 8.0;
/// Where the first row begins, and the first column, so that a thick frame is not cut off.
const TOP: f64 = 36.0;
const LEFT: f64 = 2.0;
/// The longer side of a picture with a caption and without, in units of the drawing.
const CAPTIONED: usize = 96;
const BARE: usize = 56;

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
                canvas.frame(at, size, Pen::of(GRID, 1.0));
                let tick = mark(&[(0.0, 6.0), (3.5, 9.5), (9.5, 1.0)]);
                canvas.line(&tick, Pen::of(SERIES[2], 2.0));
            } else {
                canvas.frame(at, size, Pen::of(SERIES[1], 3.0));
                for stroke in [[(0.0, 0.5), (9.0, 9.5)], [(9.0, 0.5), (0.0, 9.5)]] {
                    canvas.line(&mark(&stroke), Pen::of(SERIES[1], 2.0));
                }
            }
        });
    }
}

/// Rows without a heading, each of so many pictures, for all of these.
pub(crate) fn grid_rows(columns: usize, cells: Vec<GridCell>) -> Vec<GridRow> {
    let mut cells = cells.into_iter().peekable();
    let mut rows = Vec::new();
    while cells.peek().is_some() {
        rows.push(GridRow { heading: None, cells: cells.by_ref().take(columns).collect() });
    }
    rows
}

impl ImageGrid {
    /// The grid as an SVG document.
    ///
    /// A wrong prediction has a cross and a thicker frame, a right one a tick.
    ///
    /// # Errors
    /// [`ExperimentError::Refused`] if there is no picture, or they are not all of one shape
    /// `(rows, cols, 1)` or `(rows, cols, 3)`.
    pub(crate) fn to_svg(&self) -> Result<String, ExperimentError> {
        let (rows, cols) = self.picture_size()?;
        // All distances are whole pixels of the pictures, each of so many units of the drawing, so that one
        // image can hold them all.
        let captioned = self.cells().any(|cell| cell.caption.is_some());
        let side = if captioned { CAPTIONED } else { BARE };
        let scale = (side / rows.max(cols)).max(1);
        let pixels = |units: f64| (units / scale as f64).ceil() as usize;
        let units = |pixels: usize| (pixels * scale) as f64;
        let gap = pixels(GAP);
        let (below, pitch) = match captioned {
            true => (pixels(CAPTION.1) + gap, pixels(CAPTION.0).max(cols + gap)),
            false => (gap, cols + gap),
        };
        let mut all_rows = 0;
        let mut first_pixels = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            all_rows += if row.heading.is_some() { pixels(HEADING) } else { 0 };
            first_pixels.push(all_rows);
            all_rows += rows + below;
        }
        let columns = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        // A title needs some room, even above a single picture.
        let all_cols = (columns * pitch).max(pixels(360.0));

        let mut sprite = Sprite::new(all_rows, all_cols);
        for (row, first) in self.rows.iter().zip(&first_pixels) {
            for (col, cell) in row.cells.iter().enumerate() {
                sprite.put(*first, col * pitch, &cell.picture.view());
            }
        }
        let mut canvas = Canvas::default();
        canvas.text((LEFT, 22.0), Font::of(TITLE), Anchor::Start, &self.title);
        let size = (units(all_cols), units(all_rows));
        canvas.picture((LEFT, TOP), size, &sprite.to_data_uri()?);
        for (row, first) in self.rows.iter().zip(&first_pixels) {
            let y = TOP + units(*first);
            if let Some(heading) = &row.heading {
                canvas.text((LEFT, y - 9.0), Font::of(LABEL), Anchor::Start, heading);
            }
            for (col, cell) in row.cells.iter().enumerate() {
                let (at, size) = ((LEFT + units(col * pitch), y), (units(cols), units(rows)));
                match &cell.caption {
                    Some(caption) => caption.draw(&mut canvas, at, size),
                    None => canvas.frame(at, size, Pen::of(GRID, 1.0)),
                }
            }
        }
        let size = (LEFT + size.0, TOP + size.1);
        Ok(canvas.document(&self.title, &self.description, size))
    }

    fn cells(&self) -> impl Iterator<Item = &GridCell> {
        self.rows.iter().flat_map(|row| &row.cells)
    }

    /// Rows and columns of every picture.
    fn picture_size(&self) -> Result<(usize, usize), ExperimentError> {
        let failed =
            |reason: String| Err(ExperimentError::plot(format!("{:?}", self.title), reason));
        let mut shapes = self.cells().map(|cell| cell.picture.dim());
        let Some(shape) = shapes.next() else { return failed("there is no picture".to_owned()) };
        if let Some(other) = shapes.find(|other| *other != shape) {
            return failed(format!(
                "pictures of shape {shape:?} and {other:?} do not fit together"
            ));
        }
        match shape {
            (rows @ 1.., cols @ 1.., 1 | 3) => Ok((rows, cols)),
            _ => failed(format!(
                "expected pictures of shape (rows, cols, 1) or (rows, cols, 3), but got {shape:?}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::s;

    use super::*;
    use crate::sprite::tests::decode;

    fn grid(rows: Vec<GridRow>) -> ImageGrid {
        ImageGrid { title: "Title".to_owned(), description: "what it shows".to_owned(), rows }
    }

    fn picture(value: u8, channels: usize) -> Array3<u8> {
        let mut picture = Array3::from_elem((32, 32, channels), value);
        picture[[0, 0, 0]] = value + 1;
        picture
    }

    fn cell(value: u8, truth: &str, predicted: &str) -> GridCell {
        let [truth, predicted] = [truth, predicted].map(str::to_owned);
        let caption = Some(Caption { truth, predicted, probability: 0.934 });
        GridCell { picture: picture(value, 3), caption }
    }

    /// A number among the attributes of an element.
    fn number(line: &str, name: &str) -> f64 {
        let value = line.split_once(&format!(" {name}=\"")).unwrap().1;
        value.split_once('"').unwrap().0.parse().unwrap()
    }

    #[test]
    fn each_picture_is_under_its_frame() {
        let two = vec![cell(10, "cat", "cat"), cell(20, "cat", "dog")];
        let mut rows = vec![GridRow { heading: Some("two".to_owned()), cells: two }];
        rows.extend(grid_rows(5, vec![cell(30, "dog", "dog")]));
        let svg = grid(rows).to_svg().unwrap();
        let image = svg.lines().find(|line| line.starts_with("<image")).unwrap();
        let pixels = decode(&svg);
        let (rows, cols) = (pixels.dim().1, pixels.dim().2);
        // 32 pixels of 3 units each.
        assert_eq!(number(image, "width"), 3.0 * cols as f64);
        assert_eq!(number(image, "height"), 3.0 * rows as f64);
        let is_frame = |line: &&str| line.starts_with("<rect") && line.contains("width=\"96\"");
        let frames: Vec<_> = svg.lines().filter(is_frame).collect();
        assert_eq!(frames.len(), 3);
        for (frame, value) in frames.into_iter().zip([10, 20, 30]) {
            let [row, col] = ["y", "x"].map(|name| {
                let pixel = (number(frame, name) - number(image, name)) / 3.0;
                assert_eq!(pixel.fract(), 0.0);
                pixel as usize
            });
            let shown = pixels.slice(s![0, row..row + 32, col..col + 32, ..3]);
            assert_eq!(shown, picture(value, 3));
            assert!(pixels.slice(s![0, row..row + 32, col + 32, 3]).iter().all(|&a| a == 0));
        }
    }

    #[test]
    fn a_wrong_prediction_is_marked_by_shape_and_by_words() {
        let svg = |predicted| grid(grid_rows(1, vec![cell(1, "a<b", predicted)])).to_svg().unwrap();
        let (right, wrong) = (svg("a<b"), svg("dog"));
        let title = "<title>a&lt;b; predicted: a&lt;b 93\u{a0}%; right</title>";
        assert!(right.contains(title), "{right}");
        assert!(wrong.contains("; predicted: dog 93\u{a0}%; wrong</title>"));
        assert!(wrong.contains(">a&lt;b</text>") && wrong.contains(">dog 93\u{a0}%</text>"));
        assert_eq!(right.matches("<path").count(), 1, "a tick");
        assert_eq!(wrong.matches("<path").count(), 2, "a cross");
        assert!(!right.contains("stroke-width=\"3\"") && wrong.contains("stroke-width=\"3\""));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let bare = |shape: (usize, usize, usize)| GridCell {
            picture: Array3::zeros(shape),
            caption: None,
        };
        for (cells, expected) in [
            (vec![], "there is no picture"),
            (vec![cell(1, "a", "b"), bare((2, 2, 3))], "(32, 32, 3) and (2, 2, 3) do not fit"),
            (vec![bare((2, 2, 2))], "but got (2, 2, 2)"),
        ] {
            let error = grid(grid_rows(5, cells)).to_svg().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
