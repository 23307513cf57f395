//! A connection to the browser: commands and their answers, and events between them.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket, client::client_with_config};

use crate::error::BrowserError;
use crate::log::Log;
use crate::process::Address;

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
    pub(crate) fn open(address: &Address, limit: Duration) -> Result<Self, BrowserError> {
        let gone = |reason: String| {
            BrowserError::Disconnected(format!("connecting to port {}", address.port), reason)
        };
        let connect = || {
            let place = (Ipv4Addr::LOCALHOST, address.port).into();
            let stream = TcpStream::connect_timeout(&place, limit)?;
            stream.set_read_timeout(Some(limit))?;
            stream.set_write_timeout(Some(limit))?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = connect().map_err(|error: std::io::Error| gone(error.to_string()))?;
        let url = format!("ws://127.0.0.1:{}{}", address.port, address.path);
        // Pictures and PDFs are long messages.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = client_with_config(url, stream, Some(config))
            .map_err(|error| gone(error.to_string()))?;
        socket.get_ref().set_read_timeout(Some(TICK)).map_err(|error| gone(error.to_string()))?;
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
            return Err(BrowserError::Refused(format!("{method}: the browser answers: {reason}")));
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
        let text = answer[field].as_str().map(str::to_owned);
        text.ok_or_else(|| BrowserError::answer(method, field, &answer.to_string()))
    }

    /// Sends a command whose answer is of no interest.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> Result<u64, BrowserError> {
        self.last_id += 1;
        let message = json!({ "id": self.last_id, "method": method, "params": params });
        let sent = self.socket.send(Message::text(message.to_string()));
        sent.map_err(|error| BrowserError::Disconnected(method.to_owned(), error.to_string()))?;
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
                Err(error) => {
                    return Err(BrowserError::Disconnected(
                        operation.to_owned(),
                        error.to_string(),
                    ));
                }
            }
        }
        Err(BrowserError::Timeout(operation.to_owned(), self.limit))
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
                let reason = "the page crashed, as it does without enough memory".to_owned();
                return Err(BrowserError::Disconnected(operation.to_owned(), reason));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A connection to a browser that answers each command with the given messages, `ID` standing for the
    /// command's number, and ends at `close`.
    fn connected(answers: &'static [&'static str]) -> Connection {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
            while let Ok(Message::Text(command)) = socket.read() {
                let command: Value = serde_json::from_str(command.as_str()).unwrap();
                if command["method"] == "close" {
                    return;
                }
                for answer in answers {
                    let answer = answer.replace("ID", &command["id"].to_string());
                    socket.send(Message::text(answer)).unwrap();
                }
            }
        });
        let address = Address { port, path: "/devtools/browser/x".to_owned() };
        Connection::open(&address, Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn an_answer_is_told_from_events_and_from_answers_to_others() {
        let mut connection = connected(&[
            r#"{"method":"Log.entryAdded","params":{"entry":{"text":"noted","level":"error"}}}"#,
            r#"{"id":99,"result":{}}"#,
            r#"{"id":ID,"result":{"n":3}}"#,
            r#"{"method":"Page.lifecycleEvent","params":{"name":"load","loaderId":"L"}}"#,
        ]);
        assert_eq!(connection.command("x", &json!({})).unwrap(), json!({"n": 3}));
        assert_eq!(connection.log.errors().map(|e| &*e.text).collect::<Vec<_>>(), ["noted"]);
        connection.wait_for_load("x", "L").unwrap();
    }

    #[test]
    fn refusal_silence_and_a_lost_connection_are_errors() {
        let mut refusing =
            connected(&[r#"{"id":ID,"error":{"code":-1,"message":"no such thing"}}"#]);
        let error = refusing.command("Do.it", &json!({})).unwrap_err();
        assert_eq!(error.to_string(), "Do.it: the browser answers: no such thing");
        let mut silent = connected(&[]);
        silent.limit = Duration::from_millis(150);
        let error = silent.command("wait", &json!({})).unwrap_err();
        assert!(matches!(error, BrowserError::Timeout(..)), "{error}");
        silent.limit = Duration::from_secs(5);
        let error = silent.command("close", &json!({})).unwrap_err();
        assert!(matches!(error, BrowserError::Disconnected(..)), "{error}");
    }
}
