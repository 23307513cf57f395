//! The speed of kernels beside the limits of arithmetic and memory: Williams et al. (2009).

use bench::{By, Measurement, Record, Subject, Work, output_side};
use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{Colour, SERIES, TEXT};

use super::chart::{Chart, power_ticks};
use crate::expand::Inputs;

/// The colour of points, and their name in the legend.
const KERNELS: [(By, Colour, &str); 4] = [
    (By::Im2col, SERIES[0], "convolution by im2col"),
    (By::Winograd, SERIES[1], "convolution by Winograd"),
    (By::PytorchTuned, SERIES[2], "PyTorch, tuned malloc"),
    (By::Ours, SERIES[3], "matrix product of the MLP"),
];

/// The share of the peak below which a point would press all others together: there is hardly any arithmetic.
const SLOWEST: f64 = 0.01;

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    roofline(&inputs.records.performance()?)
}

fn roofline(record: &Record) -> Result<String, String> {
    let limit = |subject: Subject, what: &str| {
        let limit = record.limit(&subject, record.threads);
        limit.map(|speed| speed.median).ok_or_else(|| format!("the record has no {what}"))
    };
    let peak = limit(Subject::Peak, "peak of the arithmetic")?;
    let bandwidth = limit(Subject::Copy, "bandwidth of the memory")?;
    let is_shown = |by: By| KERNELS.iter().any(|(known, ..)| *known == by);
    let shown = record.measurements.iter().filter(|m| is_shown(m.by));
    let mut points: Vec<(By, Point)> = shown.filter_map(|m| Some((m.by, point(m)?))).collect();
    if points.is_empty() {
        return Err("the record has no convolution".to_owned());
    }
    // What is hardly arithmetic would press all else together.
    let all = points.len();
    points.retain(|(_, (_, speed))| *speed >= (SLOWEST * peak).log10());
    let left_out = all - points.len();
    // Powers of ten around all that is drawn, the ridge where the two limits meet among it.
    let ridge = (peak / bandwidth).log10();
    let xs = points.iter().map(|(_, (x, _))| *x).chain([ridge]);
    let ys = points.iter().map(|(_, (_, y))| *y).chain([peak.log10()]);
    let (x, y) = (decades(xs), decades(ys));
    let chart = Chart { at: (64.0, 66.0), size: (480.0, 280.0), x, y };
    let mut canvas = Canvas::themed();
    let ticks = |(from, to): Point| power_ticks(from as i32..=to as i32);
    chart.axes(&mut canvas, &ticks(x), &ticks(y));
    // Where the memory's line enters from below or from the left.
    let start = x.0.max(y.0 - bandwidth.log10());
    let roof = [(start, bandwidth.log10() + start), (ridge, peak.log10()), (x.1, peak.log10())];
    chart.line(&mut canvas, &roof, Pen::of(TEXT, 2.0));
    for (by, at) in &points {
        if let Some((_, colour, _)) = KERNELS.iter().find(|(known, ..)| known == by) {
            canvas.circle(chart.place(*at), 4.0, Some(*colour), Pen::of(*colour, 1.4));
        }
    }
    let label = Font::of(13.0);
    for (index, (by, colour, text)) in KERNELS.into_iter().enumerate() {
        if points.iter().any(|(of, _)| *of == by) {
            let at = (72.0 + 240.0 * (index % 2) as f64, 14.0 + 20.0 * (index / 2) as f64);
            canvas.circle(at, 4.0, Some(colour), Pen::of(colour, 1.4));
            canvas.text((at.0 + 10.0, at.1 + 4.5), label, Anchor::Start, text);
        }
    }
    if left_out > 0 {
        let note = format!("{left_out} points below a hundredth of the peak are left out");
        canvas.text((544.0, 404.0), Font::of(12.0), Anchor::End, &note);
    }
    let below = "operations for each byte that has to be moved";
    canvas.text((304.0, 384.0), label, Anchor::Middle, below);
    canvas.text((64.0, 56.0), label, Anchor::Start, "GFLOP/s");
    Ok(canvas.finish(570.0, 412.0))
}

/// Logarithms of the intensity, operations for each byte, and of the speed; nothing for what is not
/// arithmetic.
fn point(measurement: &Measurement) -> Option<Point> {
    let Work::Flop(flop) = measurement.work else { return None };
    let intensity = flop as f64 / (4.0 * numbers(measurement)? as f64);
    Some((intensity.log10(), measurement.speed().median.log10()))
}

/// The numbers of all operands and of the result, each of which has to be moved once.
fn numbers(measurement: &Measurement) -> Option<usize> {
    match measurement.subject {
        Subject::Convolution { side, channels, filters, kernel, .. } => {
            let out = output_side(side, kernel);
            let images = measurement.batch * (side.pow(2) * channels + out.pow(2) * filters);
            Some(images + kernel.pow(2) * channels * filters)
        }
        Subject::Product { rows, inner, cols, .. } => {
            Some(rows * inner + inner * cols + rows * cols)
        }
        _ => None,
    }
}

/// The powers of ten that enclose these logarithms.
fn decades(logarithms: impl Iterator<Item = f64> + Clone) -> Point {
    let low = logarithms.clone().fold(f64::INFINITY, f64::min).floor();
    let high = logarithms.fold(f64::NEG_INFINITY, f64::max).ceil();
    (low, high.max(low + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::inline;
    use crate::performance::tests::record;

    #[test]
    fn every_kernel_is_a_point_under_a_roof() {
        let record = record();
        let svg = roofline(&record).unwrap();
        // PyTorch with its default allocator is not shown; the rest are points and the legend.
        let shown = |m: &&Measurement| point(m).is_some() && m.by != By::Pytorch;
        let points = record.measurements.iter().filter(shown).count();
        assert_eq!(svg.matches("<circle").count(), points + KERNELS.len(), "{svg}");
        inline(&svg, "fig-roofline", "alt").unwrap();
        let measurements = Vec::new();
        let error = roofline(&Record { measurements, ..record }).unwrap_err();
        assert_eq!(error, "the record has no peak of the arithmetic");
    }

    #[test]
    fn intensities_by_hand() {
        let record = record();
        let product = record.find("product/784-256/forward/ours").unwrap();
        // 64 x 784, 784 x 256 and 64 x 256 numbers.
        assert_eq!(numbers(product), Some(50_176 + 200_704 + 16_384));
        // 1 GFLOP/s is at 0.
        let at = point(product).unwrap();
        assert!((at.0 - (25_690_112.0_f64 / 1_069_056.0).log10()).abs() < 1e-12);
        assert_eq!(point(record.find("memory/GELU-7x7x256/forward/ours").unwrap()), None);
    }
}
