//! Errors and requests of a page.

use serde_json::Value;

/// Errors that a page has logged and everything that it has requested, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Errors and failed assertions of the console, and exceptions that nobody caught, with the address
    /// that each is about, if it names one.
    pub errors: Vec<String>,
    /// Loads of the page, itself included.
    pub requests: Vec<Request>,
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

impl Log {
    /// Takes note of an event, if it concerns the log.
    pub(crate) fn note(&mut self, method: &str, params: &Value) {
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_error = |level: &Value| level == "error" || level == "assert";
        let mut enter = |text: String, url: &Value| {
            let url = url.as_str().filter(|url| !url.is_empty());
            self.errors.push(text + &url.map(|url| format!(" ({url})")).unwrap_or_default());
        };
        match method {
            "Runtime.consoleAPICalled" if is_error(&params["type"]) => {
                let words = params["args"].as_array().into_iter().flatten();
                let text = words.map(word).collect::<Vec<_>>().join(" ");
                enter(text, &params["stackTrace"]["callFrames"][0]["url"]);
            }
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                enter(exception(details), &details["url"]);
            }
            "Log.entryAdded" if is_error(&params["entry"]["level"]) => {
                enter(string(&params["entry"]["text"]), &params["entry"]["url"]);
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

/// An argument of `console.error`.
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
