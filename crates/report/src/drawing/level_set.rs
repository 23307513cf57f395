//! Where a function on a grid is at least as large as a level.

use std::fmt::Write as _;

use super::canvas::{Point, short};

/// The area, as the data of an SVG path, on which values are at least `level`: between the points of
/// the grid they are interpolated, linearly on each half of a cell. `place` says where the point
/// `(row, column)` lies.
pub(super) fn at_least(
    values: &[Vec<f64>],
    level: f64,
    place: impl Fn(f64, f64) -> Point,
) -> String {
    let mut path = String::new();
    for (row, pair) in values.windows(2).enumerate() {
        let (above, below) = (&pair[0], &pair[1]);
        // Cells that are inside as a whole are joined to one rectangle.
        let inside = |column: usize| {
            [above[column], above[column + 1], below[column], below[column + 1]]
                .iter()
                .all(|value| *value >= level)
        };
        let cells = above.len().min(below.len()).saturating_sub(1);
        let mut column = 0;
        while column < cells {
            let run = (column..cells).take_while(|column| inside(*column)).count();
            let (r, c) = (row as f64, column as f64);
            if run > 0 {
                let end = c + run as f64;
                polygon(&mut path, &[(r, c), (r, end), (r + 1.0, end), (r + 1.0, c)], &place);
                column += run;
                continue;
            }
            let corner = |r: usize, c: usize| {
                ((r as f64, c as f64), if r == row { above[c] } else { below[c] })
            };
            let (a, b) = (corner(row, column), corner(row, column + 1));
            let (d, e) = (corner(row + 1, column), corner(row + 1, column + 1));
            for triangle in [[a, b, e], [a, e, d]] {
                let part = clipped(triangle, level);
                if part.len() > 2 {
                    polygon(&mut path, &part, &place);
                }
            }
            column += 1;
        }
    }
    path
}

type Corner = (Point, f64);

/// The part of a triangle on which the linear function with these values is at least `level`.
fn clipped(triangle: [Corner; 3], level: f64) -> Vec<Point> {
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

fn polygon(path: &mut String, corners: &[Point], place: &impl Fn(f64, f64) -> Point) {
    for (index, &(row, column)) in corners.iter().enumerate() {
        let (x, y) = place(row, column);
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", short(x), short(y));
    }
    path.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The area of all polygons of a path.
    fn area(path: &str) -> f64 {
        let polygons = path.split('Z').filter(|polygon| !polygon.is_empty());
        polygons
            .map(|polygon| {
                let points: Vec<Point> = polygon
                    .split(['M', 'L'])
                    .filter(|point| !point.is_empty())
                    .map(|point| {
                        let (x, y) = point.split_once(' ').unwrap();
                        (x.parse().unwrap(), y.parse().unwrap())
                    })
                    .collect();
                let next = points.iter().cycle().skip(1);
                let sum: f64 = points.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
                0.5 * sum.abs()
            })
            .sum()
    }

    #[test]
    fn a_plane_is_cut_where_it_has_the_level() {
        let values: Vec<Vec<f64>> =
            (0..5).map(|row| (0..9).map(|column| f64::from(column + row)).collect()).collect();
        let place = |row: f64, column: f64| (100.0 * column, 100.0 * row);
        for (level, expected) in [
            (-1.0, 32.0),
            (13.0, 0.0),
            // What is cut off is a triangle of side 2.5.
            (2.5, 32.0 - 0.5 * 2.5 * 2.5),
            (11.0, 0.5),
        ] {
            let area = area(&at_least(&values, level, place)) / 10_000.0;
            assert!((area - expected).abs() < 1e-9, "{level}: {area}");
        }
    }
}
