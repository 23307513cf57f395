//! A connection to the browser: commands and their answers, and events between them.

use std::collections::HashSet;
use std::error::Error;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket, client::client_with_config};

use crate::error::{BrowserError, shortened};
use crate::log::Log;

/// Longest time that one read may block: deadlines are looked at in between.
const TICK: Duration = Duration::from_millis(100);

/// A web socket that speaks the DevTools protocol.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: WebSocket<TcpStream>,
    last_id: u64,
    /// Limit for an answer.
    pub(crate) limit: Duration,
    /// The events so far.
    pub(crate) log: Log,
    /// The loads that are complete, by the protocol's names for them.
    loaded: HashSet<String>,
}

impl Connection {
    pub(crate) fn open(port: u16, path: &str, limit: Duration) -> Result<Self, BrowserError> {
        let connect = || -> Result<_, Box<dyn Error>> {
            let stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), limit)?;
            stream.set_read_timeout(Some(limit))?;
            stream.set_write_timeout(Some(limit))?;
            stream.set_nodelay(true)?;
            let url = format!("ws://127.0.0.1:{port}{path}");
            // Pictures and PDFs are long messages.
            let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
            let (socket, _) = client_with_config(url, stream, Some(config))?;
            socket.get_ref().set_read_timeout(Some(TICK))?;
            Ok(socket)
        };
        let socket =
            connect().map_err(|error| gone(&format!("connecting to port {port}"), error))?;
        Ok(Self { socket, last_id: 0, limit, log: Log::default(), loaded: HashSet::new() })
    }

    /// Sends a command and waits for its answer; events that come meanwhile are noted.
    pub(crate) fn command(&mut self, method: &str, params: &Value) -> Result<Value, BrowserError> {
        let deadline = Instant::now() + self.limit;
        let id = self.send(method, params)?;
        loop {
            // An answer with another number is to a command that nobody waits for any more.
            let message = self.receive(method, deadline)?;
            let Some(mut answer) = message.filter(|answer| answer["id"] == id) else { continue };
            let Value::Object(error) = &answer["error"] else { return Ok(answer["result"].take()) };
            let reason = error.get("message").and_then(Value::as_str);
            let reason = reason.unwrap_or("an error without a message");
            return Err(BrowserError::of(method, format!("the browser answers: {reason}")));
        }
    }

    /// The same, and a text of its answer.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        params: &Value,
        field: &str,
    ) -> Result<String, BrowserError> {
        let answer = self.command(method, params)?;
        answer[field].as_str().map(str::to_owned).ok_or_else(|| {
            let got = shortened(&answer.to_string());
            BrowserError::of(method, format!("expected {field} in the answer, but got {got}"))
        })
    }

    /// Sends a command whose answer is of no interest.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> Result<u64, BrowserError> {
        self.last_id += 1;
        let message = json!({ "id": self.last_id, "method": method, "params": params });
        let sent = self.socket.send(Message::text(message.to_string()));
        sent.map_err(|error| gone(method, error))?;
        Ok(self.last_id)
    }

    /// Waits until a load is complete.
    pub(crate) fn wait_for_load(&mut self, url: &str, load: &str) -> Result<(), BrowserError> {
        let deadline = Instant::now() + self.limit;
        while !self.loaded.remove(load) {
            self.receive(&format!("loading {url}"), deadline)?;
        }
        Ok(())
    }

    /// Waits for a message: an answer, or an event that was noted.
    fn receive(
        &mut self,
        operation: &str,
        deadline: Instant,
    ) -> Result<Option<Value>, BrowserError> {
        // Looked at before each message: events without end are no answer either.
        while Instant::now() < deadline {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message: Value = serde_json::from_str(&text).unwrap_or_default();
                    if message["id"].is_u64() {
                        return Ok(Some(message));
                    }
                    return self.note(operation, &message).map(|()| None);
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(gone(operation, error)),
            }
        }
        Err(late(operation, self.limit))
    }

    fn note(&mut self, operation: &str, event: &Value) -> Result<(), BrowserError> {
        let (method, params) = (event["method"].as_str().unwrap_or_default(), &event["params"]);
        self.log.note(method, params);
        match method {
            "Page.lifecycleEvent" if params["name"] == "load" => {
                self.loaded.extend(params["loaderId"].as_str().map(str::to_owned));
            }
            // A dialog would block the page for ever.
            "Page.javascriptDialogOpening" => {
                self.send("Page.handleJavaScriptDialog", &json!({ "accept": true }))?;
            }
            "Inspector.targetCrashed" => {
                return Err(gone(operation, "the page crashed, as it does without enough memory"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn gone(operation: &str, reason: impl std::fmt::Display) -> BrowserError {
    BrowserError::of(operation, format!("the connection to the browser is gone: {reason}"))
}

/// The error of an operation that took longer than was allowed.
pub(crate) fn late(operation: &str, limit: Duration) -> BrowserError {
    BrowserError::of(operation, format!("no answer within {:.0} s", limit.as_secs_f64()))
}
