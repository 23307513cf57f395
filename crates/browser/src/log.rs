//! Console and requests of a page.

use serde_json::Value;

/// Everything that a page has logged and requested, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Lines of the console, by scripts and by the browser.
    pub entries: Vec<Entry>,
    /// Loads of the page, itself included.
    pub requests: Vec<Request>,
}

/// A line of the console.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// An error, an assertion that failed, or an exception that nobody caught.
    pub is_error: bool,
    /// Its words.
    pub text: String,
    /// The address that it is about, if it names one.
    pub url: String,
}

/// A load, of the page itself or for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    id: String,
    /// Its address.
    pub url: String,
    /// Its purpose, as the protocol names it: `Document`, `Stylesheet`, `Script`, `Image`, `Font`, ...
    pub kind: String,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

impl Request {
    /// True for an address of another machine, or of a server on this one: neither a file nor part of the
    /// page itself.
    #[must_use]
    pub fn uses_network(&self) -> bool {
        let local = ["file:", "data:", "blob:", "about:"];
        !local.iter().any(|scheme| self.url.starts_with(scheme))
    }
}

impl Log {
    /// The errors of the console.
    pub fn errors(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_error)
    }

    /// Requests that use the network.
    pub fn network(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.uses_network())
    }

    /// Requests that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.failure.is_some())
    }

    /// Takes note of an event, if it concerns the log.
    pub(crate) fn note(&mut self, method: &str, params: &Value) {
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_error = |level: &Value| level == "error" || level == "assert";
        let mut enter = |is_error, text, url: &Value| {
            self.entries.push(Entry { is_error, text, url: string(url) });
        };
        match method {
            "Runtime.consoleAPICalled" => {
                let words = params["args"].as_array().map_or(&[][..], Vec::as_slice);
                let text = words.iter().map(word).collect::<Vec<_>>().join(" ");
                let url = &params["stackTrace"]["callFrames"][0]["url"];
                enter(is_error(&params["type"]), text, url);
            }
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                enter(true, exception(details), &details["url"]);
            }
            "Log.entryAdded" => {
                let entry = &params["entry"];
                enter(is_error(&entry["level"]), string(&entry["text"]), &entry["url"]);
            }
            "Page.javascriptDialogOpening" => {
                let text = format!("a dialog was closed: {}", string(&params["message"]));
                enter(false, text, &params["url"]);
            }
            "Network.requestWillBeSent" => self.requests.push(Request {
                id: string(&params["requestId"]),
                url: string(&params["request"]["url"]),
                kind: string(&params["type"]),
                failure: None,
            }),
            "Network.loadingFailed" => {
                let failed = |request: &&mut Request| params["requestId"] == request.id.as_str();
                if let Some(request) = self.requests.iter_mut().rev().find(failed) {
                    request.failure = Some(string(&params["errorText"]));
                }
            }
            _ => {}
        }
    }
}

/// An argument of `console.log`.
fn word(argument: &Value) -> String {
    match (&argument["value"], &argument["description"]) {
        (Value::String(text), _) | (Value::Null, Value::String(text)) => text.clone(),
        (Value::Null, _) => argument["type"].as_str().unwrap_or_default().to_owned(),
        (value, _) => value.to_string(),
    }
}

/// Description of an exception.
pub(crate) fn exception(details: &Value) -> String {
    let exception = &details["exception"];
    match (&exception["description"], &exception["value"]) {
        (Value::String(text), _) | (_, Value::String(text)) => text.clone(),
        _ => details["text"].as_str().unwrap_or("an exception").to_owned(),
    }
}
