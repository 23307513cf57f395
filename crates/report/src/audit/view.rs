//! The ways in which a page is looked at.

use std::fmt;

use anyhow::Result;
use browser::{ColorScheme, Media, Page, Viewport};

/// A way to look at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Preference of the system, which mdBook follows until the reader chooses a theme.
    pub scheme: ColorScheme,
    /// The width of the window in CSS pixels.
    pub width: u32,
    /// The pages' scripts run.
    pub scripts: bool,
}

/// A desk.
pub(super) const DESK: u32 = 1280;
/// A phone, held upright.
pub(super) const PHONE: u32 = 390;

/// The ways in which each page is looked at.
pub const VIEWS: [View; 6] = [
    View { scheme: ColorScheme::Light, width: DESK, scripts: true },
    View { scheme: ColorScheme::Light, width: PHONE, scripts: true },
    View { scheme: ColorScheme::Dark, width: DESK, scripts: true },
    View { scheme: ColorScheme::Dark, width: PHONE, scripts: true },
    View { scheme: ColorScheme::Light, width: DESK, scripts: false },
    View { scheme: ColorScheme::Dark, width: DESK, scripts: false },
];

impl View {
    /// mdBook's theme for this.
    fn theme(self) -> &'static str {
        match self.scheme {
            ColorScheme::Light => "light",
            ColorScheme::Dark => "navy",
        }
    }

    /// Makes a tab show pages in this way, from the next one on.
    pub(super) fn apply(self, tab: &mut Page) -> Result<()> {
        let mobile = self.width == PHONE;
        let height = if mobile { 844 } else { 900 };
        tab.set_viewport(Viewport { width: self.width, height, mobile })?;
        tab.emulate(Media::Screen, self.scheme)?;
        Ok(tab.set_scripts(self.scripts)?)
    }

    /// The problem, if the page is not shown in the theme that is looked for: then all else that is
    /// said of it would be of another.
    pub(super) fn theme_problem(self, tab: &mut Page) -> Result<Option<String>> {
        // Only pages of mdBook's frame have themes, and without scripts they have none either.
        let framed = "Boolean(document.querySelector('#mdbook-menu-bar'))";
        if !self.scripts || tab.evaluate(framed)? != true {
            return Ok(None);
        }
        let classes = tab.evaluate("document.documentElement.className")?;
        let classes = classes.as_str().unwrap_or_default();
        let theme = self.theme();
        let shown = classes.split(' ').any(|class| class == theme);
        Ok((!shown).then(|| format!("expected the theme {theme}, but <html> has `{classes}`")))
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} px", self.theme(), self.width)?;
        if self.scripts { Ok(()) } else { f.write_str(", no scripts") }
    }
}
