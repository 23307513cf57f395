//! The sweep of question 5 as a heat map: validation error by learning rate and hidden units.

use experiment::canvas::{Anchor, Canvas, Font, Pen};
use experiment::palette::{GRID, SERIES, TEXT};

use crate::expand::Inputs;
use crate::numbers::percentage;

const CELL: (f64, f64) = (92.0, 40.0);

/// The opacity of the largest error.
const OPACITY: f64 = 0.35;

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let sweep = inputs.records.read_sweep("iris-sweep")?;
    let axis = |name: &str| {
        let axis = sweep.config.axes.iter().find(|axis| axis.name == name);
        axis.map(|axis| &axis.values).ok_or_else(|| format!("the sweep has no axis `{name}`"))
    };
    let (rates, sizes) = (axis("lr")?, axis("hidden")?);
    let errors = sweep.table.iter().filter_map(|set| set.val_error_mean);
    let largest = errors.fold(f64::MIN_POSITIVE, f64::max);
    let (left, top) = (130.0, 40.0);
    let mut canvas = Canvas::themed();
    let label = Font::of(14.0);
    for (row, size) in sizes.iter().enumerate() {
        let y = top + CELL.1 * row as f64;
        let name = if size == "none" { "no hidden layer" } else { size };
        canvas.text((left - 10.0, y + 25.0), label, Anchor::End, name);
        for (column, rate) in rates.iter().enumerate() {
            let x = left + CELL.0 * column as f64;
            let found = sweep.table.iter().find(|set| set.lr == *rate && set.hidden == *size);
            let error = found.and_then(|set| set.val_error_mean);
            let corners = [(0.0, 0.0), (CELL.0, 0.0), CELL, (0.0, CELL.1)];
            let corners = corners.map(|(right, down)| (x + right, y + down)).to_vec();
            canvas.area(
                &[corners],
                SERIES[1],
                OPACITY * error.map_or(1.0, |error| error / largest),
            );
            canvas.rect((x, y), CELL, None, Pen::of(GRID, 1.0));
            let best = found.is_some_and(|set| set.set == sweep.summary.best.set);
            let font = if best { label.bold() } else { label };
            let text = error.map_or("diverged".to_owned(), percentage);
            canvas.text((x + 0.5 * CELL.0, y + 25.0), font, Anchor::Middle, &text);
            if best {
                let inner = (CELL.0 - 6.0, CELL.1 - 6.0);
                canvas.rect((x + 3.0, y + 3.0), inner, None, Pen::of(TEXT, 2.0));
            }
        }
    }
    let (width, bottom) = (CELL.0 * rates.len() as f64, top + CELL.1 * sizes.len() as f64);
    for (column, rate) in rates.iter().enumerate() {
        let x = left + CELL.0 * (column as f64 + 0.5);
        canvas.text((x, bottom + 20.0), label, Anchor::Middle, rate);
    }
    canvas.text((left + 0.5 * width, bottom + 44.0), label, Anchor::Middle, "learning rate");
    canvas.text((left - 10.0, top - 14.0), label, Anchor::End, "hidden units");
    Ok(canvas.finish(left + width + 10.0, bottom + 54.0))
}
