//! Axes, and lines between them.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{GRID, TEXT};

/// A rectangle with two axes.
pub(super) struct Chart {
    /// The left top corner of the area between the axes.
    pub(super) at: Point,
    /// The size of the area.
    pub(super) size: Point,
    /// The values at the left and at the right.
    pub(super) x: (f64, f64),
    /// The values at the bottom and at the top.
    pub(super) y: (f64, f64),
}

/// A mark of an axis: its value and its text.
pub(super) type Tick = (f64, String);

impl Chart {
    /// Where a value lies.
    pub(super) fn place(&self, (x, y): Point) -> Point {
        let share = |value: f64, (from, to): (f64, f64)| (value - from) / (to - from);
        (
            self.at.0 + share(x, self.x) * self.size.0,
            self.at.1 + (1.0 - share(y, self.y)) * self.size.1,
        )
    }

    /// Draws the axes with a line and a text at each mark.
    pub(super) fn axes(&self, canvas: &mut Canvas, x: &[Tick], y: &[Tick]) {
        let (left, top) = self.at;
        let (right, bottom) = (left + self.size.0, top + self.size.1);
        let (grid, label) = (Pen::of(GRID, 1.0), Font::of(12.0));
        for (value, text) in x {
            let (at, _) = self.place((*value, self.y.0));
            canvas.line(&[(at, top), (at, bottom)], grid);
            canvas.text((at, bottom + 16.0), label, Anchor::Middle, text);
        }
        for (value, text) in y {
            let (_, at) = self.place((self.x.0, *value));
            canvas.line(&[(left, at), (right, at)], grid);
            canvas.text((left - 6.0, at + 4.0), label, Anchor::End, text);
        }
        let frame = Pen::of(TEXT, 1.0);
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], frame);
    }

    /// Draws a line through values; what lies outside of the area is left out.
    pub(super) fn line(&self, canvas: &mut Canvas, values: &[Point], pen: Pen) {
        let inside = |&(x, y): &Point| {
            let within = |value: f64, (from, to): (f64, f64)| (from..=to).contains(&value);
            within(x, self.x) && within(y, self.y)
        };
        for part in values.split(|value| !inside(value)).filter(|part| part.len() > 1) {
            let points: Vec<Point> = part.iter().map(|value| self.place(*value)).collect();
            canvas.line(&points, pen);
        }
    }

    /// A title above the area.
    pub(super) fn title(&self, canvas: &mut Canvas, text: &str) {
        let at = (self.at.0 + 0.5 * self.size.0, self.at.1 - 8.0);
        canvas.text(at, Font::of(14.0).bold(), Anchor::Middle, text);
    }
}

/// Marks at the whole numbers of a range, `every` apart.
pub(super) fn whole_ticks(from: i32, to: i32, every: usize) -> Vec<Tick> {
    let text = |value: i32| value.to_string().replace('-', "\u{2212}");
    (from..=to).step_by(every).map(|value| (f64::from(value), text(value))).collect()
}

/// Marks at powers of ten, on an axis of logarithms.
pub(super) fn power_ticks(exponents: impl IntoIterator<Item = i32>) -> Vec<Tick> {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    let text = |exponent: i32| exponent.to_string().chars().map(raised).collect::<String>();
    exponents.into_iter().map(|e| (f64::from(e), format!("10{}", text(e)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_places_and_nothing_leaves_the_area() {
        let chart = Chart { at: (10.0, 20.0), size: (100.0, 50.0), x: (0.0, 2.0), y: (-1.0, 1.0) };
        assert_eq!(chart.place((0.0, -1.0)), (10.0, 70.0));
        assert_eq!(chart.place((1.0, 1.0)), (60.0, 20.0));
        let mut canvas = Canvas::themed();
        let values = [(0.0, 0.0), (0.5, 0.5), (1.0, 3.0), (1.5, 0.5), (2.0, 0.0)];
        chart.line(&mut canvas, &values, Pen::of(TEXT, 1.0));
        let svg = canvas.finish(1.0, 1.0);
        assert!(svg.contains("M10 45 L35 32.5\"") && svg.contains("M85 32.5 L110 45\""), "{svg}");
    }

    #[test]
    fn ticks_are_written_as_one_writes_numbers() {
        let texts = |ticks: Vec<Tick>| ticks.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(whole_ticks(-2, 2, 2)), ["\u{2212}2", "0", "2"]);
        assert_eq!(texts(power_ticks([-12, 0])), ["10⁻¹²", "10⁰"]);
    }
}
