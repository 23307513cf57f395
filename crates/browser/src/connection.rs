//! A connection to the browser: commands and their answers, and events between them.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket, client::client_with_config};

use crate::error::BrowserError;
use crate::process::Address;

/// How long one read may block: deadlines are looked at in between.
const TICK: Duration = Duration::from_millis(100);

/// A web socket that speaks the DevTools protocol.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: WebSocket<TcpStream>,
    last_id: u64,
}

/// What the browser says without being asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) method: String,
    pub(crate) params: Value,
}

/// What comes in.
#[derive(Debug)]
enum Incoming {
    Answer { id: u64, result: Result<Value, String> },
    Event(Event),
}

impl Connection {
    pub(crate) fn open(address: &Address, limit: Duration) -> Result<Self, BrowserError> {
        let operation = || format!("connecting to port {}", address.port);
        let gone = |reason: String| BrowserError::Disconnected { operation: operation(), reason };
        let stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, address.port).into(), limit)
            .and_then(|stream| stream.set_read_timeout(Some(limit)).map(|()| stream))
            .and_then(|stream| stream.set_write_timeout(Some(limit)).map(|()| stream))
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| gone(error.to_string()))?;
        let url = format!("ws://127.0.0.1:{}{}", address.port, address.path);
        // Pictures and PDFs are long messages.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = client_with_config(url, stream, Some(config))
            .map_err(|error| gone(error.to_string()))?;
        socket.get_ref().set_read_timeout(Some(TICK)).map_err(|error| gone(error.to_string()))?;
        Ok(Self { socket, last_id: 0 })
    }

    /// Sends a command and waits for its answer; events that come meanwhile go to `each`.
    pub(crate) fn command(
        &mut self,
        method: &str,
        params: &Value,
        limit: Duration,
        mut each: impl FnMut(Event),
    ) -> Result<Value, BrowserError> {
        let deadline = Instant::now() + limit;
        let id = self.send(method, params)?;
        loop {
            match self.receive(method, deadline)? {
                Some(Incoming::Event(event)) => each(event),
                Some(Incoming::Answer { id: answered, result }) if answered == id => {
                    let refused =
                        |message| BrowserError::Refused { method: method.to_owned(), message };
                    return result.map_err(refused);
                }
                // The answer to a command that nobody waits for, or has given up waiting for.
                Some(Incoming::Answer { .. }) => {}
                None => {
                    return Err(BrowserError::Timeout { operation: method.to_owned(), limit });
                }
            }
        }
    }

    /// Sends a command whose answer is of no interest.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> Result<u64, BrowserError> {
        self.last_id += 1;
        let message = json!({ "id": self.last_id, "method": method, "params": params });
        self.socket
            .send(Message::text(message.to_string()))
            .map_err(|error| gone(method, error))?;
        Ok(self.last_id)
    }

    /// The next event; `None` if none comes before the deadline.
    pub(crate) fn event(
        &mut self,
        operation: &str,
        deadline: Instant,
    ) -> Result<Option<Event>, BrowserError> {
        loop {
            match self.receive(operation, deadline)? {
                Some(Incoming::Event(event)) => return Ok(Some(event)),
                Some(Incoming::Answer { .. }) => {}
                None => return Ok(None),
            }
        }
    }

    fn receive(
        &mut self,
        operation: &str,
        deadline: Instant,
    ) -> Result<Option<Incoming>, BrowserError> {
        // Looked at before each message: events without end are no answer either.
        while Instant::now() < deadline {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    if let Some(incoming) = incoming(text.as_str()) {
                        return Ok(Some(incoming));
                    }
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(gone(operation, error)),
            }
        }
        Ok(None)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn gone(operation: &str, error: tungstenite::Error) -> BrowserError {
    BrowserError::Disconnected { operation: operation.to_owned(), reason: error.to_string() }
}

fn incoming(text: &str) -> Option<Incoming> {
    let mut message: Value = serde_json::from_str(text).ok()?;
    if let Some(id) = message["id"].as_u64() {
        let result = match message["error"].take() {
            Value::Null => Ok(message["result"].take()),
            error => Err(error["message"].as_str().unwrap_or("an error without a message").into()),
        };
        return Some(Incoming::Answer { id, result });
    }
    let method = message["method"].as_str()?.to_owned();
    Some(Incoming::Event(Event { method, params: message["params"].take() }))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A browser that answers each message with the given ones, `ID` standing for the command's.
    fn browser(answers: &'static [&'static str]) -> Address {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
            while let Ok(Message::Text(command)) = socket.read() {
                let command: Value = serde_json::from_str(command.as_str()).unwrap();
                let id = command["id"].to_string();
                for answer in answers {
                    socket.send(Message::text(answer.replace("ID", &id))).unwrap();
                }
                if answers.is_empty() && command["method"] == "close" {
                    return;
                }
            }
        });
        Address { port, path: "/devtools/browser/x".to_owned() }
    }

    fn second() -> Duration {
        Duration::from_secs(5)
    }

    #[test]
    fn an_answer_is_told_from_events_and_from_answers_to_others() {
        let address = browser(&[
            r#"{"method":"Page.loaded","params":{"at":1}}"#,
            r#"{"id":99,"result":{}}"#,
            r#"{"id":ID,"result":{"n":3}}"#,
            r#"{"method":"Page.after","params":{}}"#,
        ]);
        let mut connection = Connection::open(&address, second()).unwrap();
        let mut events = Vec::new();
        let answer = connection.command("x", &json!({}), second(), |event| events.push(event));
        assert_eq!(answer.unwrap(), json!({"n": 3}));
        assert_eq!(events, [Event { method: "Page.loaded".into(), params: json!({"at": 1}) }]);
        let after = connection.event("x", Instant::now() + second()).unwrap().unwrap();
        assert_eq!(after.method, "Page.after");
    }

    #[test]
    fn refusal_silence_and_a_lost_connection_are_errors() {
        let refuses = browser(&[r#"{"id":ID,"error":{"code":-1,"message":"no such thing"}}"#]);
        let mut connection = Connection::open(&refuses, second()).unwrap();
        let error = connection.command("Do.it", &json!({}), second(), |_| {}).unwrap_err();
        assert_eq!(error.to_string(), "Do.it: the browser answers: no such thing");

        let silent = browser(&[]);
        let mut connection = Connection::open(&silent, second()).unwrap();
        let limit = Duration::from_millis(150);
        let error = connection.command("wait", &json!({}), limit, |_| {}).unwrap_err();
        assert!(matches!(error, BrowserError::Timeout { .. }), "{error}");
        let error = connection.command("close", &json!({}), second(), |_| {}).unwrap_err();
        assert!(matches!(error, BrowserError::Disconnected { .. }), "{error}");
    }
}
