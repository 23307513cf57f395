//! Line charts as SVG.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::ExperimentError;
use crate::canvas::escape;
use crate::palette::{Colour, GRID, TEXT};

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

/// A chart of one or more series of points.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    /// The title.
    pub title: String,
    /// The label of the x axis.
    pub x_label: String,
    /// The label of the y axis.
    pub y_label: String,
    /// Names for x = 0, 1, 2, ... in place of the numbers.
    pub categories: Option<Vec<String>>,
    /// Whether the y axis is logarithmic, which it is only if every y is above 0.
    pub log_y: bool,
    /// Where a plain y axis starts, if no point is lower.
    pub y_from: f64,
    /// The lines, the later above the earlier.
    pub series: Vec<Series>,
}

/// A line through points in the order of their x.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name in the legend; the empty one is left out.
    pub label: String,
    /// The colour.
    pub colour: Colour,
    /// Whether it is thin and half transparent: one of many, or noise.
    pub thin: bool,
    /// Whether there is a dot at each point.
    pub markers: bool,
    /// The points.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// A thick line without dots.
    pub fn new(label: impl Into<String>, colour: Colour, points: Vec<(f64, f64)>) -> Self {
        Self { label: label.into(), colour, thin: false, markers: false, points }
    }

    fn style(&self) -> ShapeStyle {
        let (opacity, stroke_width) = if self.thin { (0.5, 2) } else { (1.0, 5) };
        ShapeStyle { color: self.colour.plotters().mix(opacity), filled: false, stroke_width }
    }
}

impl LineChart {
    /// A chart of these lines on plain axes.
    pub fn new(title: &str, x_label: &str, y_label: &str, series: Vec<Series>) -> Self {
        let [title, x_label, y_label] = [title, x_label, y_label].map(str::to_owned);
        Self { title, x_label, y_label, categories: None, log_y: false, y_from: 0.0, series }
    }

    /// The chart as an SVG document.
    ///
    /// The y axis starts at [`y_from`](Self::y_from), or at the lowest point if that is below or the axis logarithmic.
    ///
    /// # Errors
    /// If there is no point, or one is not finite.
    pub fn to_svg(&self) -> Result<String, ExperimentError> {
        let failed = |reason: String| ExperimentError::plot(format!("{:?}", self.title), reason);
        if let Some((x, y)) = self.points().find(|(x, y)| !(x.is_finite() && y.is_finite())) {
            return Err(failed(format!("the point ({x}, {y}) is not finite")));
        }
        if self.points().next().is_none() {
            return Err(failed("there is no point".to_owned()));
        }
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| failed(error.to_string()))?;
        Ok(self.accessible(&svg))
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let root = SVGBackend::with_string(svg, PIXELS).into_drawing_area();
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
            let style = text(LABEL).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(series.label.clone(), (x, y), style))?;
            // Nothing measures text here; sans-serif letters are about half as wide as high.
            x += series.label.chars().count() as i32 * LABEL as i32 / 2 + 36;
        }
        Ok(())
    }

    fn is_log(&self) -> bool {
        self.log_y && self.points().all(|&(_, y)| y > 0.0)
    }

    fn points(&self) -> impl Iterator<Item = &(f64, f64)> {
        self.series.iter().flat_map(|series| &series.points)
    }

    fn ranges(&self) -> (std::ops::Range<f64>, std::ops::Range<f64>) {
        let span = |value: fn(&(f64, f64)) -> f64| {
            self.points()
                .map(value)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                })
        };
        let (x_low, x_high) = match &self.categories {
            Some(names) => (-0.25, names.len() as f64 - 0.75),
            None => span(|point| point.0),
        };
        let (y_low, y_high) = span(|point| point.1);
        if self.is_log() {
            let (low, high) = (y_low.log10(), y_high.log10());
            let margin = (0.04 * (high - low)).max(0.02);
            return (x_low..above(x_high, x_low), low - margin..high + margin);
        }
        let y_low = y_low.min(self.y_from);
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

    /// Adds a title and a description for those who do not see the plot, and halves its size.
    fn accessible(&self, svg: &str) -> String {
        let [title, x, y] = [&self.title, &self.x_label, &self.y_label].map(|text| escape(text));
        let names = self.series.iter().map(|series| escape(&series.label));
        let names: Vec<_> = names.filter(|label| !label.is_empty()).collect();
        let drawn = format!("<svg width=\"{}\" height=\"{}\"", PIXELS.0, PIXELS.1);
        let shown = format!("<svg width=\"{}\" height=\"{}\" role=\"img\"", SIZE.0, SIZE.1);
        let head = format!(
            "<title>{title}</title>\n<desc>{y} by {x}; lines: {}</desc>\n",
            names.join(", ")
        );
        svg.replacen(&drawn, &shown, 1).replacen(">\n", &format!(">\n{head}"), 1)
    }
}

