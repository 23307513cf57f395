//! Where a function on a grid is at least as large as a level.

use experiment::canvas::Point;

/// The polygons on which values are at least `level`: between the points of the grid they are
/// interpolated, linearly along each side of a cell. `place` says where the point `(row, column)` lies.
pub(super) fn at_least(
    values: &[Vec<f64>],
    level: f64,
    place: impl Fn(usize, usize) -> Point,
) -> Vec<Vec<Point>> {
    let mut polygons = Vec::new();
    for row in 1..values.len() {
        let inside = |column: &usize| {
            [row - 1, row]
                .iter()
                .all(|r| values[*r][*column - 1..=*column].iter().all(|v| *v >= level))
        };
        let mut left = 0;
        while left + 1 < values[row].len() {
            // Cells that are inside as a whole are joined to one rectangle.
            let right = left + (left + 1..values[row].len()).take_while(inside).count().max(1);
            let corners = [(row - 1, left), (row - 1, right), (row, right), (row, left)];
            let corners = corners.map(|(r, c)| (place(r, c), values[r][c]));
            polygons.extend(clipped(corners, level));
            left = right;
        }
    }
    polygons
}

/// The part of a quadrilateral on which what has the values of its corners is at least `level`.
fn clipped(corners: [(Point, f64); 4], level: f64) -> Option<Vec<Point>> {
    let mut part = Vec::new();
    for (&(from, a), &(to, b)) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        if a >= level {
            part.push(from);
        }
        if (a >= level) != (b >= level) {
            let share = (level - a) / (b - a);
            let between = |from: f64, to: f64| from + share * (to - from);
            part.push((between(from.0, to.0), between(from.1, to.1)));
        }
    }
    (part.len() > 2).then_some(part)
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
        let place = |row: usize, column: usize| (column as f64, row as f64);
        // At 2.5, a triangle of side 2.5 is cut off.
        for (level, expected) in
            [(-1.0, 32.0), (13.0, 0.0), (2.5, 32.0 - 0.5 * 2.5 * 2.5), (11.0, 0.5)]
        {
            let area: f64 = at_least(&values, level, place).iter().map(|p| area(p)).sum();
            assert!((area - expected).abs() < 1e-9, "{level}: {area}");
        }
    }
}
