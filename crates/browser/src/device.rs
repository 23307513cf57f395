//! The device that a page is shown on.

use serde_json::json;

use crate::error::BrowserError;
use crate::page::Page;

/// A device and what the reader's system prefers. Whatever moves is held still, since it would be
/// caught half-way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Device {
    /// The width of the window in CSS pixels.
    pub width: u32,
    /// The height of the window in CSS pixels.
    pub height: u32,
    /// A phone: touch, two device pixels for each CSS pixel, and the page's own viewport is heeded.
    pub mobile: bool,
    /// Paper, not a screen.
    pub paper: bool,
    /// Light on dark is preferred.
    pub dark: bool,
    /// Scripts of pages run, from the next page on; [`Page::evaluate`] works either way.
    pub scripts: bool,
}

impl Device {
    /// A window on a desk, in light.
    pub const DESK: Self =
        Self { width: 1280, height: 900, mobile: false, paper: false, dark: false, scripts: true };
}

impl Page {
    /// Shows the page on a device.
    pub fn show_on(&mut self, device: Device) -> Result<(), BrowserError> {
        let Device { width, height, mobile, paper, dark, scripts } = device;
        let scale = if mobile { 2 } else { 1 };
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile,
        });
        self.0.command("Emulation.setDeviceMetricsOverride", &metrics)?;
        self.0.command("Emulation.setTouchEmulationEnabled", &json!({ "enabled": mobile }))?;
        let features = json!([
            { "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        let media = if paper { "print" } else { "screen" };
        let media = json!({ "media": media, "features": features });
        self.0.command("Emulation.setEmulatedMedia", &media)?;
        let disabled = json!({ "value": !scripts });
        self.0.command("Emulation.setScriptExecutionDisabled", &disabled).map(drop)
    }
}
