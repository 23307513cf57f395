//! Drawing a line chart.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::palette::{GRID, TEXT};
use crate::svg::escape;
use crate::{ExperimentError, LineChart, Series, Weight};

/// The size in user units, and in pixels of the drawing: plotters knows whole pixels only, so it
/// draws at twice the size.
const SIZE: (u32, u32) = (720, 400);
const PIXELS: (u32, u32) = (2 * SIZE.0, 2 * SIZE.1);
/// Font sizes in pixels of the drawing.
const TITLE: u32 = 36;
const LABEL: u32 = 30;
/// The height of the row of the title, and of the legend.
const ROW: i32 = 52;
/// Where the plotting area begins, and how much of that is free.
const LEFT: i32 = 130;
const MARGIN: i32 = 12;

impl LineChart {
    /// The chart as an SVG document.
    ///
    /// The y axis starts at 0, or at the lowest point if that is negative or the axis logarithmic.
    ///
    /// # Errors
    /// [`ExperimentError::Plot`] if there is no point, or one is not finite.
    pub fn to_svg(&self) -> Result<String, ExperimentError> {
        let failed =
            |reason: String| ExperimentError::Plot { what: format!("{:?}", self.title), reason };
        let points = || self.series.iter().flat_map(|series| &series.points);
        if let Some((x, y)) = points().find(|(x, y)| !(x.is_finite() && y.is_finite())) {
            return Err(failed(format!("the point ({x}, {y}) is not finite")));
        }
        if points().next().is_none() {
            return Err(failed("there is no point".to_owned()));
        }
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| failed(error.to_string()))?;
        Ok(self.accessible(&svg))
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let root = SVGBackend::with_string(svg, PIXELS).into_drawing_area();
        let text = |size: u32| ("sans-serif", size).into_font().color(&TEXT.plotters());
        root.draw(&Text::new(self.title.clone(), (LEFT, 14), text(TITLE)))?;
        self.draw_legend(&root)?;

        let log = self.is_log();
        let (x_range, y_range) = self.ranges();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(2 * ROW + 8)
            .margin_right(36)
            .margin_bottom(8)
            .margin_left(MARGIN)
            .x_label_area_size(92)
            .y_label_area_size(LEFT - MARGIN)
            .build_cartesian_2d(x_range, y_range)?;
        let centred = Pos::new(HPos::Center, VPos::Top);
        let x_tick = |x: &f64| self.x_tick(*x);
        let y_tick = |y: &f64| if log { String::new() } else { tick(*y) };
        let mut mesh = chart.configure_mesh();
        mesh.axis_style(TEXT.plotters())
            .bold_line_style(GRID.plotters())
            .light_line_style(TRANSPARENT)
            .label_style(text(LABEL))
            .axis_desc_style(text(LABEL))
            .x_label_style(text(LABEL).pos(centred))
            .x_desc(self.x_label.as_str())
            .y_desc(self.y_label.as_str())
            .x_label_formatter(&x_tick)
            .y_label_formatter(&y_tick)
            .y_labels(6);
        if log {
            mesh.disable_y_mesh().set_tick_mark_size(LabelAreaPosition::Left, 0);
        }
        match &self.categories {
            // Half steps are key points too, with an empty label.
            Some(names) => mesh.disable_x_mesh().x_labels(2 * names.len() + 1),
            None => mesh.x_labels(8),
        };
        mesh.draw()?;
        if log {
            draw_log_axis(&root, &chart)?;
        }
        for series in &self.series {
            let style = series.style();
            let points =
                || series.points.iter().map(|&(x, y)| (x, if log { y.log10() } else { y }));
            chart.draw_series(LineSeries::new(points(), style))?;
            if series.markers {
                let dots = points().map(|point| Circle::new(point, 7, style.filled()));
                chart.draw_series(dots)?;
            }
        }
        root.present()?;
        Ok(())
    }

    /// One row of line samples and names below the title, so that no curve runs beneath it.
    fn draw_legend<DB: DrawingBackend>(
        &self,
        root: &DrawingArea<DB, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let y = ROW + ROW / 2;
        let mut x = LEFT;
        for series in self.series.iter().filter(|series| !series.label.is_empty()) {
            root.draw(&PathElement::new(vec![(x, y), (x + 48, y)], series.style()))?;
            if series.markers {
                root.draw(&Circle::new((x + 24, y), 7, series.style().filled()))?;
            }
            x += 60;
            let font = ("sans-serif", LABEL).into_font().color(&TEXT.plotters());
            let style = font.pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(series.label.clone(), (x, y), style))?;
            // Nothing measures text here; sans-serif letters are about half as wide as high.
            x += series.label.chars().count() as i32 * LABEL as i32 / 2 + 36;
        }
        Ok(())
    }

    fn is_log(&self) -> bool {
        self.log_y && self.series.iter().flat_map(|series| &series.points).all(|&(_, y)| y > 0.0)
    }

    fn ranges(&self) -> (std::ops::Range<f64>, std::ops::Range<f64>) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let span = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let (x_low, x_high) = match &self.categories {
            Some(names) => (-0.25, names.len() as f64 - 0.75),
            None => span(&mut points().map(|point| point.0)),
        };
        let (y_low, y_high) = span(&mut points().map(|point| point.1));
        if self.is_log() {
            let (low, high) = (y_low.log10(), y_high.log10());
            let margin = (0.04 * (high - low)).max(0.02);
            return (x_low..above(x_high, x_low), low - margin..high + margin);
        }
        let y_low = y_low.min(0.0);
        (x_low..above(x_high, x_low), y_low..above(y_high + 0.05 * (y_high - y_low), y_low))
    }

    fn x_tick(&self, x: f64) -> String {
        let Some(names) = &self.categories else { return tick(x) };
        let index = x.round();
        if (x - index).abs() > 1e-6 || index < 0.0 {
            return String::new();
        }
        names.get(index as usize).cloned().unwrap_or_default()
    }

    /// Adds a title for those who hear the plot, and lets it scale.
    fn accessible(&self, svg: &str) -> String {
        let (width, height) = PIXELS;
        let drawn = format!("<svg width=\"{width}\" height=\"{height}\"");
        let (width, height) = SIZE;
        let title = escape(&self.title);
        let (x, y) = (escape(&self.x_label), escape(&self.y_label));
        let names: Vec<_> = self
            .series
            .iter()
            .map(|series| escape(&series.label))
            .filter(|label| !label.is_empty())
            .collect();
        let description = format!("{y} by {x}; lines: {}", names.join(", "));
        let svg = svg.replacen(
            &drawn,
            &format!("<svg width=\"{width}\" height=\"{height}\" role=\"img\""),
            1,
        );
        match svg.split_once(">\n") {
            Some((head, body)) => {
                format!("{head}>\n<title>{title}</title>\n<desc>{description}</desc>\n{body}")
            }
            None => svg,
        }
    }
}

