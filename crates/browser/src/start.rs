//! A browser and its tabs.

use std::cell::RefCell;
use std::env;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::connection::Connection;
use crate::error::BrowserError;
use crate::find::find;
use crate::page::Page;
use crate::process::{Address, Process};

/// Limit for the start and for each command, unless a page is given another.
const LIMIT: Duration = Duration::from_secs(60);

/// The variable with which a missing browser fails the tests that need one, if it is not empty.
pub const REQUIRE_VARIABLE: &str = "REQUIRE_BROWSER";

/// A running browser. It ends, and its profile is removed, when this is dropped.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: the connection is closed before the process is waited for.
    connection: RefCell<Connection>,
    process: Process,
    port: u16,
    version: String,
}

impl Browser {
    /// Starts a browser: the named program, or one that is found.
    ///
    /// # Errors
    /// If there is none, or it does not start or answer.
    pub fn start(program: Option<&Path>) -> Result<Self, BrowserError> {
        let (process, address) = Process::start(&find(program)?, LIMIT)?;
        let mut connection = Connection::open(&address, LIMIT)?;
        let version = connection.ask("Browser.getVersion", &json!({}), "product")?;
        Ok(Self { connection: RefCell::new(connection), process, port: address.port, version })
    }

    /// Its name and version, such as `Chrome/156.0.8078.79`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The folder of its profile, which is removed with it.
    #[must_use]
    pub fn profile(&self) -> &Path {
        self.process.profile()
    }

    /// A new, empty tab, with storage that it shares with no other.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub fn page(&self) -> Result<Page, BrowserError> {
        let mut connection = self.connection.borrow_mut();
        let context =
            connection.ask("Target.createBrowserContext", &json!({}), "browserContextId")?;
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = connection.ask("Target.createTarget", &target, "targetId")?;
        let address = Address { port: self.port, path: format!("/devtools/page/{target}") };
        Page::attach(&address, LIMIT)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The process kills whatever does not follow.
        let _ = self.connection.borrow_mut().send("Browser.close", &json!({}));
    }
}

/// A browser for the test of that name. Where none is installed, this says on standard error that
/// the test was skipped, and the test is over:
///
/// ```no_run
/// let Some(browser) = browser::for_tests("a page opens").unwrap() else { return };
/// ```
///
/// # Errors
/// If there is one that does not start; and if there is none although [`REQUIRE_VARIABLE`] is set.
pub fn for_tests(test: &str) -> Result<Option<Browser>, BrowserError> {
    let is_required = env::var_os(REQUIRE_VARIABLE).is_some_and(|value| !value.is_empty());
    match Browser::start(None) {
        Err(error @ BrowserError::NotFound(_)) if !is_required => {
            // Not eprintln!, which is hidden for a test that passes; in one piece, since tests run side
            // by side.
            let line = format!("\nSKIPPED: {test}: {error}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            Ok(None)
        }
        started => started.map(Some),
    }
}
