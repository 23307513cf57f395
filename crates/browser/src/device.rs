//! The device that a page is shown on.

use serde_json::json;

use crate::error::BrowserError;
use crate::page::Page;

/// The size of a page's window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// A phone: touch, two device pixels for each CSS pixel, and the page's own viewport
    /// is heeded.
    pub mobile: bool,
}

/// Medium of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A screen.
    Screen,
    /// Paper.
    Print,
}

/// Preference of the reader's system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorScheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Page {
    /// Sets the size of the window.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub fn set_viewport(&mut self, viewport: Viewport) -> Result<(), BrowserError> {
        let Viewport { width, height, mobile } = viewport;
        let scale = if mobile { 2 } else { 1 };
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile,
        });
        self.command("Emulation.setDeviceMetricsOverride", &metrics)?;
        let touch = json!({ "enabled": mobile });
        self.command("Emulation.setTouchEmulationEnabled", &touch).map(drop)
    }

    /// Says what the page is shown on, and what the system prefers.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub fn emulate(&mut self, media: Media, scheme: ColorScheme) -> Result<(), BrowserError> {
        let media = if media == Media::Print { "print" } else { "screen" };
        let scheme = if scheme == ColorScheme::Dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            // Whatever moves would be caught half-way.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        let params = json!({ "media": media, "features": features });
        self.command("Emulation.setEmulatedMedia", &params).map(drop)
    }

    /// Lets scripts of pages run or not, from the next page on. [`Page::evaluate`] works either way.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub fn set_scripts(&mut self, enabled: bool) -> Result<(), BrowserError> {
        let params = json!({ "value": !enabled });
        self.command("Emulation.setScriptExecutionDisabled", &params).map(drop)
    }
}
