//! Iris by petals, and the species that the network of question 5 takes a flower of such petals for.

use experiment::canvas::{Anchor, Canvas, Font, Pen};
use experiment::palette::SERIES;
use ffnn::FeaturePlane;

use super::chart::{Chart, whole_ticks};
use super::iris_network::SPECIES;
use super::iris_surface::{RECORD, configuration};
use super::level_set::at_least;
use crate::expand::Inputs;

/// Petal length and petal width.
const PETALS: [usize; 2] = [2, 3];

/// Points along one side.
const POINTS: usize = 91;

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let run = inputs.records.read_run(RECORD)?;
    let again = |error| format!("the run `{RECORD}` cannot be done again: {error}");
    let plane = FeaturePlane::of_run(&configuration(&run)?, run.config.seed, PETALS);
    let plane = plane.map_err(again)?;
    let chart = Chart { at: (50.0, 48.0), size: (480.0, 260.0), x: (0.5, 7.5), y: (0.0, 3.0) };
    let along = |(from, to): (f64, f64), index: usize| {
        from + (to - from) * index as f64 / (POINTS - 1) as f64
    };
    let flower = |row: usize, column: usize| [along(chart.x, column), along(chart.y, row)];
    let flowers: Vec<[f64; 2]> =
        (0..POINTS * POINTS).map(|at| flower(at / POINTS, at % POINTS)).collect();
    let p = plane.probabilities(&flowers).map_err(again)?;
    let mut canvas = Canvas::themed();
    for (species, colour) in SERIES.into_iter().enumerate().take(SPECIES.len()) {
        // By how much it is more probable than each of the others.
        let lead = |at: usize| {
            let others = (0..SPECIES.len()).filter(|other| *other != species);
            let most = others.map(|other| p[[at, other]]).fold(0.0, f32::max);
            f64::from(p[[at, species]] - most)
        };
        let row = |row: usize| (0..POINTS).map(|column| lead(row * POINTS + column)).collect();
        let leads: Vec<Vec<f64>> = (0..POINTS).map(row).collect();
        let area = at_least(&leads, 0.0, |row, column| {
            let [x, y] = flower(row, column);
            chart.place((x, y))
        });
        canvas.area(&area, colour, 0.16);
        let (x, y) = ([50.0, 170.0, 320.0][species], 20.0);
        canvas.circle((x + 6.0, y - 5.0), 4.0, Some(colour), Pen::of(colour, 1.4));
        canvas.text(
            (x + 16.0, y),
            Font::of(14.0).bold().colour(colour),
            Anchor::Start,
            SPECIES[species],
        );
    }
    chart.axes(&mut canvas, &whole_ticks(1, 7, 1), &whole_ticks(0, 3, 1));
    for (measured, species) in plane.flowers().concat() {
        let at = chart.place((measured[0], measured[1]));
        canvas.circle(at, 3.5, Some(SERIES[species]), Pen::of(SERIES[species], 1.2));
    }
    canvas.text((290.0, 346.0), Font::of(13.0), Anchor::Middle, "petal length, cm");
    canvas.text((50.0, 42.0), Font::of(13.0), Anchor::Start, "petal width, cm");
    Ok(canvas.finish(550.0, 356.0))
}
