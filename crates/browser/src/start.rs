//! A browser and its tabs.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::json;

use crate::connection::Connection;
use crate::error::BrowserError;
use crate::find::find;
use crate::page::Page;
use crate::process::Process;

/// Limit for the start and for each command, unless a page is given another.
const LIMIT: Duration = Duration::from_secs(180);

/// A running browser. It ends, and its profile is removed, when this is dropped.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: the connection is closed before the process is waited for.
    connection: Mutex<Connection>,
    process: Process,
    port: u16,
    /// Its name and version, such as `Chrome/156.0.8078.79`.
    pub version: String,
}

impl Browser {
    /// Starts a browser: the named program, or one that is found.
    pub fn start(program: Option<&Path>) -> Result<Self, BrowserError> {
        let (process, port, path) = Process::start(&find(program)?, LIMIT)?;
        let mut connection = Connection::open(port, &path, LIMIT)?;
        let version = connection.ask("Browser.getVersion", &json!({}), "product")?;
        Ok(Self { connection: Mutex::new(connection), process, port, version })
    }

    /// The folder of its profile, which is removed with it.
    pub fn profile(&self) -> &Path {
        &self.process.profile
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new, empty tab, with storage that it shares with no other.
    pub fn page(&self) -> Result<Page, BrowserError> {
        let mut connection = self.connection();
        let context =
            connection.ask("Target.createBrowserContext", &json!({}), "browserContextId")?;
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = connection.ask("Target.createTarget", &target, "targetId")?;
        Page::attach(self.port, &format!("/devtools/page/{target}"), LIMIT)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The process kills whatever does not follow.
        let _ = self.connection().send("Browser.close", &json!({}));
    }
}

/// A browser for the test of that name, which tests that run side by side share. Where none is installed, this says on standard error that
/// the test was skipped, and the test is over:
///
/// ```no_run
/// let Some(browser) = browser::for_tests("a page opens").unwrap() else { return };
/// ```
///
/// # Errors
/// If there is one that does not start; and if there is none although the variable
/// `REQUIRE_BROWSER` is set.
pub fn for_tests(test: &str) -> Result<Option<Arc<Browser>>, BrowserError> {
    static SHARED: Mutex<Weak<Browser>> = Mutex::new(Weak::new());
    let is_required = env::var_os("REQUIRE_BROWSER").is_some_and(|value| !value.is_empty());
    match find(None) {
        Err(error) if !is_required => {
            // Not eprintln!, which is hidden for a test that passes; in one piece, since tests run side
            // by side.
            let line = format!("\nSKIPPED: {test}: {error}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            Ok(None)
        }
        program => {
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            let browser = match shared.upgrade() {
                Some(browser) => browser,
                None => Arc::new(Browser::start(Some(&program?))?),
            };
            *shared = Arc::downgrade(&browser);
            Ok(Some(browser))
        }
    }
}
