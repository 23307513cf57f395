//! The colours of every plot, and the CSS variables that stand for them.
//!
//! A plot contains these colours and no other, written as `#RRGGBB` in capital letters, on a
//! transparent background. A renderer that knows the reader's theme replaces [`Colour::hex`] by
//! `var(--…)`; a viewer that does not still shows a legible plot. The series are those of Okabe and
//! Ito (2008), which people with colour-blindness can tell apart, without their yellow, which is
//! too light on paper.

use plotters::style::RGBColor;

/// A colour of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// The CSS variable that stands for it.
    pub css_variable: &'static str,
    /// Red, green, blue.
    pub rgb: (u8, u8, u8),
}

impl Colour {
    /// The colour as it stands in a plot: `#RRGGBB`.
    pub fn hex(&self) -> String {
        let (r, g, b) = self.rgb;
        format!("#{r:02X}{g:02X}{b:02X}")
    }

    pub(crate) fn plotters(self) -> RGBColor {
        let (r, g, b) = self.rgb;
        RGBColor(r, g, b)
    }
}

/// Titles, labels and axes.
pub const TEXT: Colour = Colour { css_variable: "--plot-text", rgb: (0x6B, 0x6B, 0x6B) };

/// The lines of the grid.
pub const GRID: Colour = Colour { css_variable: "--plot-grid", rgb: (0xC4, 0xC4, 0xC4) };

/// The series in the order in which plots use them.
pub const SERIES: [Colour; 6] = [
    Colour { css_variable: "--plot-series-1", rgb: (0x00, 0x72, 0xB2) },
    Colour { css_variable: "--plot-series-2", rgb: (0xD5, 0x5E, 0x00) },
    Colour { css_variable: "--plot-series-3", rgb: (0x00, 0x9E, 0x73) },
    Colour { css_variable: "--plot-series-4", rgb: (0xCC, 0x79, 0xA7) },
    Colour { css_variable: "--plot-series-5", rgb: (0xE6, 0x9F, 0x00) },
    Colour { css_variable: "--plot-series-6", rgb: (0x56, 0xB4, 0xE9) },
];

/// Every colour that a plot may contain.
pub fn all() -> impl Iterator<Item = Colour> {
    SERIES.into_iter().chain([TEXT, GRID])
}