/// Text in the one font of a chart.
fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT.plotters())
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
            let style = text(LABEL).pos(Pos::new(HPos::Right, VPos::Center));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::{self, SERIES};

    fn chart(points: &[(f64, f64)]) -> LineChart {
        LineChart::new("A & B", "x", "y", vec![Series::new("one", SERIES[0], points.to_vec())])
    }

    #[test]
    fn a_chart_says_what_it_shows_in_the_colours_of_the_palette() {
        let mut chart = chart(&[(0.0, 1.0), (10.0, 3.0)]);
        let two = Series::new("two", SERIES[3], vec![(0.0, 0.5), (9.0, 2.0)]);
        chart.series.push(Series { thin: true, markers: true, ..two });
        let svg = chart.to_svg().unwrap();
        let head = "<svg width=\"720\" height=\"400\" role=\"img\" viewBox=\"0 0 1440 800\"";
        assert!(svg.starts_with(head), "{}", &svg[..200]);
        assert!(svg.contains("<title>A &amp; B</title>\n<desc>y by x; lines: one, two</desc>"));
        let known: Vec<_> = palette::all().map(|colour| colour.hex()).collect();
        let used: Vec<_> = svg.match_indices('#').map(|(at, _)| &svg[at..at + 7]).collect();
        assert!(used.iter().all(|colour| known.iter().any(|known| known == colour)), "{used:?}");
        for colour in [SERIES[0], SERIES[3], palette::TEXT, palette::GRID] {
            assert!(used.contains(&colour.hex().as_str()), "{colour:?}");
        }
    }

    #[test]
    fn the_largest_and_smallest_points_are_within_the_plot() {
        let svg = chart(&[(0.0, 0.0), (5.0, 8.0), (10.0, 2.0)]).to_svg().unwrap();
        // The one before it is the sample in the legend.
        let line = svg.lines().rfind(|line| line.contains("stroke-width=\"5\" points")).unwrap();
        let points = line.split("points=\"").nth(1).unwrap().trim_end_matches("\"/>");
        let y = |point: &str| point.split_once(',').unwrap().1.parse().unwrap();
        let ys: Vec<i32> = points.split_whitespace().map(y).collect();
        assert!(ys.len() == 3 && ys[0] > ys[2] && ys[2] > ys[1], "y points up: {ys:?}");
        assert!(ys.iter().all(|y| (112..=708).contains(y)), "{ys:?}");
    }

    #[test]
    fn categories_name_the_axis() {
        let names = ["1e-2", "1e-1", "1e0"].map(str::to_owned);
        let chart = chart(&[(0.0, 1.0), (1.0, 2.0), (2.0, 0.0)]);
        let svg = LineChart { categories: Some(names.to_vec()), ..chart }.to_svg().unwrap();
        for name in names {
            assert_eq!(svg.lines().filter(|line| *line == name).count(), 1, "{name} in {svg}");
        }
    }

    #[test]
    fn an_axis_starts_where_it_is_told_unless_a_point_is_lower() {
        for (y_from, expected) in [(0.0, 0.0), (60.0, 60.0), (80.0, 64.0)] {
            let chart = LineChart { y_from, ..chart(&[(0.0, 64.0), (1.0, 90.0)]) };
            assert_eq!(chart.ranges().1.start, expected);
        }
    }

    fn logarithmic(points: &[(f64, f64)]) -> String {
        LineChart { log_y: true, ..chart(points) }.to_svg().unwrap()
    }

    #[test]
    fn a_logarithmic_axis_spaces_equal_ratios_equally() {
        let svg = logarithmic(&[(0.0, 0.04), (10.0, 3.0)]);
        let lines: Vec<_> = svg.lines().collect();
        let heights: [i32; 4] = ["1", "0.5", "0.1", "0.05"].map(|label| {
            let at = lines.iter().position(|line| *line == label).expect("the label is there");
            let y = lines[at - 1].split(" y=\"").nth(1).unwrap();
            y.split('"').next().unwrap().parse().unwrap()
        });
        assert!((heights[0] - heights[1] - (heights[2] - heights[3])).abs() <= 1, "{heights:?}");
        // A decade is log 10 / log 2 times as high as a factor of 2.
        let ratio = f64::from(heights[2] - heights[0]) / f64::from(heights[1] - heights[0]);
        assert!((ratio - 10.0_f64.log2()).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn a_point_at_zero_makes_the_axis_linear() {
        let points = [(0.0, 0.0), (10.0, 3.0)];
        assert_eq!(logarithmic(&points), chart(&points).to_svg().unwrap());
    }

    #[test]
    fn flat_and_single_points_can_be_drawn_nothing_and_others_are_refused() {
        assert!(chart(&[(3.0, 0.0)]).to_svg().is_ok());
        assert!(chart(&[(0.0, 2.0), (1.0, 2.0)]).to_svg().is_ok());
        logarithmic(&[(0.0, 2.0), (1.0, 2.0)]);
        for (points, reason) in [(&[][..], "no point"), (&[(0.0, f64::NAN)], "not finite")] {
            let error = chart(points).to_svg().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
