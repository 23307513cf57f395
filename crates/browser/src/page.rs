//! A tab of the browser.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::connection::{Connection, Event};
use crate::error::{BrowserError, shortened};
use crate::log::{Log, exception};
use crate::process::Address;
use crate::start::text;

/// A tab. It is closed when this is dropped.
#[derive(Debug)]
pub struct Page {
    connection: Connection,
    limit: Duration,
    log: Log,
    /// Events that the log does not hold, for whoever waits for one.
    events: Vec<Event>,
}

impl Page {
    pub(crate) fn attach(address: &Address, limit: Duration) -> Result<Self, BrowserError> {
        let connection = Connection::open(address, limit)?;
        let mut page = Self { connection, limit, log: Log::default(), events: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network", "Inspector"] {
            page.command(&format!("{domain}.enable"), &json!({}))?;
        }
        page.command("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }))?;
        Ok(page)
    }

    /// Opens an address and waits until the page, its style sheets and its images are loaded.
    ///
    /// # Errors
    /// If the page does not exist or is not loaded within the limit.
    pub fn open(&mut self, url: &str) -> Result<(), BrowserError> {
        let answer = self.command("Page.navigate", &json!({ "url": url }))?;
        if let Some(reason) = answer["errorText"].as_str() {
            return Err(BrowserError::Open { url: url.to_owned(), reason: reason.to_owned() });
        }
        // An address within the page that is open loads nothing.
        let Some(loader) = answer["loaderId"].as_str().map(str::to_owned) else { return Ok(()) };
        let is_loaded = |event: &Event| {
            event.method == "Page.lifecycleEvent"
                && event.params["name"] == "load"
                && event.params["loaderId"] == loader.as_str()
        };
        self.wait_for_event(&format!("loading {url}"), is_loaded)
    }

    /// The value of a JavaScript expression. A promise is waited for; `undefined` is `null`.
    ///
    /// # Errors
    /// If it throws an exception, or its promise is not fulfilled within the limit.
    pub fn evaluate(&mut self, script: &str) -> Result<Value, BrowserError> {
        let params = json!({
            "expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        let mut answer = self.command("Runtime.evaluate", &params)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].take()),
            details => {
                Err(BrowserError::Script { script: shortened(script), message: exception(details) })
            }
        }
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    /// If it throws an exception, or does not become true within the limit.
    pub fn wait_until(&mut self, script: &str) -> Result<(), BrowserError> {
        let deadline = Instant::now() + self.limit;
        while self.evaluate(&format!("Boolean({script})"))? != Value::Bool(true) {
            if Instant::now() >= deadline {
                let operation = format!("waiting until `{}`", shortened(script));
                return Err(BrowserError::Timeout { operation, limit: self.limit });
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// A picture of the window, or of the whole page, as PNG.
    ///
    /// # Errors
    /// If the browser does not make it.
    pub fn screenshot(&mut self, whole_page: bool) -> Result<Vec<u8>, BrowserError> {
        let method = "Page.captureScreenshot";
        let params = json!({ "format": "png", "captureBeyondViewport": whole_page });
        let answer = self.command(method, &params)?;
        decoded(&text(&answer, method, "data")?, method)
    }

    /// What the page and those before it in this tab have logged and requested so far.
    pub fn log(&mut self) -> &Log {
        self.catch_up();
        &self.log
    }

    /// The same, which the tab then forgets.
    pub fn take_log(&mut self) -> Log {
        self.catch_up();
        std::mem::take(&mut self.log)
    }

    /// How long each command may take from now on.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// A command of the DevTools protocol, for what this crate has no function for.
    ///
    /// # Errors
    /// If the browser refuses it or does not answer within the limit.
    pub fn command(&mut self, method: &str, params: &Value) -> Result<Value, BrowserError> {
        let mut events = Vec::new();
        let answer = self.connection.command(method, params, self.limit, |e| events.push(e));
        let crashed = events.iter().any(|event| event.method == "Inspector.targetCrashed");
        events.into_iter().for_each(|event| self.note(event));
        if crashed {
            return Err(Self::crash(method));
        }
        answer
    }

    /// Waits for an event, one that has come already included.
    fn wait_for_event(
        &mut self,
        operation: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<(), BrowserError> {
        let deadline = Instant::now() + self.limit;
        let mut events = std::mem::take(&mut self.events).into_iter();
        loop {
            let next = match events.next() {
                Some(event) => Some(event),
                None => self.connection.event(operation, deadline)?.inspect(|event| {
                    self.log.note(event);
                }),
            };
            let Some(event) = next else {
                let operation = operation.to_owned();
                return Err(BrowserError::Timeout { operation, limit: self.limit });
            };
            if event.method == "Inspector.targetCrashed" {
                return Err(Self::crash(operation));
            }
            self.close_dialog(&event)?;
            if wanted(&event) {
                return Ok(());
            }
        }
    }

    fn note(&mut self, event: Event) {
        self.log.note(&event);
        if event.method == "Page.lifecycleEvent" {
            self.events.push(event);
        } else {
            // The next command reports it, if the connection is gone.
            let _ = self.close_dialog(&event);
        }
    }

    /// A dialog would block the page for ever.
    fn close_dialog(&mut self, event: &Event) -> Result<(), BrowserError> {
        if event.method == "Page.javascriptDialogOpening" {
            let params = json!({ "accept": true });
            self.connection.send("Page.handleJavaScriptDialog", &params)?;
        }
        Ok(())
    }

    /// Lets the events arrive that the browser has sent by now: they precede its next answer.
    fn catch_up(&mut self) {
        let _ = self.command("Runtime.evaluate", &json!({ "expression": "0" }));
    }

    fn crash(operation: &str) -> BrowserError {
        let reason = "the page crashed, as it does without enough memory".to_owned();
        BrowserError::Disconnected { operation: operation.to_owned(), reason }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A browser that is gone has closed it.
        let _ = self.connection.send("Page.close", &json!({}));
    }
}

/// The `file:` address of a path, which becomes absolute.
///
/// # Errors
/// If the working folder is unknown.
pub fn file_url(path: &Path) -> Result<String, BrowserError> {
    let absolute = std::path::absolute(path).map_err(|cause| BrowserError::File {
        operation: "find",
        path: path.to_owned(),
        cause,
    })?;
    let text = absolute.to_string_lossy().replace('\\', "/");
    let mut url = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b':' => {
                url.push(char::from(byte));
            }
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(url)
}

/// Decodes base64.
pub(crate) fn decoded(data: &str, method: &str) -> Result<Vec<u8>, BrowserError> {
    STANDARD.decode(data).map_err(|_| BrowserError::Answer {
        method: method.to_owned(),
        expected: "base64",
        got: shortened(data),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_path_becomes_an_address() {
        let url = file_url(Path::new("/a b/ü#1?.html")).unwrap();
        assert_eq!(url, "file:///a%20b/%C3%BC%231%3F.html");
        assert!(file_url(Path::new("x.html")).unwrap().ends_with("/x.html"));
    }
}
