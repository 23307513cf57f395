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
    /// Device pixels for each CSS pixel.
    pub scale: f64,
    /// Whether it is a phone: touch, and the page's own viewport is heeded.
    pub mobile: bool,
}

impl Viewport {
    /// A window on a desk.
    #[must_use]
    pub fn desktop(width: u32, height: u32) -> Self {
        Self { width, height, scale: 1.0, mobile: false }
    }

    /// A phone held upright.
    #[must_use]
    pub fn phone(width: u32, height: u32) -> Self {
        Self { width, height, scale: 2.0, mobile: true }
    }
}

/// What a page is shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A screen.
    Screen,
    /// Paper.
    Print,
}

/// What the system prefers.
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
        let Viewport { width, height, scale, mobile } = viewport;
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
        let media = match media {
            Media::Screen => "screen",
            Media::Print => "print",
        };
        let scheme = match scheme {
            ColorScheme::Light => "light",
            ColorScheme::Dark => "dark",
        };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            // Whatever moves would be caught half-way.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        let params = json!({ "media": media, "features": features });
        self.command("Emulation.setEmulatedMedia", &params).map(drop)
    }

    /// Whether scripts of pages run, from the next page on. [`Page::evaluate`] works either way.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub fn set_scripts(&mut self, enabled: bool) -> Result<(), BrowserError> {
        let params = json!({ "value": !enabled });
        self.command("Emulation.setScriptExecutionDisabled", &params).map(drop)
    }
}
