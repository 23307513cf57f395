//! What a page logs and requests.

use serde_json::Value;

use crate::connection::Event;

/// Everything that a page has logged and requested, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// What scripts and the browser wrote to the console.
    pub entries: Vec<Entry>,
    /// What the page loaded, itself included.
    pub requests: Vec<Request>,
}

/// A line of the console.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// How bad it is.
    pub level: Level,
    /// What it says.
    pub text: String,
    /// The address that it is about, if it names one.
    pub url: String,
}

/// How bad an [`Entry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A message.
    Info,
    /// A warning.
    Warning,
    /// An error, an assertion that failed, or an exception that nobody caught.
    Error,
}

/// Something that the page loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    id: String,
    /// Its address.
    pub url: String,
    /// What for, as the protocol names it: `Document`, `Stylesheet`, `Script`, `Image`, `Font`, ...
    pub kind: String,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

impl Request {
    /// Whether the address is that of another machine, or of a server on this one: whether it is
    /// neither a file nor part of the page itself.
    #[must_use]
    pub fn uses_network(&self) -> bool {
        let local = ["file:", "data:", "blob:", "about:"];
        !local.iter().any(|scheme| self.url.starts_with(scheme))
    }
}

impl Log {
    /// The errors of the console.
    pub fn errors(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.level == Level::Error)
    }

    /// What was asked of the network.
    pub fn network(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.uses_network())
    }

    /// What could not be loaded.
    pub fn failures(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.failure.is_some())
    }

    /// Takes note of an event, if it concerns the log.
    pub(crate) fn note(&mut self, event: &Event) {
        let params = &event.params;
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match event.method.as_str() {
            "Runtime.consoleAPICalled" => {
                let words = params["args"].as_array().map_or(&[][..], Vec::as_slice);
                let text = words.iter().map(word).collect::<Vec<_>>().join(" ");
                let url = string(&params["stackTrace"]["callFrames"][0]["url"]);
                self.entries.push(Entry { level: level(&params["type"]), text, url });
            }
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                let (text, url) = (exception(details), string(&details["url"]));
                self.entries.push(Entry { level: Level::Error, text, url });
            }
            "Log.entryAdded" => {
                let entry = &params["entry"];
                let (text, url) = (string(&entry["text"]), string(&entry["url"]));
                self.entries.push(Entry { level: level(&entry["level"]), text, url });
            }
            "Page.javascriptDialogOpening" => {
                let text = format!("a dialog was closed: {}", string(&params["message"]));
                let entry = Entry { level: Level::Warning, text, url: string(&params["url"]) };
                self.entries.push(entry);
            }
            "Network.requestWillBeSent" => self.requests.push(Request {
                id: string(&params["requestId"]),
                url: string(&params["request"]["url"]),
                kind: string(&params["type"]),
                failure: None,
            }),
            "Network.loadingFailed" => {
                let reason = string(&params["errorText"]);
                let id = string(&params["requestId"]);
                if let Some(request) = self.requests.iter_mut().rev().find(|r| r.id == id) {
                    request.failure = Some(reason);
                }
            }
            _ => {}
        }
    }
}

fn level(name: &Value) -> Level {
    match name.as_str().unwrap_or_default() {
        "error" | "assert" => Level::Error,
        "warning" => Level::Warning,
        _ => Level::Info,
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

/// What an exception says.
pub(crate) fn exception(details: &Value) -> String {
    let exception = &details["exception"];
    match (&exception["description"], &exception["value"]) {
        (Value::String(text), _) | (_, Value::String(text)) => text.clone(),
        _ => details["text"].as_str().unwrap_or("an exception").to_owned(),
    }
}
