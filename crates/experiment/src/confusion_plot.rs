//! A confusion matrix as SVG.

use crate::Confusion;
use crate::canvas::{Anchor, Canvas, Font, LABEL, Pen, TITLE};
use crate::palette::{GRID, SERIES};

const WIDTH: f64 = 720.0;
/// Where the cells begin, what is right of them for the recall, and a row's height.
const LEFT: f64 = 126.0;
const TOP: f64 = 128.0;
const RIGHT: f64 = 72.0;
const ROW: f64 = 34.0;
/// Shades end here, so that a number on them has enough contrast on a light and on a dark page.
const DARKEST: f64 = 0.35;

impl Confusion {
    /// The matrix as an SVG document: a row for each true class, a column for each predicted one.
    ///
    /// The diagonal is shaded by the fraction of the row, everything else by its fraction of the
    /// most frequent mistake, in another colour.
    pub fn to_svg(&self, title: &str) -> String {
        let names = self.class_names();
        let classes = names.len();
        let cell = (WIDTH - LEFT - RIGHT) / classes as f64;
        let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
        let bottom = TOP + ROW * classes as f64;
        let label = Font::of(LABEL);
        let mut canvas = Canvas::default();
        canvas.text((0.0, 22.0), Font::of(TITLE), Anchor::Start, title);
        canvas.text((middle, 46.0), label, Anchor::Middle, "predicted class");
        let half = TOP + ROW * classes as f64 / 2.0;
        canvas.text((12.0, half), label.turned(-90.0), Anchor::Middle, "true class");
        canvas.text((WIDTH, TOP - 10.0), label, Anchor::End, "recall");
        canvas.text((LEFT - 8.0, bottom + 22.0), label, Anchor::End, "precision");

        let worst = self.most_confused(1).first().map_or(0, |pair| pair.count);
        for (class, name) in names.iter().enumerate() {
            let y = TOP + ROW * class as f64;
            let baseline = y + ROW / 2.0 + LABEL / 3.0;
            let x = LEFT + cell * (class as f64 + 0.5);
            canvas.text((LEFT - 8.0, baseline), label, Anchor::End, name);
            canvas.text((x, TOP - 8.0), label.turned(-35.0), Anchor::Start, name);
            canvas.text((WIDTH, baseline), label, Anchor::End, &percent(self.recall(class)));
            let precision = percent(self.precision(class));
            canvas.text((x, bottom + 22.0), label, Anchor::Middle, &precision);
            for (predicted, column) in names.iter().enumerate() {
                let count = self.counts()[[class, predicted]];
                let at = (LEFT + cell * predicted as f64, y);
                let (colour, share) = match class == predicted {
                    true => (SERIES[0], self.recall(class).unwrap_or(0.0)),
                    false => (SERIES[1], count as f64 / worst.max(1) as f64),
                };
                // A dot in place of a nought: what matters are the others.
                let shown = if count == 0 { "·".to_owned() } else { count.to_string() };
                canvas.group(&format!("{name} taken for {column}: {count}"), |canvas| {
                    canvas.shade(at, (cell, ROW), colour, DARKEST * share);
                    canvas.rect(at, (cell, ROW), None, Pen::of(GRID, 0.5));
                    canvas.text((at.0 + cell / 2.0, baseline), label, Anchor::Middle, &shown);
                });
            }
        }
        canvas.document(title, &self.description(), (WIDTH, bottom + 34.0))
    }

    fn description(&self) -> String {
        let right = format!("{} of {} are right", self.right(), self.examples());
        let names = self.class_names();
        let pairs: Vec<_> = self
            .most_confused(3)
            .iter()
            .map(|p| format!("{} taken for {} ({})", names[p.truth], names[p.predicted], p.count))
            .collect();
        match pairs.is_empty() {
            true => right,
            false => format!("{right}; the most frequent mistakes: {}", pairs.join(", ")),
        }
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}\u{a0}%", 100.0 * share))
}

#[cfg(test)]
mod tests {
    use crate::confusion::tests::confusion;

    #[test]
    fn every_count_stands_in_its_cell_with_its_shade() {
        let svg = confusion().to_svg("Test & <more>");
        let cells: Vec<_> = svg.split("<g>").skip(1).collect();
        assert_eq!(cells.len(), 9);
        // 0.35 of 0.7 of the row; of 3/5 and all of the most frequent mistake; of nothing.
        let third = "cat taken for a, &quot;b&quot; &amp; &lt;c&gt;: 0";
        for (cell, title, number, shade) in [
            (cells[0], "cat taken for cat: 7", "7", ("#0072B2", "0.245")),
            (cells[1], "cat taken for dog: 3", "3", ("#D55E00", "0.21")),
            (cells[2], third, "·", ("#D55E00", "0")),
            (cells[3], "dog taken for cat: 5", "5", ("#D55E00", "0.35")),
        ] {
            assert!(cell.starts_with(&format!("<title>{title}</title>")), "{cell}");
            assert!(cell.contains(&format!(">{number}</text>")), "{cell}");
            let (colour, opacity) = shade;
            let shade = format!(" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>");
            assert!(cell.contains(&shade), "{cell}");
        }
        assert!(svg.contains("<title>Test &amp; &lt;more&gt;</title>"));
        let expected = "<desc>20 of 30 are right; the most frequent mistakes: \
                        dog taken for cat (5), cat taken for dog (3), dog taken for a, ";
        assert!(svg.contains(expected), "{svg}");
        for text in ["70.0\u{a0}%", "58.3\u{a0}%", "true class", "predicted class"] {
            assert!(svg.contains(&format!(">{text}</text>")), "{text}");
        }
    }
}
