//! A web server on this machine that misbehaves as asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How a request is answered. `body` is always the whole file.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With what was asked for, range or whole.
    File { body: Vec<u8> },
    /// With the whole, whatever range was asked for.
    Whole { body: Vec<u8> },
    /// As `File`, but the connection breaks after this many bytes.
    Cut { body: Vec<u8>, after: usize },
    /// As `File`, but after this many bytes nothing more comes.
    Hang { body: Vec<u8>, after: usize },
    /// With this status and no file.
    Status(u16),
}

/// A server that gives its answers one after another, and the last of them from then on.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// The first byte of the range, if one was asked for.
    pub(crate) from: Option<usize>,
}

impl Server {
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(request) = read(&stream) else { continue };
                let mut seen = seen.lock().unwrap();
                let answer = answers[seen.len().min(answers.len() - 1)].clone();
                seen.push(request.clone());
                drop(seen);
                // The client may have gone; that is its right.
                thread::spawn(move || answer.send(stream, &request));
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The first bytes that were asked for, request by request.
    pub(crate) fn ranges(&self) -> Vec<Option<usize>> {
        self.requests().iter().map(|request| request.from).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut from = None;
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
    }
    Some(Request { path, from })
}

impl Answer {
    fn send(&self, mut stream: TcpStream, request: &Request) -> std::io::Result<()> {
        let (body, limit) = match self {
            Self::Status(status) => {
                return write!(
                    stream,
                    "HTTP/1.1 {status} No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n"
                );
            }
            Self::Whole { body } | Self::File { body } => (body, usize::MAX),
            Self::Cut { body, after } | Self::Hang { body, after } => (body, *after),
        };
        let from = request.from.filter(|_| !matches!(self, Self::Whole { .. })).unwrap_or(0);
        let total = body.len();
        if from >= total {
            return write!(
                stream,
                "HTTP/1.1 416 No\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            );
        }
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        let rest = &body[from..];
        let length = rest.len();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n")?;
        if from > 0 {
            write!(stream, "Content-Range: bytes {from}-{}/{total}\r\n", total - 1)?;
        }
        write!(stream, "\r\n")?;
        stream.write_all(&rest[..limit.min(length)])?;
        stream.flush()?;
        if matches!(self, Self::Hang { .. }) {
            thread::sleep(Duration::from_secs(20));
        }
        Ok(())
    }
}
