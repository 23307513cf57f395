//! Where a function on a grid is at least as large as a level.

use experiment::canvas::Point;

/// The polygons on which values are at least `level`: between the points of the grid they are
/// interpolated, linearly on each half of a cell. `place` says where the point `(row, column)` lies.
pub(super) fn at_least(
    values: &[Vec<f64>],
    level: f64,
    place: impl Fn(f64, f64) -> Point,
) -> Vec<Vec<Point>> {
    let mut polygons = Vec::new();
    let mut add = |corners: &[Point]| {
        polygons.push(corners.iter().map(|&(row, column)| place(row, column)).collect());
    };
    for (row, pair) in values.windows(2).enumerate() {
        let (above, below) = (&pair[0], &pair[1]);
        // Cells that are inside as a whole are joined to one rectangle.
        let inside = |column: &usize| {
            [above, below].iter().all(|row| row[*column..=column + 1].iter().all(|v| *v >= level))
        };
        let cells = above.len().min(below.len()).saturating_sub(1);
        let mut column = 0;
        while column < cells {
            let run = (column..cells).take_while(inside).count();
            let (r, c) = (row as f64, column as f64);
            if run > 0 {
                let end = c + run as f64;
                add(&[(r, c), (r, end), (r + 1.0, end), (r + 1.0, c)]);
                column += run;
                continue;
            }
            let [a, b] = [column, column + 1].map(|c| ((r, c as f64), above[c]));
            let [d, e] = [column, column + 1].map(|c| ((r + 1.0, c as f64), below[c]));
            for triangle in [[a, b, e], [a, e, d]] {
                let part = clipped(triangle, level);
                if part.len() > 2 {
                    add(&part);
                }
            }
            column += 1;
        }
    }
    polygons
}

/// The part of a triangle on which the linear function with the values of its corners is at least
/// `level`.
fn clipped(triangle: [(Point, f64); 3], level: f64) -> Vec<Point> {
    let mut part = Vec::new();
    for index in 0..3 {
        let ((from, a), (to, b)) = (triangle[index], triangle[(index + 1) % 3]);
        if a >= level {
            part.push(from);
        }
        if (a >= level) != (b >= level) {
            let share = (level - a) / (b - a);
            let between = |from: f64, to: f64| from + share * (to - from);
            part.push((between(from.0, to.0), between(from.1, to.1)));
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(polygon: &[Point]) -> f64 {
        let next = polygon.iter().cycle().skip(1);
        0.5 * polygon.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum::<f64>().abs()
    }

    #[test]
    fn a_plane_is_cut_where_it_has_the_level() {
        let values: Vec<Vec<f64>> =
            (0..5).map(|row| (0..9).map(|column| f64::from(column + row)).collect()).collect();
        let place = |row: f64, column: f64| (column, row);
        // At 2.5, a triangle of side 2.5 is cut off.
        for (level, expected) in
            [(-1.0, 32.0), (13.0, 0.0), (2.5, 32.0 - 0.5 * 2.5 * 2.5), (11.0, 0.5)]
        {
            let area: f64 = at_least(&values, level, place).iter().map(|p| area(p)).sum();
            assert!((area - expected).abs() < 1e-9, "{level}: {area}");
        }
    }
}