impl Series {
    fn style(&self) -> ShapeStyle {
        let colour = self.colour.plotters();
        match self.weight {
            Weight::Thin => ShapeStyle { color: colour.mix(0.5), filled: false, stroke_width: 2 },
            Weight::Thick => ShapeStyle { color: colour.mix(1.0), filled: false, stroke_width: 5 },
        }
    }
}

type Chart<'a, DB> = ChartContext<'a, DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Grid lines and labels at 1, 2 and 5 times the powers of ten, over more than three decades at the
/// powers alone; plotters would put them at even distances.
fn draw_log_axis<DB: DrawingBackend>(
    root: &DrawingArea<DB, Shift>,
    chart: &Chart<'_, DB>,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let (x_range, y_range) = (chart.x_range(), chart.y_range());
    let steps: &[f64] = if y_range.end - y_range.start > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    for power in y_range.start.floor() as i32..=y_range.end.ceil() as i32 {
        for step in steps {
            let value = step * 10.0_f64.powi(power);
            let y = value.log10();
            if !y_range.contains(&y) {
                continue;
            }
            let left = chart.backend_coord(&(x_range.start, y));
            let right = chart.backend_coord(&(x_range.end, y));
            root.draw(&PathElement::new(vec![left, right], GRID.plotters()))?;
            let font = ("sans-serif", LABEL).into_font().color(&TEXT.plotters());
            let style = font.pos(Pos::new(HPos::Right, VPos::Center));
            // Rounding to the digits of the step.
            let label = format!("{:.*}", usize::try_from(-power).unwrap_or(0), value);
            root.draw(&Text::new(label, (left.0 - 12, left.1), style))?;
        }
    }
    Ok(())
}

/// `high` if it is above `low`; an axis of no length cannot be drawn.
fn above(high: f64, low: f64) -> f64 {
    if high > low { high } else { low + 1.0 }
}

/// A number on an axis, without the rounding errors of the axis.
fn tick(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    // Adding zero makes -0 a 0.
    format!("{}", rounded + 0.0)
}
