//! Line charts as SVG.

use crate::palette::Colour;

/// A chart of one or more series of points.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) categories: Option<Vec<String>>,
    pub(crate) log_y: bool,
    pub(crate) series: Vec<Series>,
}

/// A line through points.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name in the legend; the empty one is left out.
    pub(crate) label: String,
    pub(crate) colour: Colour,
    pub(crate) weight: Weight,
    pub(crate) markers: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

/// How much a line stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Thin and half transparent: one of many, or noise.
    Thin,
    /// What the reader is to look at.
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
