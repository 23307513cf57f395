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
    title: String,
    x_label: String,
    y_label: String,
    categories: Option<Vec<String>>,
    log_y: bool,
    series: Vec<Series>,
}

/// A line through points.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name in the legend; the empty one is left out.
    label: String,
    colour: Colour,
    weight: Weight,
    markers: bool,
    points: Vec<(f64, f64)>,
}

/// The prominence of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Thin and half transparent: one of many, or noise.
    Thin,
    /// For the reader to look at.
    Thick,
}

impl Series {
    /// A thick line through points in the order of their x.
    #[must_use]
    pub fn new(label: impl Into<String>, colour: Colour, points: Vec<(f64, f64)>) -> Self {
        Self { label: label.into(), colour, weight: Weight::Thick, markers: false, points }
    }

    /// The same line with this weight.
    #[must_use]
    pub fn weight(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    /// The same line with a dot at each point.
    #[must_use]
    pub fn markers(mut self) -> Self {
        self.markers = true;
        self
    }
}

impl LineChart {
    /// A chart without series.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        x_label: impl Into<String>,
        y_label: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            x_label: x_label.into(),
            y_label: y_label.into(),
            categories: None,
            log_y: false,
            series: Vec::new(),
        }
    }

    /// The chart with names for x = 0, 1, 2, ... in place of the numbers.
    #[must_use]
    pub fn categories(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.categories = Some(names.into_iter().collect());
        self
    }

    /// The chart with a logarithmic y axis, if every y is above 0.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// The chart with one more series, drawn above the others.
    #[must_use]
    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// The chart as an SVG document.
    ///
    /// The y axis starts at 0, or at the lowest point if that is negative or the axis logarithmic.
    ///
    /// # Errors
    /// [`ExperimentError::Plot`] if there is no point, or one is not finite.
    pub fn to_svg(&self) -> Result<String, ExperimentError> {
        let failed =
            |reason: String| ExperimentError::Plot { what: format!("{:?}", self.title), reason };
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

    fn chart(points: Vec<(f64, f64)>) -> LineChart {
        LineChart::new("A & B", "x", "y").with(Series::new("one", SERIES[0], points))
    }

    #[test]
    fn a_chart_has_no_colour_but_those_of_the_palette() {
        let thin = Series::new("two", SERIES[3], vec![(0.0, 0.5), (9.0, 2.0)]);
        let svg = chart(vec![(0.0, 1.0), (10.0, 3.0)])
            .with(thin.weight(Weight::Thin).markers())
            .to_svg()
            .unwrap();
        let known: Vec<_> = palette::all().map(|colour| colour.hex()).collect();
        let used: Vec<_> = svg.match_indices('#').map(|(at, _)| &svg[at..at + 7]).collect();
        assert!(used.iter().all(|colour| known.iter().any(|known| known == colour)), "{used:?}");
        for colour in [SERIES[0], SERIES[3], palette::TEXT, palette::GRID] {
            assert!(used.contains(&colour.hex().as_str()), "{colour:?}");
        }
    }

    #[test]
    fn a_chart_says_what_it_shows() {
        let svg = chart(vec![(0.0, 1.0), (10.0, 3.0)]).to_svg().unwrap();
        let head = "<svg width=\"720\" height=\"400\" role=\"img\" viewBox=\"0 0 1440 800\"";
        assert!(svg.starts_with(head), "{}", &svg[..200]);
        assert!(svg.contains("<title>A &amp; B</title>\n<desc>y by x; lines: one</desc>"));
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn the_largest_and_smallest_points_are_within_the_plot() {
        let svg = chart(vec![(0.0, 0.0), (5.0, 8.0), (10.0, 2.0)]).to_svg().unwrap();
        // The one before it is the sample in the legend.
        let line = svg.lines().rfind(|line| line.contains("stroke-width=\"5\" points")).unwrap();
        let points = line.split("points=\"").nth(1).unwrap().trim_end_matches("\"/>");
        let ys: Vec<i32> = points
            .split_whitespace()
            .map(|p| p.split(',').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(ys.len(), 3);
        assert!(ys[0] > ys[2] && ys[2] > ys[1], "y points up: {ys:?}");
        assert!(ys.iter().all(|y| (112..=708).contains(y)), "{ys:?}");
    }

    #[test]
    fn categories_name_the_axis() {
        let chart = chart(vec![(0.0, 1.0), (1.0, 2.0), (2.0, 0.0)]);
        let names = ["1e-2", "1e-1", "1e0"].map(str::to_owned);
        let svg = chart.categories(names.clone()).to_svg().unwrap();
        for name in names {
            assert_eq!(svg.lines().filter(|line| *line == name).count(), 1, "{name} in {svg}");
        }
    }

    /// The y of the labels of an axis, by label.
    fn label_heights(svg: &str, labels: &[&str]) -> Vec<i32> {
        let lines: Vec<_> = svg.lines().collect();
        let height = |label: &&str| {
            let at = lines.iter().position(|line| line == label).expect("the label is there");
            let y = lines[at - 1].split(" y=\"").nth(1).unwrap();
            y.split('"').next().unwrap().parse().unwrap()
        };
        labels.iter().map(height).collect()
    }

    #[test]
    fn a_logarithmic_axis_spaces_equal_ratios_equally() {
        let svg = chart(vec![(0.0, 0.04), (10.0, 3.0)]).log_y().to_svg().unwrap();
        let heights = label_heights(&svg, &["1", "0.5", "0.1", "0.05"]);
        assert!((heights[0] - heights[1] - (heights[2] - heights[3])).abs() <= 1, "{heights:?}");
        // A decade is log 10 / log 2 times as high as a factor of 2.
        let ratio = f64::from(heights[2] - heights[0]) / f64::from(heights[1] - heights[0]);
        assert!((ratio - 10.0_f64.log2()).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn a_point_at_zero_makes_the_axis_linear() {
        let points = vec![(0.0, 0.0), (10.0, 3.0)];
        let linear = chart(points.clone()).to_svg().unwrap();
        assert_eq!(chart(points).log_y().to_svg().unwrap(), linear);
    }

    #[test]
    fn flat_and_single_points_can_be_drawn() {
        assert!(chart(vec![(3.0, 0.0)]).to_svg().is_ok());
        assert!(chart(vec![(0.0, 2.0), (1.0, 2.0)]).to_svg().is_ok());
        assert!(chart(vec![(0.0, 2.0), (1.0, 2.0)]).log_y().to_svg().is_ok());
    }

    #[test]
    fn nothing_and_points_that_are_not_finite_are_refused() {
        for (points, reason) in [(vec![], "no point"), (vec![(0.0, f64::NAN)], "not finite")] {
            let error = chart(points).to_svg().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
