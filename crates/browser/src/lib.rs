//! A headless Chromium, driven over its DevTools protocol.
//!
//! ```no_run
//! # fn main() -> Result<(), browser::BrowserError> {
//! let browser = browser::Browser::start(&browser::Settings::default())?;
//! let mut page = browser.page()?;
//! page.open("file:///tmp/page.html")?;
//! assert_eq!(page.evaluate("document.title")?, "A page");
//! assert!(page.log().errors().next().is_none());
//! # Ok(())
//! # }
//! ```
//!
//! The program is the one that [`Settings::program`] names, or the variable [`VARIABLE`], or one that
//! is installed ([`find`]). It runs with a profile of its own in a temporary folder, resolves no host
//! name, and ends with the [`Browser`]. Each [`Page`] is a tab with storage of its own; whatever it
//! logs and requests is in its [`Log`]. Nothing waits without a limit.
//!
//! Tests that need a browser begin with [`for_tests`].

mod connection;
mod device;
mod error;
mod find;
mod for_tests;
mod input;
mod log;
mod page;
mod print;
mod process;
mod start;

pub use device::{ColorScheme, Media, Viewport};
pub use error::BrowserError;
pub use find::{VARIABLE, find};
pub use for_tests::{REQUIRE_VARIABLE, for_tests};
pub use log::{Entry, Level, Log, Request};
pub use page::{Page, file_url};
pub use print::PrintSettings;
pub use start::{Browser, Settings};
