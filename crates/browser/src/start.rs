//! A browser and its tabs.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::connection::Connection;
use crate::error::{BrowserError, shortened};
use crate::find::find;
use crate::page::Page;
use crate::process::{Address, Process};

/// How a browser is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program; if absent, [`find`] looks for one.
    pub program: Option<PathBuf>,
    /// How long the start and each command may take.
    pub limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { program: None, limit: Duration::from_secs(60) }
    }
}

/// A running browser. It ends, and its profile is removed, when this is dropped.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: the connection is closed before the process is waited for.
    connection: RefCell<Connection>,
    process: Process,
    port: u16,
    limit: Duration,
    version: String,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    /// If there is none, or it does not start or answer.
    pub fn start(settings: &Settings) -> Result<Self, BrowserError> {
        let program = find(settings.program.as_deref())?;
        let limit = settings.limit;
        let (process, address) = Process::start(&program, limit)?;
        let mut connection = Connection::open(&address, limit)?;
        let answer = connection.command("Browser.getVersion", &json!({}), limit, |_| {})?;
        let version = text(&answer, "Browser.getVersion", "product")?;
        let connection = RefCell::new(connection);
        Ok(Self { connection, process, port: address.port, limit, version })
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
        let method = "Target.createBrowserContext";
        let context = text(&self.command(method, &json!({}))?, method, "browserContextId")?;
        let method = "Target.createTarget";
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = text(&self.command(method, &target)?, method, "targetId")?;
        let address = Address { port: self.port, path: format!("/devtools/page/{target}") };
        Page::attach(&address, self.limit)
    }

    fn command(&self, method: &str, params: &Value) -> Result<Value, BrowserError> {
        self.connection.borrow_mut().command(method, params, self.limit, |_| {})
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The process kills whatever does not follow.
        let _ = self.connection.borrow_mut().send("Browser.close", &json!({}));
    }
}

/// A field of an answer.
pub(crate) fn text(
    answer: &Value,
    method: &str,
    field: &'static str,
) -> Result<String, BrowserError> {
    answer[field].as_str().map(str::to_owned).ok_or_else(|| BrowserError::Answer {
        method: method.to_owned(),
        expected: field,
        got: shortened(&answer.to_string()),
    })
}
