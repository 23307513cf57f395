//! The schedules that rise and fall, computed by the crate `optim`.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::SERIES;
use optim::{Cycle, Schedule};

use super::chart::{Chart, Tick, whole_ticks};
use crate::expand::Inputs;

/// The number of steps that are shown: a few more than there are.
const SHOWN: u64 = 28;

pub(super) fn draw(_: &Inputs) -> Result<String, String> {
    let (peak_lr, total_steps, peak_step) = (1.0, 25, 6);
    let (start_fraction, end_fraction) = (0.25, 0.0625);
    let cycle = Cycle { peak_lr, total_steps, peak_step, start_fraction, end_fraction };
    let chart =
        Chart { at: (60.0, 30.0), size: (480.0, 190.0), x: (0.0, SHOWN as f64), y: (0.0, 1.05) };
    let tick = |value: f64, text: &str| -> Tick { (value, text.to_owned()) };
    let marks =
        [tick(end_fraction, "1/16"), tick(start_fraction, "1/4"), tick(0.5, "1/2"), tick(1.0, "1")];
    let mut canvas = Canvas::themed();
    chart.axes(&mut canvas, &whole_ticks(0, 24, 6), &marks);
    for (schedule, colour, name, at) in [
        (Schedule::Triangular(cycle), SERIES[0], "triangular", (7.2, 0.56)),
        (Schedule::OneCycle(cycle), SERIES[1], "one-cycle", (12.6, 0.86)),
    ] {
        let rates: Vec<Point> =
            (0..=SHOWN).map(|step| (step as f64, schedule.rate(step))).collect();
        chart.line(&mut canvas, &rates, Pen::of(colour, 1.6));
        // A rate belongs to a step; there is none between two.
        for rate in rates {
            canvas.circle(chart.place(rate), 3.0, Some(colour), Pen::of(colour, 1.2));
        }
        canvas.text(chart.place(at), Font::of(14.0).bold().colour(colour), Anchor::Start, name);
    }
    canvas.text((300.0, 256.0), Font::of(14.0), Anchor::Middle, "step");
    canvas.text((60.0, 18.0), Font::of(14.0).italic(), Anchor::Start, "rate / peak");
    Ok(canvas.finish(560.0, 266.0))
}
