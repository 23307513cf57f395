//! The ways in which a page is looked at.

use std::fmt;

use anyhow::Result;
use browser::{Device, Page};

/// A way to look at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Dark is the preference of the system, which mdBook follows until the reader chooses a theme.
    pub dark: bool,
    /// The width of the window in CSS pixels.
    pub width: u32,
    /// The pages' scripts run.
    pub scripts: bool,
}

/// A phone, held upright.
const PHONE_WIDTH: u32 = 390;

/// At a desk, in light.
pub(super) const DESK: View = View { dark: false, width: 1280, scripts: true };
/// On a phone, in light.
pub(super) const PHONE: View = View { width: PHONE_WIDTH, ..DESK };

/// The ways in which each page is looked at.
pub const VIEWS: [View; 6] = [
    DESK,
    PHONE,
    View { dark: true, ..DESK },
    View { dark: true, ..PHONE },
    View { scripts: false, ..DESK },
    View { dark: true, scripts: false, ..DESK },
];

impl View {
    /// mdBook's theme for this.
    pub(super) fn theme(self) -> &'static str {
        if self.dark { "navy" } else { "light" }
    }

    /// Makes a tab show pages in this way, from the next one on.
    pub(super) fn apply(self, tab: &mut Page) -> Result<()> {
        let Self { dark, width, scripts } = self;
        let mobile = width == PHONE_WIDTH;
        let height = if mobile { 844 } else { 900 };
        Ok(tab.show_on(Device { width, height, mobile, paper: false, dark, scripts })?)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scripts = if self.scripts { "" } else { ", no scripts" };
        write!(f, "{}, {} px{scripts}", self.theme(), self.width)
    }
}
