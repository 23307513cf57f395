//! A headless Chromium, driven over its DevTools protocol.
//!
//! ```no_run
//! # fn main() -> Result<(), browser::BrowserError> {
//! let browser = browser::Browser::start(None)?;
//! let mut page = browser.page()?;
//! page.open("file:///tmp/page.html")?;
//! assert_eq!(page.evaluate("document.title")?, "A page");
//! assert!(page.take_log().errors().next().is_none());
//! # Ok(())
//! # }
//! ```
//!
//! The program is the one that is named, or the variable [`VARIABLE`], or one that is installed. It runs
//! with a profile of its own in a temporary folder, resolves no host name, and ends with the [`Browser`].
//! Each [`Page`] is a tab with storage of its own; whatever it logs and requests is in its [`Log`].
//! Nothing waits without a limit.
//!
//! Tests that need a browser begin with [`for_tests`].

mod connection;
mod device;
mod error;
mod find;
mod input;
mod log;
mod page;
mod process;
mod start;

pub use device::{ColorScheme, Media, Viewport};
pub use error::BrowserError;
pub use find::VARIABLE;
pub use log::{Entry, Log, Request};
pub use page::{Page, file_url};
pub use start::{Browser, REQUIRE_VARIABLE, for_tests};
