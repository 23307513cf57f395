//! A tab of the browser.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::connection::{Connection, late};
use crate::error::{BrowserError, shortened};
use crate::log::{Log, exception};
use crate::process::poll;

/// Bytes of a PDF that are asked for at a time.
const PIECE: usize = 1 << 20;

/// A tab. It is closed when this is dropped.
#[derive(Debug)]
pub struct Page(pub(crate) Connection);

impl Page {
    pub(crate) fn attach(port: u16, path: &str, limit: Duration) -> Result<Self, BrowserError> {
        let mut page = Self(Connection::open(port, path, limit)?);
        for domain in ["Page", "Runtime", "Log", "Network", "Inspector"] {
            page.0.command(&format!("{domain}.enable"), &json!({}))?;
        }
        page.0.command("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }))?;
        Ok(page)
    }

    /// Opens an address and waits until the page, its style sheets and its images are loaded.
    ///
    /// # Errors
    /// If the page does not exist or is not loaded within the limit.
    pub fn open(&mut self, url: &str) -> Result<(), BrowserError> {
        let answer = self.0.command("Page.navigate", &json!({ "url": url }))?;
        if let Some(reason) = answer["errorText"].as_str() {
            return Err(BrowserError::of(format!("cannot open {url}"), reason));
        }
        match answer["loaderId"].as_str() {
            Some(load) => self.0.wait_for_load(url, load),
            // An address within the page that is open loads nothing.
            None => Ok(()),
        }
    }

    /// The value of a JavaScript expression. A promise is waited for; `undefined` is `null`.
    ///
    /// # Errors
    /// If it throws an exception, or its promise is not fulfilled within the limit.
    pub fn evaluate(&mut self, script: &str) -> Result<Value, BrowserError> {
        let params = json!({
            "expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        let mut answer = self.0.command("Runtime.evaluate", &params)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].take()),
            details => {
                Err(BrowserError::of(format!("`{}` fails", shortened(script)), exception(details)))
            }
        }
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    /// If it throws an exception, or does not become true within the limit.
    pub fn wait_until(&mut self, script: &str) -> Result<(), BrowserError> {
        let limit = self.0.limit;
        let found = poll(limit, || match self.evaluate(&format!("Boolean({script})")) {
            Ok(Value::Bool(false)) => None,
            other => Some(other.map(drop)),
        });
        found.unwrap_or_else(|| Err(late(&format!("waiting until `{}`", shortened(script)), limit)))
    }

    /// The page as PDF, with its backgrounds, a structure for screen readers, and an outline made from
    /// its headings. The size of the paper and its margins are those of the page's `@page`.
    pub fn print(&mut self, limit: Duration) -> Result<Vec<u8>, BrowserError> {
        let params = json!({
            "printBackground": true,
            "preferCSSPageSize": true,
            "generateTaggedPDF": true,
            "generateDocumentOutline": true,
            // In one message a long document would be too long.
            "transferMode": "ReturnAsStream",
        });
        let usual = std::mem::replace(&mut self.0.limit, limit);
        let stream = self.0.ask("Page.printToPDF", &params, "stream");
        self.0.limit = usual;
        let (stream, mut pdf) = (stream?, Vec::new());
        loop {
            let answer = self.0.command("IO.read", &json!({ "handle": stream, "size": PIECE }))?;
            let bytes = STANDARD.decode(answer["data"].as_str().unwrap_or_default());
            pdf.extend(bytes.map_err(|error| BrowserError::of("IO.read", error))?);
            if answer["eof"] == true {
                self.0.command("IO.close", &json!({ "handle": stream }))?;
                return Ok(pdf);
            }
        }
    }

    /// Errors and requests of this tab since the last call.
    pub fn take_log(&mut self) -> Log {
        // The events that the browser has sent by now precede its next answer.
        let _ = self.0.command("Runtime.evaluate", &json!({ "expression": "0" }));
        std::mem::take(&mut self.0.log)
    }

    /// Limits the time of each command from now on.
    pub fn set_limit(&mut self, limit: Duration) {
        self.0.limit = limit;
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A browser that is gone has closed it.
        let _ = self.0.send("Page.close", &json!({}));
    }
}

/// What does not stand in an address as it is.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// The `file:` address of a path, which becomes absolute.
pub fn file_url(path: &Path) -> Result<String, BrowserError> {
    let absolute = std::path::absolute(path)
        .map_err(|error| BrowserError::of(format!("cannot find {}", path.display()), error))?;
    let text = absolute.to_string_lossy().replace('\\', "/");
    let start = if text.starts_with('/') { "file://" } else { "file:///" };
    Ok(format!("{start}{}", utf8_percent_encode(&text, ESCAPED)))
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
