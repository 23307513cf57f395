//! A headless Chromium, driven over its DevTools protocol.
//!
//! ```no_run
//! # fn main() -> Result<(), browser::BrowserError> {
//! let browser = browser::Browser::start(None)?;
//! let mut page = browser.page()?;
//! page.open("file:///tmp/page.html")?;
//! assert_eq!(page.evaluate("document.title")?, "A page");
//! assert!(page.take_log().errors.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! The program is the one that is named, or that of the variable `CHROMIUM`, or one that is installed. It runs
//! with a profile of its own in a temporary folder, resolves no host name, and ends with the [`Browser`].
//! Each [`Page`] is a tab with storage of its own; its errors and requests are in its [`Log`].
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

pub use device::Device;
pub use error::BrowserError;
pub use log::{Log, Request};
pub use page::{Page, file_url};
pub use start::{Browser, for_tests};
