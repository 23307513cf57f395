//! The network of question 5, with the sizes of the record.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{GRID, SERIES, TEXT};

use super::iris_surface::{RECORD, configuration};
use crate::expand::Inputs;

const FEATURES: [&str; 4] = ["sepal length", "sepal width", "petal length", "petal width"];
pub(super) const SPECIES: [&str; 3] = ["setosa", "versicolor", "virginica"];

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let config = configuration(&inputs.records.read_run(RECORD)?)?;
    let mut units = vec![FEATURES.len()];
    units.extend(&config.hidden.0);
    units.push(SPECIES.len());
    let most = units.iter().copied().max().unwrap_or(1);
    let (left, apart, between) = (150.0, 34.0, 190.0);
    let height = apart * most as f64 + 60.0;
    let middle = 0.5 * (height - 30.0);
    let place = |layer: usize, unit: usize| -> Point {
        let first = middle - 0.5 * apart * (units[layer] - 1) as f64;
        (left + between * layer as f64, first + apart * unit as f64)
    };
    let mut canvas = Canvas::themed();
    for layer in 1..units.len() {
        for from in 0..units[layer - 1] {
            for to in 0..units[layer] {
                let ends = [place(layer - 1, from), place(layer, to)];
                canvas.line(&ends, Pen::of(GRID, 1.0));
            }
        }
    }
    for (layer, &count) in units.iter().enumerate() {
        for unit in 0..count {
            canvas.circle(place(layer, unit), 11.0, Some(SERIES[0]), Pen::of(TEXT, 1.2));
        }
        let (x, _) = place(layer, 0);
        let what = match layer {
            0 => format!("{count} features"),
            _ if layer + 1 == units.len() => format!("{count} classes"),
            _ => format!("{count} hidden units, {}", config.training.activation),
        };
        canvas.text((x, height - 8.0), Font::of(13.0), Anchor::Middle, &what);
    }
    for (unit, name) in FEATURES.iter().enumerate() {
        let (x, y) = place(0, unit);
        canvas.text((x - 20.0, y + 4.0), Font::of(13.0), Anchor::End, name);
    }
    let last = units.len() - 1;
    for (unit, name) in SPECIES.iter().enumerate() {
        let (x, y) = place(last, unit);
        canvas.text((x + 20.0, y + 4.0), Font::of(13.0), Anchor::Start, name);
    }
    Ok(canvas.finish(left + between * last as f64 + 120.0, height))
}
